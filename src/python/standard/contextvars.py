"""One value for all: `decimal` keeps its context here."""

_MISSING = object()


class ContextVar:
    def __init__(self, name, *, default=_MISSING):
        self.name = name
        self._value = default

    def get(self, default=_MISSING):
        if self._value is not _MISSING:
            return self._value
        if default is _MISSING:
            raise LookupError(self)
        return default

    def set(self, value):
        before, self._value = self._value, value
        return before

    def reset(self, token):
        self._value = token
