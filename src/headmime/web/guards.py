"""HTTP middleware: allowed host names, and a content security policy."""

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
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
    """Return middleware that rejects host names other than `host` (against DNS rebinding) and
    forbids the browser to contact other machines.
    """
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=[host, "localhost"]),
        Middleware(Headers),
    ]


class Headers:
    """Adds `HEADERS` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                encoded = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]
                message["headers"] = [*message["headers"], *encoded]
            await send(message)

        await self.app(scope, receive, send_with_headers)
