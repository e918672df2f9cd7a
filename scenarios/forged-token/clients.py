"""Customers with tokens of the identity provider, and one who makes his own out of what is public."""

import asyncio
import random
import time

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The identity provider's key pair. The private half never leaves it; the public half is on its website.
PROVIDER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PROVIDER.public_key().public_bytes_raw()
KEY_ID = "provider-2026"

OWN = "198.51.100.7"
FORGER = "203.0.113.66"


def issued(customer_id, audience="shop-api", lives_s=300):
    """What the identity provider signs."""
    now = int(time.time())
    claims = {
        "iss": "https://login.example", "aud": audience, "sub": str(customer_id), "iat": now - 1, "exp": now + lives_s,
    }
    return jwt.encode(claims, PROVIDER, algorithm="EdDSA", headers={"kid": KEY_ID})


async def customer(app, client):
    token = issued(client["id"])
    while True:
        await asyncio.sleep(random.expovariate(1 / 1.2))
        await app.call("orders", {"token": token, "ip": OWN})


async def forger(app, client):
    """Four ways in, one after the other, again and again."""
    attempts = [unsigned, signed_with_the_public_key, meant_for_somebody_else, long_expired]
    while True:
        for attempt in attempts:
            await asyncio.sleep(random.expovariate(1 / 0.25))
            victim = random.randint(1, 40)
            await app.call("orders", {"token": attempt(victim), "ip": FORGER})


def unsigned(victim):
    """A token that says of itself that it needs no signature."""
    now = int(time.time())
    claims = {"iss": "https://login.example", "aud": "shop-api", "sub": str(victim), "iat": now, "exp": now + 300}
    return jwt.encode(claims, None, algorithm="none", headers={"kid": KEY_ID})


def signed_with_the_public_key(victim):
    """HS256 takes any bytes for a secret. The public key is bytes, and everybody has it."""
    now = int(time.time())
    claims = {"iss": "https://login.example", "aud": "shop-api", "sub": str(victim), "iat": now, "exp": now + 300}
    return jwt.encode(claims, PUBLIC, algorithm="HS256", headers={"kid": KEY_ID})


def meant_for_somebody_else(victim):
    """A real token that the victim gave to another service of the same provider: the forger runs that service."""
    return issued(victim, audience="newsletter")


def long_expired(victim):
    """A real token from an old log file."""
    return issued(victim, lives_s=-60)
