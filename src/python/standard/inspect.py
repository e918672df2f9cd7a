"""The few questions the library asks about functions and classes."""


def signature(callable, **kwargs):
    raise ValueError("signatures are not available here")


def unwrap(func, *, stop=None):
    while hasattr(func, "__wrapped__") and not (stop is not None and stop(func)):
        func = func.__wrapped__
    return func


def iscoroutinefunction(obj):
    code = getattr(getattr(obj, "__func__", obj), "__code__", None)
    return code is not None and bool(code.co_flags & 0x80)


def iscoroutine(obj):
    return type(obj).__name__ == "coroutine"


def isawaitable(obj):
    return iscoroutine(obj) or hasattr(obj, "__await__")


def isclass(obj):
    return isinstance(obj, type)


def isfunction(obj):
    return type(obj).__name__ == "function"


def getattr_static(obj, attr, default=None):
    for kind in type(obj).__mro__:
        if attr in vars(kind):
            return vars(kind)[attr]
    return vars(obj).get(attr, default) if hasattr(obj, "__dict__") else default
