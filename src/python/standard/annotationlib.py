"""Annotations as `dataclasses` and `typing` read them."""

import enum


class Format(enum.IntEnum):
    VALUE = 1
    VALUE_WITH_FAKE_GLOBALS = 2
    FORWARDREF = 3
    STRING = 4


class ForwardRef:
    """A name that stands for a type not yet known."""

    def __init__(self, arg, *, module=None, owner=None, is_argument=True, is_class=False):
        self.__forward_arg__ = arg
        self.__forward_module__ = module
        self.__forward_is_argument__ = is_argument
        self.__forward_is_class__ = is_class
        self.__owner__ = owner

    def __eq__(self, other):
        return isinstance(other, ForwardRef) and other.__forward_arg__ == self.__forward_arg__

    def __hash__(self):
        return hash(self.__forward_arg__)

    def __repr__(self):
        return f"ForwardRef({self.__forward_arg__!r})"


def get_annotations(obj, *, globals=None, locals=None, eval_str=False, format=Format.VALUE):
    try:
        found = obj.__dict__.get("__annotations__") if isinstance(obj, type) else None
        if found is None:
            found = getattr(obj, "__annotations__", None)
    except NameError:
        if format == Format.VALUE:
            raise
        found = None
    if isinstance(obj, type) and found is not None:
        for base in obj.__mro__[1:]:
            if base.__dict__.get("__annotations__") is found:
                return {}
    return dict(found or {})


def get_annotate_from_class_namespace(namespace):
    return namespace.get("__annotate__") or namespace.get("__annotate_func__")


def call_annotate_function(annotate, format, *, owner=None):
    return annotate(Format.VALUE)


call_evaluate_function = call_annotate_function


def type_repr(value):
    if isinstance(value, type):
        return value.__qualname__ if value.__module__ == "builtins" else f"{value.__module__}.{value.__qualname__}"
    return "..." if value is ... else repr(value)


def annotations_to_string(annotations):
    return {name: value if isinstance(value, str) else type_repr(value) for name, value in annotations.items()}
