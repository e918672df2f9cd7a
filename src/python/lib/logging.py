"""Logging whose records are shown beside the request that wrote them."""

from _twoam import log

CRITICAL = FATAL = 50
ERROR = 40
WARNING = WARN = 30
INFO = 20
DEBUG = 10
NOTSET = 0
_NAMES = {50: "CRITICAL", 40: "ERROR", 30: "WARNING", 20: "INFO", 10: "DEBUG", 0: "NOTSET"}


def getLevelName(level):
    if level in _NAMES:
        return _NAMES[level]
    for number, name in _NAMES.items():
        if name == level:
            return number
    return f"Level {level}"


def _number(level):
    if isinstance(level, int):
        return level
    for number, name in _NAMES.items():
        if name == level:
            return number
    raise ValueError(f"Unknown level: {level!r}")


class Formatter:
    def __init__(self, fmt=None, datefmt=None, style="%", validate=True):
        self._fmt = fmt


class Handler:
    def __init__(self, level=NOTSET):
        self.level = _number(level)

    def setLevel(self, level):
        self.level = _number(level)

    def setFormatter(self, formatter):
        self.formatter = formatter

    def addFilter(self, filter):
        pass


class StreamHandler(Handler):
    def __init__(self, stream=None):
        Handler.__init__(self)


class NullHandler(Handler):
    pass


class Logger:
    def __init__(self, name, parent=None):
        self.name = name
        self.level = NOTSET
        self.parent = parent
        self.propagate = True
        self.disabled = False
        self.handlers = []

    def setLevel(self, level):
        self.level = _number(level)

    def getEffectiveLevel(self):
        logger = self
        while logger is not None:
            if logger.level:
                return logger.level
            logger = logger.parent
        return NOTSET

    def isEnabledFor(self, level):
        return not self.disabled and level >= self.getEffectiveLevel()

    def getChild(self, suffix):
        return getLogger(suffix if self.parent is None else self.name + "." + suffix)

    def addHandler(self, handler):
        self.handlers.append(handler)

    def removeHandler(self, handler):
        if handler in self.handlers:
            self.handlers.remove(handler)

    def hasHandlers(self):
        return True

    def addFilter(self, filter):
        pass

    def log(self, level, msg, *args, exc_info=None, stack_info=False, stacklevel=1, extra=None):
        if self.disabled or level < self.getEffectiveLevel():
            return
        text = str(msg)
        if args:
            if len(args) == 1 and isinstance(args[0], dict) and args[0]:
                args = args[0]
            text = text % args
        if exc_info:
            import traceback

            if exc_info is True:
                text += "\n" + traceback.format_exc().rstrip()
            elif isinstance(exc_info, BaseException):
                text += "\n" + "".join(traceback.format_exception(exc_info)).rstrip()
        log(level, text)

    def debug(self, msg, *args, **kwargs):
        self.log(DEBUG, msg, *args, **kwargs)

    def info(self, msg, *args, **kwargs):
        self.log(INFO, msg, *args, **kwargs)

    def warning(self, msg, *args, **kwargs):
        self.log(WARNING, msg, *args, **kwargs)

    warn = warning

    def error(self, msg, *args, **kwargs):
        self.log(ERROR, msg, *args, **kwargs)

    def exception(self, msg, *args, exc_info=True, **kwargs):
        self.log(ERROR, msg, *args, exc_info=exc_info, **kwargs)

    def critical(self, msg, *args, **kwargs):
        self.log(CRITICAL, msg, *args, **kwargs)

    fatal = critical


class LoggerAdapter:
    def __init__(self, logger, extra=None):
        self.logger = logger
        self.extra = extra

    def __getattr__(self, name):
        return getattr(self.logger, name)


root = Logger("root")
root.level = WARNING
_loggers = {}


def getLogger(name=None):
    if not name or name == "root":
        return root
    logger = _loggers.get(name)
    if logger is None:
        above = name.rpartition(".")[0]
        logger = _loggers[name] = Logger(name, getLogger(above) if above else root)
    return logger


def basicConfig(*, level=None, **settings):
    if level is not None:
        root.setLevel(level)


def disable(level=CRITICAL):
    root.setLevel(level + 1)


def debug(msg, *args, **kwargs):
    root.log(DEBUG, msg, *args, **kwargs)


def info(msg, *args, **kwargs):
    root.log(INFO, msg, *args, **kwargs)


def warning(msg, *args, **kwargs):
    root.log(WARNING, msg, *args, **kwargs)


def error(msg, *args, **kwargs):
    root.log(ERROR, msg, *args, **kwargs)


def exception(msg, *args, exc_info=True, **kwargs):
    root.log(ERROR, msg, *args, exc_info=exc_info, **kwargs)


def critical(msg, *args, **kwargs):
    root.log(CRITICAL, msg, *args, **kwargs)
