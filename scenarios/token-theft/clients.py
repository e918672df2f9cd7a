"""What happens on the phones, and on the machine of somebody who got at the storage of some of them."""

import asyncio
import random

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

THEFT_AT_S = 1.0
PHONES_ROBBED = 4

_stolen = []


class Session:
    """The tokens one client holds, and what it does with them."""

    def __init__(self, app, ip):
        self.app = app
        self.ip = ip
        self.access = None
        self.refresh = None
        # Made in the phone's secure hardware: it signs, and cannot be copied.
        self.device_key = Ed25519PrivateKey.generate()

    async def login(self, user_id):
        public = self.device_key.public_key().public_bytes_raw().hex()
        answer = await self.app.call("login", {"user_id": user_id, "device_key": public, "ip": self.ip})
        self.access, self.refresh = answer["access_token"], answer["refresh_token"]

    async def orders(self):
        """True when the API served us, if need be with a new access token."""
        answer = await self.app.call("orders", {"access_token": self.access, "ip": self.ip})
        if answer.status == 401 and await self.renew():
            answer = await self.app.call("orders", {"access_token": self.access, "ip": self.ip})
        return answer.ok

    async def renew(self):
        proof = jwt.encode({"refresh_token": self.refresh}, self.device_key, algorithm="EdDSA")
        answer = await self.app.call("refresh", {"refresh_token": self.refresh, "proof": proof, "ip": self.ip})
        if not answer.ok:
            return False
        self.access = answer["access_token"]
        self.refresh = answer["refresh_token"]
        return True


async def phone(app, client):
    user_id = client["id"]
    session = Session(app, ip=f"198.51.100.{user_id % 250}")
    await asyncio.sleep(random.uniform(0, 0.8))
    await session.login(user_id)
    if user_id <= PHONES_ROBBED:
        asyncio.create_task(backup_is_read(session, user_id))
    while True:
        await asyncio.sleep(random.uniform(0.4, 1.6))
        if not await session.orders():
            # The app asks for the password again.
            await session.login(user_id)


async def backup_is_read(session, user_id):
    """Malware copies the app's storage, once: what is in it, not what the hardware keeps."""
    await asyncio.sleep(THEFT_AT_S)
    _stolen.append((user_id, session.refresh))


async def thief(app, client):
    while not _stolen:
        await asyncio.sleep(0.1)
    user_id, token = _stolen.pop()
    session = Session(app, ip="203.0.113.66")
    session.refresh = token
    if not await session.renew():
        return
    while await session.orders():
        await asyncio.sleep(0.5)
