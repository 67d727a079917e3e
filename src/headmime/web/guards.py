"""What stands before the page: who may ask, and what the browser may ask for."""

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
    """Requests by another name than `host` are refused (a page elsewhere could use a name of its
    own for this machine), and the browser is told to ask nobody else for anything.
    """
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=[host, "localhost"]),
        Middleware(Headers),
    ]


class Headers:
    """Adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]
                message["headers"] = [*message["headers"], *named]
            await send(message)

        await self.app(scope, receive, sending)
