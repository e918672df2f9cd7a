"""Users, somebody who found the signing key, and the person on call."""

import asyncio
import random
import time

import jwt

# In the repository since the first commit, in `.env`, which was meant to be ignored.
FOUND_IN_THE_REPOSITORY = "s3cr3t-jwt-key-2024"
LEAK_AT_S = 1.5
NOTICED_AT_S = 4.0


async def user(app, client):
    answer = await app.call("login", {"user_id": client["id"]})
    while True:
        await asyncio.sleep(random.expovariate(1 / 0.6))
        served = await app.call("profile", {"token": answer["token"], "ip": "198.51.100.7"})
        if served.status == 401:
            # The app logs in again with what the operating system keeps for it.
            answer = await app.call("login", {"user_id": client["id"]})


async def forger(app, vault, client):
    """Signs for whomever he likes: with the key from the repository, and with the one a debug log has shown."""
    await asyncio.sleep(LEAK_AT_S)
    secret = await vault.get_secret("token-signing")
    leaked = secret["versions"][0]
    while True:
        for key, headers in [(FOUND_IN_THE_REPOSITORY, None), (leaked["value"], {"kid": str(leaked["version"])})]:
            await asyncio.sleep(random.expovariate(1 / 0.4))
            now = int(time.time())
            claims = {"sub": str(random.randint(1, 50)), "aud": "shop-api", "iat": now, "exp": now + 3600}
            token = jwt.encode(claims, key, algorithm="HS256", headers=headers)
            await app.call("profile", {"token": token, "ip": "203.0.113.66"})


async def on_call(app, vault, client):
    """Notices the leak and does what can be done without a deploy."""
    await asyncio.sleep(NOTICED_AT_S)
    await app.call("open_incident", {"what": "signing key leaked"})
    secret = await vault.rotate("token-signing")
    for version in secret["versions"]:
        if version["state"] == "previous":
            await vault.revoke("token-signing", version["version"])
