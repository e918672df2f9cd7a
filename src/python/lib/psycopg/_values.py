"""SQL values that are objects of the standard library in Python. Imported when the first of them comes by."""

import sys


def load(kind, value):
    if kind == "numeric":
        from decimal import Decimal

        return Decimal(value)
    if kind == "uuid":
        from uuid import UUID

        return UUID(int=value)
    import datetime

    if kind in ("date", "timestamp", "timestamptz"):
        days = 719163 + (value if kind == "date" else value // 86_400_000_000)
        if not 1 <= days <= 3_652_059:
            from .errors import DataError

            kind = "date" if kind == "date" else "timestamp"
            raise DataError(f"{kind} too large (after year 10K)" if days > 1 else f"{kind} too small (before year 1)")
    if kind == "date":
        return datetime.date.fromordinal(719163 + value)
    if kind == "time":
        return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)).time()
    if kind == "timestamp":
        return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)
    if kind == "timestamptz":
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=value)
    months, days, micros = value
    # psycopg counts a month as 30 days and a year as 365.
    years, months = divmod(abs(months), 12) if months >= 0 else (-(-months // 12), -(-months % 12))
    return datetime.timedelta(days=days + 30 * months + 365 * years, microseconds=micros)


def dump(value):
    for kind in type(value).__mro__:
        dumper = _dumpers.get((kind.__module__, kind.__name__))
        if dumper is not None:
            return dumper(value)
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(value, enum.Enum):
        return ("plain", value.value if isinstance(value, (int, str)) else value.name)
    for base in (int, str, float, bytes, bytearray):
        if isinstance(value, base):
            return ("plain", bytes(value) if base is bytearray else base(value))
    from .errors import ProgrammingError

    name = type(value).__name__
    raise ProgrammingError(f"cannot adapt type {name!r} using placeholder '%s' (format: AUTO)")


def _decimal(value):
    return ("numeric", str(value))


def _uuid(value):
    return ("uuid", value.int)


def _json(value):
    if value.dumps is not None:
        return ("json-text", value.dumps(value.obj))
    return ("json", value.obj)


def _datetime(value):
    import datetime

    if value.tzinfo is None:
        return ("timestamp", (value - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return ("timestamptz", (value - epoch) // datetime.timedelta(microseconds=1))


def _date(value):
    return ("date", value.toordinal() - 719163)


def _time(value):
    return ("time", ((value.hour * 60 + value.minute) * 60 + value.second) * 1000000 + value.microsecond)


def _timedelta(value):
    return ("interval", (value.days, value.seconds * 1000000 + value.microseconds))


_dumpers = {
    ("decimal", "Decimal"): _decimal,
    ("uuid", "UUID"): _uuid,
    ("psycopg.types.json", "Json"): _json,
    ("datetime", "datetime"): _datetime,
    ("datetime", "date"): _date,
    ("datetime", "time"): _time,
    ("datetime", "timedelta"): _timedelta,
}
