"""The client of the secrets manager."""

from _twoam import service_wait

__all__ = ["VaultError", "VaultTimeout", "VaultUnavailable", "get_secret", "revoke", "rotate"]


class VaultError(Exception):
    """The vault did not do what was asked; `body` is what it said."""

    def __init__(self, message="", body=None):
        super().__init__(message)
        self.body = body


class VaultUnavailable(VaultError):
    """The vault could not be reached."""


class VaultTimeout(VaultError):
    """No answer came in time."""


async def get_secret(name):
    """`{"name", "versions": [{"version", "state": "current" | "previous", "value"}]}`, the current version first."""
    return await service_wait("vault", "get_secret", {"name": name})


async def rotate(name):
    """Makes a new current version; the one before stays as `previous`, older ones are revoked."""
    return await service_wait("vault", "rotate", {"name": name})


async def revoke(name, version):
    """Ends a version at once."""
    return await service_wait("vault", "revoke", {"name": name, "version": version})
