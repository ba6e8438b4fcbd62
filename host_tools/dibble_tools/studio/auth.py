"""Who may talk to the studio: pages it served itself, in a browser of who started it.

Others who work on this computer can reach 127.0.0.1 too: so each request carries a token that only the address has
which `dibble studio` prints, as Jupyter's does. Opened once, it becomes a cookie that no script reads.

A page elsewhere can make a browser send requests to 127.0.0.1, and by DNS rebinding even read the answers. The first
carry that page's Origin, the second its name as Host: both are refused. So is a POST that isn't JSON, which a form of
any page could send without asking.
"""

import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES = 65536
NAMES = ("127.0.0.1", "localhost")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware that refuses what no page of the studio sends, and forbids pages whatever they don't need.

    Args:
        app: what it guards.
        port: of the studio.
        token: that its address carries.
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app = app
        self._token = token
        self._cookie = f"dibble-studio-{port}"  # a browser keeps one jar for all ports
        self._hosts = frozenset(f"{name}:{port}" for name in NAMES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 403, 413 or 415."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        opened = scope["method"] == "GET" and scope["path"] == "/" and self._is_token(_queried(scope))
        refusal = self._refusal(scope["method"], headers, opened)
        app = self._app if refusal is None else refusal

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", POLICY)
                if opened and refusal is None:
                    headers["Set-Cookie"] = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            await send(message)

        await app(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers, opened: bool) -> PlainTextResponse | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return _refuse(403, f"expected one of the hosts {_listed(self._hosts)}, got {hosts}")
        if any(not self._is_own(origin) for origin in origins):
            return _refuse(403, f"expected a page of this studio, got one of {origins}")
        if not opened and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _refuse(403, "expected a page of this studio, got another site's")
        if not opened and not any(map(self._is_token, self._carried(headers))):
            return _refuse(403, "expected the studio's token: open the address that `dibble studio` printed")
        if method == "POST":
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return _refuse(415, "expected application/json")
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
                return _refuse(413, f"expected a stated length of at most {MOST_BODY_BYTES} bytes")
        return None

    def _carried(self, headers: Headers) -> list[str]:
        """Return what stands where a token may: in the cookie, or after the word token."""
        found = [value[6:] for value in headers.getlist("authorization") if value[:6].lower() == "token "]
        for text in headers.getlist("cookie"):
            try:
                morsel = SimpleCookie(text).get(self._cookie)
            except CookieError:
                continue
            found += [morsel.value] if morsel else []
        return found

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self._token.encode())

    def _is_own(self, origin: str) -> bool:
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.netloc.lower() in self._hosts


def _queried(scope: Scope) -> str:
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1"), max_num_fields=4).get("token", [""])[0] if len(query) < 200 else ""


def _refuse(status: int, text: str) -> PlainTextResponse:
    return PlainTextResponse(text, status)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
