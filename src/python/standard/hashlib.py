"""Secure hashes."""

from _hashes import new as _new

algorithms_guaranteed = algorithms_available = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}


def new(name, data=b"", *, usedforsecurity=True):
    return _new(name.lower().replace("-", ""), data)


def md5(data=b"", *, usedforsecurity=True):
    return _new("md5", data)


def sha1(data=b"", *, usedforsecurity=True):
    return _new("sha1", data)


def sha224(data=b"", *, usedforsecurity=True):
    return _new("sha224", data)


def sha256(data=b"", *, usedforsecurity=True):
    return _new("sha256", data)


def sha384(data=b"", *, usedforsecurity=True):
    return _new("sha384", data)


def sha512(data=b"", *, usedforsecurity=True):
    return _new("sha512", data)
