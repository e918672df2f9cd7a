"""The part of httpx's asynchronous client that handlers need. A URL's host names one of the scenario's services."""

import asyncio
import json as _json

from _twoam import service_wait

__all__ = [
    "AsyncClient", "ConnectError", "HTTPError", "HTTPStatusError", "ReadTimeout", "RequestError", "Response",
    "TimeoutException", "TransportError",
]

_UNSET = object()


class HTTPError(Exception):
    """Whatever goes wrong with a request."""

    def __init__(self, message="", body=None):
        super().__init__(message)
        self.body = body


class RequestError(HTTPError):
    """The request got no response."""


class TransportError(RequestError):
    """It got none because of the way there or back."""


class TimeoutException(TransportError):
    """It took too long."""


class ReadTimeout(TimeoutException):
    """No response came in time. The other side may have done what was asked, or may yet do it."""


class ConnectError(TransportError):
    """Nobody listens there: nothing happened."""


class _ServerError(HTTPError):
    """The service fell over; a caller sees a response with status 503."""


class HTTPStatusError(HTTPError):
    """`raise_for_status` on a response of 400 or above."""

    def __init__(self, message, *, response):
        super().__init__(message)
        self.response = response


class Response:
    def __init__(self, status_code, content, url):
        self.status_code = status_code
        self._content = content
        self.url = url

    @property
    def is_success(self):
        return 200 <= self.status_code < 300

    @property
    def is_error(self):
        return self.status_code >= 400

    @property
    def text(self):
        return "" if self._content is None else _json.dumps(self._content)

    def json(self):
        return self._content

    def raise_for_status(self):
        if self.is_error:
            kind = "Client" if self.status_code < 500 else "Server"
            message = f"{kind} error '{self.status_code}' for url '{self.url}'"
            raise HTTPStatusError(message, response=self)
        return self

    def __repr__(self):
        return f"<Response [{self.status_code}]>"


class AsyncClient:
    def __init__(self, *, base_url="", headers=None, timeout=5.0):
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers or {})
        self._timeout = timeout

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return None

    async def aclose(self):
        return None

    async def get(self, url, *, headers=None, timeout=_UNSET):
        return await self.request("GET", url, headers=headers, timeout=timeout)

    async def post(self, url, *, json=None, headers=None, timeout=_UNSET):
        return await self.request("POST", url, json=json, headers=headers, timeout=timeout)

    async def put(self, url, *, json=None, headers=None, timeout=_UNSET):
        return await self.request("PUT", url, json=json, headers=headers, timeout=timeout)

    async def delete(self, url, *, headers=None, timeout=_UNSET):
        return await self.request("DELETE", url, headers=headers, timeout=timeout)

    async def request(self, method, url, *, json=None, headers=None, timeout=_UNSET):
        if timeout is _UNSET:
            timeout = self._timeout
        if "://" not in url:
            url = self._base_url + url
        scheme, _, rest = url.partition("://")
        if scheme not in ("http", "https") or not rest:
            raise RequestError(f"{url!r} has no host: give the client a base_url or write http://service/path")
        host, _, path = rest.partition("/")
        sent = {name.lower(): str(value) for name, value in {**self._headers, **(headers or {})}.items()}
        call = service_wait(host, method.lower(), {"path": "/" + path, "json": json, "headers": sent})
        try:
            async with asyncio.timeout(timeout):
                answer = await call
        except TimeoutError:
            raise ReadTimeout(f"no response from {host} within {timeout} s") from None
        except _ServerError:
            return Response(503, {"error": "service unavailable"}, url)
        return Response(answer["status"], answer["json"], url)


client = AsyncClient()
