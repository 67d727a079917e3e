"""HTTP middleware: allowed host names and origins, and a content security policy."""

from starlette.datastructures import Headers as RequestHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
        "connect-src 'self' data: blob:; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


def guards(host: str) -> list[Middleware]:
    """Return middleware that rejects host names other than `host` (against DNS rebinding), rejects
    requests that other sites' pages send, and forbids the browser to contact other machines.
    """
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=[host, "localhost"]),
        Middleware(Guard),
    ]


class Guard:
    """Refuses requests whose origin is another site, since a browser sends uploads and forms
    anywhere; adds `HEADERS` to every response.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                encoded = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]
                message["headers"] = [*message["headers"], *encoded]
            await send(message)

        app = self.app
        if scope["type"] == "http":
            headers = RequestHeaders(scope=scope)
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2] != headers.get("host"):
                app = PlainTextResponse("Invalid origin", status_code=403)
        await app(scope, receive, send_with_headers)
