"""What a web framework's encoder makes of the values JSON has no word for."""

import sys


def plain(value):
    kind = type(value)
    if kind in (set, frozenset) or kind.__name__ in ("deque", "generator"):
        return list(value)
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__}
    if kind.__module__ == "datetime":
        return value.total_seconds() if kind.__name__ == "timedelta" else value.isoformat()
    if kind.__name__ == "Decimal":
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent >= 0 else float(value)
    if kind.__name__ == "UUID":
        return str(value)
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {kind.__name__} is not JSON serializable")
