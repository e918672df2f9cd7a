"""What is left of the operating system: an empty environment and random bytes that follow the run's seed."""

from _twoam import random_bytes as urandom

name = "posix"
sep = "/"
linesep = "\n"
environ = {}


def getenv(key, default=None):
    return environ.get(key, default)


def getpid():
    return 1


def fspath(path):
    return path if isinstance(path, (str, bytes)) else path.__fspath__()
