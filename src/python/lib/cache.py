"""The client of the shared cache, with the methods and parameters of redis-py's asyncio client (`decode_responses=True`)."""

from _twoam import service_wait

__all__ = ["CacheError", "CacheTimeout", "CacheUnavailable", "config_set", "delete", "get", "set", "ttl"]


class CacheError(Exception):
    """The cache did not do what was asked; `body` is what it said."""

    def __init__(self, message="", body=None):
        super().__init__(message)
        self.body = body


class CacheUnavailable(CacheError):
    """The cache could not be reached: nothing happened."""


class CacheTimeout(CacheError):
    """No answer came in time."""


async def get(key):
    """The text under `key`, or None."""
    return await service_wait("cache", "get", {"key": key})


async def set(key, value, *, ex=None, px=None, nx=False):
    """Keeps `value` for `ex` seconds or `px` milliseconds. With `nx` only if there is none: True when it was kept, else None."""
    if ex is not None:
        px = ex * 1000
    kept = await service_wait("cache", "set", {"key": key, "value": str(value), "px": px, "nx": nx})
    return True if kept else None


async def delete(key):
    """How many keys went, 0 or 1."""
    return await service_wait("cache", "delete", {"key": key})


async def ttl(key):
    """Seconds left; -1 for a key that never expires, -2 for none."""
    left_ms = await service_wait("cache", "ttl", {"key": key})
    return left_ms if left_ms < 0 else (left_ms + 500) // 1000


async def config_set(*, maxmemory):
    """The memory limit in bytes. At it, the keys used longest ago make room."""
    return await service_wait("cache", "config_set", {"maxmemory": maxmemory})
