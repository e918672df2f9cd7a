"""Row factories: what a cursor makes of the values of a row."""

from _functools import partial

from _twoam import named


def tuple_row(cursor):
    return tuple


def dict_row(cursor):
    if cursor._columns is None:
        return _no_result
    return partial(named, [name for name, _ in cursor._columns])


def scalar_row(cursor):
    def make(values):
        return values[0]

    return make


def namedtuple_row(cursor):
    if cursor._columns is None:
        return _no_result
    from collections import namedtuple

    names = tuple("".join(sign if sign.isalnum() else "_" for sign in name) for name, _ in cursor._columns)
    names = tuple("f" + name if name[:1] == "_" or name[:1].isdigit() else name for name in names)
    kind = _named.get(names)
    if kind is None:
        kind = _named[names] = namedtuple("Row", names)
    return kind._make


def class_row(cls):
    return kwargs_row(cls)


def args_row(function):
    def factory(cursor):
        def make(values):
            return function(*values)

        return make

    return factory


def kwargs_row(function):
    def factory(cursor):
        names = [name for name, _ in cursor._columns or ()]

        def make(values):
            return function(**named(names, values))

        return make

    return factory


def _no_result(values):
    raise TypeError("the cursor doesn't have a result")


_named = {}
