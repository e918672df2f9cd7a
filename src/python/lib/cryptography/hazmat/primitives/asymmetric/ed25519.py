"""Ed25519 keys with their raw bytes."""

import random

import _ed25519
from cryptography.exceptions import InvalidSignature

__all__ = ["Ed25519PrivateKey", "Ed25519PublicKey"]


class Ed25519PublicKey:
    def __init__(self, raw):
        self._raw = raw

    @classmethod
    def from_public_bytes(cls, data):
        if len(data) != 32:
            raise ValueError("An Ed25519 public key is 32 bytes long")
        return cls(bytes(data))

    def public_bytes_raw(self):
        return self._raw

    def verify(self, signature, data):
        if not _ed25519.verify(self._raw, data, signature):
            raise InvalidSignature


class Ed25519PrivateKey:
    def __init__(self, seed):
        self._seed = seed

    @classmethod
    def generate(cls):
        return cls(random.randbytes(32))

    @classmethod
    def from_private_bytes(cls, data):
        if len(data) != 32:
            raise ValueError("An Ed25519 private key is 32 bytes long")
        return cls(bytes(data))

    def private_bytes_raw(self):
        return self._seed

    def public_key(self):
        return Ed25519PublicKey(_ed25519.public_key(self._seed))

    def sign(self, data):
        return _ed25519.sign(self._seed, data)
