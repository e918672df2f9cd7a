"""Warnings are logged beside the request they came up in."""

from _twoam import log


def warn(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=()):
    kind = category.__name__ if category is not None else "UserWarning"
    log(30, f"{kind}: {message}")


def warn_explicit(message, category, filename, lineno, *args, **kwargs):
    warn(message, category)


def filterwarnings(*args, **kwargs):
    pass


simplefilter = resetwarnings = filterwarnings


def _deprecated(name, *args, **kwargs):
    pass


class catch_warnings:
    def __init__(self, *, record=False, **kwargs):
        self._record = record

    def __enter__(self):
        return [] if self._record else None

    def __exit__(self, kind, raised, traceback):
        return None


class deprecated:
    def __init__(self, message, /, *, category=DeprecationWarning, stacklevel=1):
        self.message = message

    def __call__(self, decorated):
        decorated.__deprecated__ = self.message
        return decorated


def _warn_unawaited_coroutine(coroutine):
    """The interpreter calls this for a forgotten `await`."""
    log(30, f"RuntimeWarning: coroutine '{coroutine.__qualname__}' was never awaited")
