"""The search of a log store. For clients' scripts: whoever is on call."""

from _twoam import service_wait

__all__ = ["Line", "LogsError", "LogsTimeout", "LogsUnavailable", "search"]


class LogsError(Exception):
    """The log store did not do what was asked; `body` is what it said."""

    def __init__(self, message="", body=None):
        super().__init__(message)
        self.body = body


class LogsUnavailable(LogsError):
    """The log store could not be reached."""


class LogsTimeout(LogsError):
    """No answer came in time."""


class Line:
    """One line, as a process wrote it `age_s` seconds ago."""

    def __init__(self, found):
        self.age_s = found["age_s"]
        self.process = found["process"]
        self.level = found["level"]
        self.text = found["text"]

    def __repr__(self):
        return f"<Line {self.level} {self.text!r}>"


async def search(*words, level=None, last_s=None, before_s=0):
    """The lines that hold all `words`, oldest first. At most 500: of more, the newest."""
    found = await service_wait(
        "logs", "search", {"words": list(words), "level": level, "last_s": last_s, "before_s": before_s}
    )
    return [Line(line) for line in found]
