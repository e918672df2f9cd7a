"""Tracebacks with nothing in them but the handler's own files."""

import sys

from _twoam import source_line

__all__ = ["extract_tb", "format_exc", "format_exception", "format_exception_only", "format_tb", "print_exc", "print_exception"]

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def format_exc(limit=None, chain=True):
    return "".join(format_exception(sys.exception(), chain=chain))


def print_exc(limit=None, file=None, chain=True):
    print_exception(sys.exception(), file=file, chain=chain)


def print_exception(exc, /, value=None, tb=None, limit=None, file=None, chain=True):
    text = "".join(format_exception(exc, value, tb, chain=chain))
    if file is not None:
        file.write(text)
    else:
        from _twoam import log

        log(40, text.rstrip())


def format_exception(exc, /, value=None, tb=None, limit=None, chain=True):
    raised = exc if isinstance(exc, BaseException) or exc is None else value
    if raised is None:
        return ["NoneType: None\n"]
    return _chain(raised, set() if chain else None)


def format_exception_only(exc, /, value=None, *, show_group=False):
    raised = exc if isinstance(exc, BaseException) else value
    kind = type(raised)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    lines = []
    if isinstance(raised, SyntaxError) and raised.lineno is not None:
        lines.append(f'  File "{raised.filename}", line {raised.lineno}\n')
        text = raised.text or source_line(raised.filename or "", raised.lineno)
        if text:
            stripped = text.rstrip("\n").lstrip()
            lines.append(f"    {stripped}\n")
            if raised.offset is not None and raised.text:
                at = raised.offset - 1 - (len(text.rstrip("\n")) - len(stripped))
                lines.append("    " + " " * max(at, 0) + "^\n")
        lines.append(f"{name}: {raised.msg}\n")
        return lines
    try:
        message = str(raised)
    except Exception:
        message = "<exception str() failed>"
    lines.append(f"{name}: {message}\n" if message else f"{name}\n")
    for note in getattr(raised, "__notes__", None) or ():
        lines.append(f"{note}\n")
    return lines


# Of frames that are the same, so many are printed, as CPython does.
_REPEATS = 3


def format_tb(tb, limit=None):
    lines, latest, repeats = [], None, 0
    for frame in [*extract_tb(tb), None]:
        if frame == latest:
            repeats += 1
            if repeats > _REPEATS:
                continue
        else:
            if repeats > _REPEATS:
                more = repeats - _REPEATS
                lines.append(f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]\n")
            latest, repeats = frame, 1
        if frame is not None:
            file, line, function, text = frame
            lines.append(f'  File "{file}", line {line}, in {function}\n' + (f"    {text}\n" if text else ""))
    return lines


def extract_tb(tb, limit=None):
    """(file, line, function, text) of each frame in the handler's own files."""
    frames = []
    while tb is not None:
        code = tb.tb_frame.f_code
        if not code.co_filename.startswith("<"):
            frames.append((code.co_filename, tb.tb_lineno, code.co_qualname, source_line(code.co_filename, tb.tb_lineno)))
        tb = tb.tb_next
    return frames


def _chain(raised, seen):
    before = []
    if seen is not None:
        seen.add(id(raised))
        cause, context = raised.__cause__, raised.__context__
        if cause is not None and id(cause) not in seen:
            before = _chain(cause, seen) + [_CAUSE]
        elif cause is None and context is not None and not raised.__suppress_context__ and id(context) not in seen:
            before = _chain(context, seen) + [_CONTEXT]
    frames = format_tb(raised.__traceback__)
    head = ["Traceback (most recent call last):\n"] if frames else []
    lines = before + head + frames + format_exception_only(raised)
    if isinstance(raised, BaseExceptionGroup):
        for number, inner in enumerate(raised.exceptions, 1):
            lines.append(f"  +---------------- {number} ----------------\n")
            for text in _chain(inner, set()):
                lines.extend("  | " + line + "\n" for line in text.splitlines())
    return lines


def _told(raised):
    """The printed exception and the place in the handler's files where it was raised."""
    text = "".join(_chain(raised, set()))
    if isinstance(raised, SyntaxError) and raised.lineno is not None:
        return (text, raised.filename, raised.lineno)
    frames = extract_tb(raised.__traceback__)
    if not frames:
        return (text, None, None)
    return (text, frames[-1][0], frames[-1][1])
