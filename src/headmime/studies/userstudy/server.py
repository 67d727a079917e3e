"""Web server of a study, on 127.0.0.1 only.

    GET  /                     the page         GET /picture/<name>.png   an image
    GET  /api/study            description of the study
    POST /api/begin            {"annotator": code or "", "consent": true}
    POST /api/next             {"annotator"} -> the next triplet, or none
    POST /api/answer           {"annotator", "triplet", "picked", "milliseconds"}
    POST /api/withdraw         {"annotator"}: deletes the answers

No response distinguishes generated images from real ones, not even after the answer. Caching is
disabled. Requests with another host name, or from a page of another origin, are rejected.
"""

import json
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

from headmime.errors import HeadmimeError
from headmime.studies.userstudy.answers import FILE, AlreadyAnswered, Answers, Withdrawn
from headmime.studies.userstudy.study import Study, image_path, load_study

HOST = "127.0.0.1"
PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/study.css": ("study.css", "text/css; charset=utf-8"),
    "/study.js": ("study.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MAX_REQUEST = 4096  # bytes
CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without ambiguous ones


class RequestError(Exception):
    """An HTTP error response with a status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


REFUSALS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    AlreadyAnswered: (HTTPStatus.CONFLICT, "This triplet has been answered."),
    KeyError: (HTTPStatus.UNAUTHORIZED, "This code has not begun: start at the first page."),
    Withdrawn: (
        HTTPStatus.GONE,
        "The answers under this code were deleted; begin with another.",
    ),
}
"""Responses to errors of `Answers`."""


class StudyServer(ThreadingHTTPServer):
    """Serves the study in `folder` to any number of annotators; `port` 0: a free one.

    `consent`: paragraphs that replace the page's own about stored data.
    """

    daemon_threads = True

    def __init__(self, folder: Path | str, port: int = 0, consent: str = "") -> None:
        self.folder = Path(folder)
        self.study: Study = load_study(folder)
        self.answers = Answers(self.folder / FILE, self.study.hash)
        self.consent = [" ".join(text.split()) for text in consent.split("\n\n") if text.strip()]
        self.names = {name for triplet in self.study.triplets for name in triplet.images}
        try:
            super().__init__((HOST, port), Handler)
        except OSError as error:
            raise HeadmimeError(
                f"Port {port} cannot be used ({error.strerror}): give another one by port=."
            ) from error

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    """Handles one request."""

    server: StudyServer  # pyright: ignore[reportIncompatibleVariableOverride]  (who makes it)
    server_version, sys_version = "headmime", ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Serve the page, an image, or the description of the study."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Handle a JSON request of the page."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: answers stay anonymous while the study runs."""

    def _answer(self, respond: Callable[[], tuple[bytes, str]]) -> None:
        try:
            self._check_origin()
            content, kind = respond()
            status = HTTPStatus.OK
        except RequestError as error:
            self.close_connection = True  # the request body may be unread
            status = error.status
            content, kind = _json({"error": str(error)})
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _check_origin(self) -> None:
        """Reject other host names (DNS rebinding) and cross-origin requests."""
        port = self.server.server_port
        own = {f"{name}:{port}" for name in (HOST, "localhost")}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in own or (
            origin is not None and origin not in {f"http://{name}" for name in own}
        ):
            raise RequestError(HTTPStatus.FORBIDDEN, f"Open the study at {self.server.url}")

    def _get(self) -> tuple[bytes, str]:
        if self.path in PAGE:
            name, kind = PAGE[self.path]
            return (files("headmime.studies.userstudy") / "page" / name).read_bytes(), kind
        if self.path == "/api/study":
            study = self.server.study
            return _json(
                {
                    "title": study.title,
                    "triplets": len(study.triplets),
                    "size": study.size,
                    "sequences": study.sequences,
                    "consent": self.server.consent,
                }
            )
        name = self.path.removeprefix("/picture/").removesuffix(".png")
        if self.path != f"/picture/{name}.png" or name not in self.server.names:
            raise RequestError(HTTPStatus.NOT_FOUND, "There is nothing here.")
        return image_path(self.server.folder, name).read_bytes(), "image/png"

    def _post(self) -> tuple[bytes, str]:
        actions = {
            "/api/begin": self._begin,
            "/api/next": self._next,
            "/api/answer": self._add,
            "/api/withdraw": self._withdraw,
        }
        if self.path not in actions:
            raise RequestError(HTTPStatus.NOT_FOUND, "There is nothing here.")
        request = self._request()
        try:
            return _json(actions[self.path](request))
        except tuple(REFUSALS) as error:
            raise RequestError(*REFUSALS[type(error)]) from None

    def _request(self) -> dict[str, Any]:
        try:
            length = int(self.headers.get("Content-Length", ""))
            request = json.loads(self.rfile.read(length)) if 0 < length <= MAX_REQUEST else None
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise RequestError(HTTPStatus.BAD_REQUEST, "Invalid request.")
        return request

    def _begin(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("consent") is not True:
            raise RequestError(HTTPStatus.BAD_REQUEST, "Without consent nothing begins.")
        code = str(request.get("annotator") or "").strip()
        if not code:
            code = "".join(secrets.choice(CODE_LETTERS) for _ in range(6))
        if not CODE.fullmatch(code):
            raise RequestError(
                HTTPStatus.BAD_REQUEST, "A code is up to 32 letters (a to z), digits, - and _."
            )
        self.server.answers.begin(code)
        return {"annotator": code, "done": len(self.server.answers.answered(code))}

    def _next(self, request: dict[str, Any]) -> dict[str, Any]:
        annotator = str(request.get("annotator"))
        done = self.server.answers.answered(annotator)
        trials = self.server.study.schedule(annotator)
        left = [trial for trial in trials if trial.triplet not in done]
        progress = {"done": len(done), "triplets": len(trials)}
        if not left:
            return progress
        trial = left[0]
        return progress | {
            "triplet": trial.triplet,
            "pictures": [f"/picture/{name}.png" for name in trial.images],
            "pause": trial.pause_ms,
        }

    def _add(self, request: dict[str, Any]) -> dict[str, Any]:
        annotator = str(request.get("annotator"))
        self.server.answers.answered(annotator)  # has begun
        triplet = self.server.study.by_id.get(str(request.get("triplet")))
        picked = str(request.get("picked")).removeprefix("/picture/").removesuffix(".png")
        milliseconds = request.get("milliseconds")
        if (
            triplet is None
            or picked not in triplet.images
            or type(milliseconds) is not int
            or not 0 <= milliseconds < 2**53
        ):
            raise RequestError(
                HTTPStatus.BAD_REQUEST, "This is no answer to a triplet of the study."
            )
        self.server.answers.add(annotator, triplet.id, picked, milliseconds)
        return {}

    def _withdraw(self, request: dict[str, Any]) -> dict[str, Any]:
        self.server.answers.withdraw(str(request.get("annotator")))
        return {}


def _json(content: dict[str, Any]) -> tuple[bytes, str]:
    return json.dumps(content).encode(), "application/json"
