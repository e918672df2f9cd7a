"""A web browser, as far as security is concerned: origins and sites, cookies, storage, the scripts of a page, and what one site may do
to another. For clients' scripts.

A path names the handler it goes to: `https://api.shop.example/send_points` is the handler `send_points`, which gets `method`, `headers`
(lower-case names), `cookies`, `body` (a text) and `ip`. Of its answer the browser heeds `set_cookie`, and the `html` of a page.
"""

import base64
import hashlib
import json as _json
import re

__all__ = ["Blocked", "Browser", "Page", "Response", "Script", "origin_of", "site_of"]

_SCRIPT = re.compile(r"<script\s([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z-]+)\s*=\s*\"([^\"]*)\"", re.IGNORECASE)

# A form may send these anywhere without asking; anything else is asked for first.
_SIMPLE_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_SIMPLE_HEADERS = ("accept", "accept-language", "content-language", "content-type")


class Blocked(Exception):
    """The browser did not do it."""


class Script:
    """What lies at a script's URL: its text, which an integrity hash covers, and what it does in a page."""

    def __init__(self, text, run=None):
        self.text = text
        self.run = run

    @property
    def integrity(self):
        return "sha256-" + base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()


class Cookie:
    """One cookie, from the text of a `Set-Cookie` header."""

    def __init__(self, text, host):
        pair, *attributes = [part.strip() for part in text.split(";")]
        self.name, _, self.value = pair.partition("=")
        self.host = host
        self.http_only = self.secure = False
        # What a browser assumes today where nothing is said.
        self.same_site = "lax"
        for attribute in attributes:
            name, _, value = attribute.partition("=")
            if name.lower() == "httponly":
                self.http_only = True
            elif name.lower() == "secure":
                self.secure = True
            elif name.lower() == "samesite":
                self.same_site = value.lower()
            elif name.lower() == "domain":
                self.host = value.lstrip(".")

    @property
    def is_accepted(self):
        return self.same_site != "none" or self.secure

    def goes_to(self, host):
        return host == self.host or host.endswith("." + self.host)


class Response:
    """What a page's script gets to see."""

    def __init__(self, answer):
        self.status = answer.status
        self.body = answer.body

    @property
    def ok(self):
        return self.status < 400

    def __getitem__(self, name):
        return self.body[name]


class Browser:
    """One person's browser. `web` is what lies elsewhere on the web: scripts by URL. `allows` is which origins the service's API
    answers to when it is asked before a cross-origin call."""

    def __init__(self, app, *, ip, web=None, allows=()):
        self._app = app
        self._ip = ip
        self._web = {} if web is None else web
        self._allows = tuple(allows)
        self._cookies = {}
        self._storage = {}

    async def open(self, url):
        """Types the address, or follows a link: a page of the service, with its scripts run."""
        page = Page(self, origin_of(url))
        answer = await self._send(url, "GET", {}, "", from_origin=page.origin, navigates=True)
        html = answer.body.get("html", "") if isinstance(answer.body, dict) else ""
        await page._run_scripts(html)
        return page

    def visit(self, origin):
        """A page of somebody else's, where nothing of the service's runs."""
        return Page(self, origin)

    async def _send(self, url, method, headers, body, *, from_origin, navigates=False, credentials=True):
        host = _host(url)
        cookies = {}
        if credentials:
            for cookie in self._cookies.values():
                if cookie.goes_to(host) and self._may_go(cookie, url, from_origin, method, navigates):
                    cookies[cookie.name] = cookie.value
        headers = {name.lower(): value for name, value in headers.items()}
        if method != "GET" or from_origin != origin_of(url):
            headers["origin"] = from_origin
        headers["sec-fetch-site"] = _fetch_site(from_origin, url)
        endpoint = url.partition("://")[2].partition("/")[2].partition("?")[0]
        request = {"method": method, "headers": headers, "cookies": cookies, "body": body, "ip": self._ip}
        answer = await self._app.call(endpoint, request)
        if credentials and isinstance(answer.body, dict):
            set_cookie = answer.body.get("set_cookie") or []
            for text in [set_cookie] if isinstance(set_cookie, str) else set_cookie:
                cookie = Cookie(text, host)
                if cookie.is_accepted:
                    self._cookies[cookie.name, cookie.host] = cookie
        return answer

    def _may_go(self, cookie, url, from_origin, method, navigates):
        if cookie.same_site == "none" or site_of(from_origin) == site_of(url):
            return True
        # Lax: only where the user goes there, and only to look.
        return cookie.same_site == "lax" and navigates and method == "GET"


class Page:
    """A page that is open. What its scripts can do, they do with the rights of its origin."""

    def __init__(self, browser, origin):
        self._browser = browser
        self.origin = origin

    @property
    def local_storage(self):
        return self._browser._storage.setdefault(self.origin, {})

    @property
    def cookie(self):
        """`document.cookie`: what scripts may read."""
        host = _host(self.origin)
        cookies = [cookie for cookie in self._browser._cookies.values() if cookie.goes_to(host) and not cookie.http_only]
        return "; ".join([f"{cookie.name}={cookie.value}" for cookie in cookies])

    async def fetch(self, url, *, method="POST", json=None, headers=None, credentials="same-origin"):
        """A script's call. To another origin it is asked for first, and carries cookies only with `credentials="include"`."""
        headers = dict(headers or {})
        body = ""
        if json is not None:
            headers.setdefault("Content-Type", "application/json")
            body = _json.dumps(json)
        same_origin = origin_of(url) == self.origin
        if not same_origin and self.origin not in self._browser._allows:
            if not _is_simple(headers):
                raise Blocked(f"{origin_of(url)} does not allow calls from {self.origin}")
        with_cookies = credentials == "include" or (credentials == "same-origin" and same_origin)
        answer = await self._browser._send(
            url, method, headers, body, from_origin=self.origin, credentials=with_cookies
        )
        if not same_origin and self.origin not in self._browser._allows:
            raise Blocked(f"{origin_of(url)} does not let {self.origin} read its answers")
        return Response(answer)

    async def submit_form(self, url, body, *, enctype="application/x-www-form-urlencoded"):
        """Sends a form: the user leaves for that page, so nobody is asked and nobody reads the answer."""
        headers = {"Content-Type": enctype}
        await self._browser._send(url, "POST", headers, body, from_origin=self.origin, navigates=True)

    async def _run_scripts(self, html):
        for tag in _SCRIPT.findall(html):
            attributes = dict(_ATTRIBUTE.findall(tag))
            script = self._browser._web.get(attributes.get("src"))
            if script is None or script.run is None:
                continue
            if attributes.get("integrity", script.integrity) == script.integrity:
                await script.run(self)


def origin_of(url):
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def site_of(url):
    """Scheme and registrable domain, for domains like `shop.example`."""
    scheme = url.partition("://")[0]
    return f"{scheme}://{'.'.join(_host(url).split('.')[-2:])}"


def _host(url):
    return url.partition("://")[2].partition("/")[0]


def _fetch_site(from_origin, url):
    if from_origin == origin_of(url):
        return "same-origin"
    return "same-site" if site_of(from_origin) == site_of(url) else "cross-site"


def _is_simple(headers):
    for name, value in headers.items():
        if name.lower() not in _SIMPLE_HEADERS:
            return False
        if name.lower() == "content-type" and value.partition(";")[0] not in _SIMPLE_TYPES:
            return False
    return True
