"""Wrappers that send a Python object as JSON."""

__all__ = ["Json", "Jsonb"]


class Json:
    """Sends `obj` as json."""

    __slots__ = ("obj", "dumps")

    def __init__(self, obj, dumps=None):
        self.obj = obj
        self.dumps = dumps

    def __repr__(self):
        return f"{type(self).__name__}({self.obj!r})"


class Jsonb(Json):
    """Sends `obj` as jsonb."""

    __slots__ = ()
