"""The service as its clients see it. For clients' scripts: a handler has no use for it."""

import asyncio

from _twoam import service_wait

__all__ = ["Response", "call"]


class Response:
    """What came back: the HTTP status and the body."""

    def __init__(self, answer):
        self.status = answer["status"]
        self.body = answer.get("body")

    @property
    def ok(self):
        return self.status < 400

    def __getitem__(self, name):
        return self.body[name]

    def __repr__(self):
        return f"<Response {self.status}>"


async def call(endpoint, parameters=None, *, timeout=None):
    """Sends a request. After `timeout` seconds it raises TimeoutError; what was sent stays sent."""
    async with asyncio.timeout(timeout):
        return Response(await service_wait("app", endpoint, parameters or {}))
