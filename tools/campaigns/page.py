"""The page under hostile requests: it goes on, gives nothing away, and returns what it took.

The server is a fork of this process with small networks and small limits. Requests come from a few
raw sockets: wrong types, huge headers, slow and broken uploads, paths out of the folder, foreign
origins, tabs that are opened and closed. A secret lies where no answer may reach.
"""

import json
import os
import random
import re
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from kills import prepare, start, wait, words_of
from mutations import VALUES

MEGABYTES = 2  # limit of a file
GROWTH = 150  # MB that the server may keep after the requests
FILES = 64  # open files, likewise
SECRET = "a secret that must not be read"
WEB = f"web weights=weights/tiny detector=dlib device=cpu port=0 limits.megabytes={MEGABYTES}"
TABS = 50
ORIGINS = ("http://evil.example", "null", "http://127.0.0.1.evil.example")
WAYS = (
    "queue/join", "queue/join", "run/predict", "api/predict", "call/_on_files", "component_server",
    "reset", "cancel", "vibe-edit", "queue/data",
)  # fmt: skip
UP = ("../", "..%2f", "%2e%2e/", "....//", "..\\", "..%5c", "%252e%252e/", "/./../")


@dataclass(frozen=True)
class Server:
    """Where it listens, its process, and the file that must not be read."""

    port: int
    process: int
    secret: Path

    def ask(self, request: bytes, seconds: float = 20.0, pause: float = 0.0) -> bytes:
        """The answer's beginning, empty if the server hangs up; `pause` amid the request."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as connection:
            try:
                half = len(request) // 2 if pause else len(request)
                connection.sendall(request[:half])
                time.sleep(pause)
                connection.sendall(request[half:])
                if not _is_whole(request):  # else the server rightly waits for the rest
                    connection.shutdown(socket.SHUT_WR)
                return _receive(connection)
            except TimeoutError:
                return b"TIMEOUT"
            except OSError:  # it hangs up
                return b""

    def megabytes(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def open_files(self) -> int:
        """Sockets, too."""
        return len(os.listdir(f"/proc/{self.process}/fd"))


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end) and length is not None and len(body) == int(length[1])


def _receive(connection: socket.socket) -> bytes:
    answer = b""
    while len(answer) < 200_000:
        part = connection.recv(65_536)
        answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if not part or (length and len(body) >= int(length[1])) or answer.endswith(b"0\r\n\r\n"):
            break
        if b"text/event-stream" in head and (b"process_completed" in body or b"close_" in body):
            break
    return answer


def request(
    method: str, path: str, body: bytes = b"", host: str = "127.0.0.1", **headers: str
) -> bytes:
    """A request that closes its connection."""
    fields = {"Host": host, "Content-Length": str(len(body)), "Connection": "close"}
    fields |= {name.replace("_", "-"): text for name, text in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def paths(server: Server, chance: random.Random) -> bytes:
    """Files that are not the page's."""
    secret = str(server.secret)
    wanted = chance.choice((secret, "/etc/passwd", f"/proc/{server.process}/environ", "/etc"))
    up = chance.choice(UP) * chance.randrange(1, 12)
    place = chance.choice(
        ("file=", "file/", "static/", "assets/", "svelte/", "custom_component/1/client/component/",
         "stream/x/1/1/", "proxy=http://127.0.0.1:1/", "proxy=file://", "theme.css?", "")
    )  # fmt: skip
    prefix = chance.choice(("/gradio_api/", "/"))
    target = chance.choice((wanted, up + wanted.lstrip("/"), quote(wanted, safe="")))
    return request(chance.choice(("GET", "GET", "HEAD", "POST")), f"{prefix}{place}{target}")


def types(server: Server, chance: random.Random) -> bytes:
    """Calls of the page's functions with wrong arguments, or none."""
    file = {"path": str(server.secret), "meta": {"_type": "gradio.FileData"}, "orig_name": "a.png"}
    values = (*VALUES, file, [file], [[file]], "/etc/passwd")
    call = {
        "fn_index": chance.choice((*range(16), -1, 10**9, "0", None)),
        "data": [chance.choice(values) for _ in range(chance.randrange(8))],
        "session_hash": chance.choice(("abc", "", None, "../../x", "x" * 10_000, 1)),
        "event_data": chance.choice((None, {}, [], "x")),
        "trigger_id": chance.choice((None, 1, "x")),
    }
    for key in list(call):
        if chance.random() < 0.1:
            del call[key]
    body = chance.choice((json.dumps(call), json.dumps(call)[:-3], "[" * 5000, "", "null")).encode()
    way = chance.choice(WAYS)
    return request("POST", f"/gradio_api/{way}", body, Content_Type="application/json")


def headers(server: Server, chance: random.Random) -> bytes:
    """Huge, many, or malformed ones."""
    size = chance.choice((10_000, 70_000, 1_000_000))
    match chance.randrange(4):
        case 0:
            return request("GET", "/", X="x" * size)
        case 1:
            return request("GET", "/", **{f"X{k}": "x" for k in range(size // 100)})
        case 2:
            return request("GET", f"/?{'x' * size}")
    noise = chance.randbytes(chance.choice((10, 1000)))
    return chance.choice((b"GET / HTTP/9.9\r\n\r\n", noise, b"\x00" * 100, b"\r\n" * 1000))


def uploads(server: Server, chance: random.Random) -> bytes:
    """Too large, cut short, without a boundary, with the name of another file."""
    name = chance.choice(
        ("a.png", "../../../x.png", "/etc/passwd", "x" * 300, "\udcff.png", "", "a\0b")
    )
    content = chance.randbytes(chance.choice((0, 10, 1000, 3_000_000)))
    part = (
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode("utf-8", "surrogateescape")
    body = part + content + chance.choice((b"\r\n--b--\r\n", b"", b"\r\n--c--"))
    kind = chance.choice(("multipart/form-data; boundary=b", "multipart/form-data", "text/plain"))
    origin = {"Origin": chance.choice(ORIGINS)} if chance.random() < 0.2 else {}
    whole = request("POST", "/gradio_api/upload", body, Content_Type=kind, **origin)
    return whole[: len(whole) // 2] if chance.random() < 0.2 else whole


def origins(server: Server, chance: random.Random) -> bytes:
    """From another site, or under another name (DNS rebinding)."""
    host = chance.choice(("127.0.0.1", "evil.example", "127.0.0.1.evil.example", "", "[::1]"))
    origin = chance.choice(ORIGINS)
    path = chance.choice(("/", "/config", "/gradio_api/info", "/gradio_api/startup-events"))
    return request(chance.choice(("GET", "OPTIONS")), path, host=host, Origin=origin)


KINDS: dict[str, Callable[[Server, random.Random], bytes]] = {
    "paths": paths, "types": types, "headers": headers, "uploads": uploads, "origins": origins,
}  # fmt: skip


def run(count: int, seed: int, only: str | None = None) -> int:
    """`count` requests; the number of failures."""
    with tempfile.TemporaryDirectory(prefix="headmime-page-") as folder:
        root = Path(folder)
        os.environ["XDG_CONFIG_HOME"] = str(root / "configuration")
        os.environ["TMPDIR"] = str(root / "temporary")
        (root / "temporary").mkdir()
        (root / "secret.png").write_text(SECRET)
        if code := wait(start(root, partial(prepare, root / "samples"))):
            raise SystemExit(f"The samples cannot be made: {code}\n{words_of(root)}")
        process = start(root / "samples", _serve)
        try:
            server = Server(_port(root / "samples", process), process, root / "secret.png")
            failures = _attack(server, count, random.Random(seed), only)
        finally:
            os.kill(process, signal.SIGTERM)
            code = wait(process)
        if left := list((root / "temporary").rglob("*")):
            failures.append(f"after the end these stay: {left[:5]}")
        if code not in (0, 130):
            failures.append(f"it ends with code {code}")
        told = words_of(root / "samples")
    logged = Counter(re.findall(r"^(\w[\w.]*(?:Error|Exception)[^\n]{,80})", told, re.M))
    print(f"the server's log has {told.count('Traceback (most')} tracebacks: {dict(logged)}")
    for failure in failures:
        print(f"  {failure}")
    print(f"{len(failures)} failures")
    return len(failures)


def _serve() -> int:
    from headmime.cli import main as headmime

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return headmime(WEB.split())


def _port(folder: Path, process: int) -> int:
    while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", words_of(folder))):
        if os.waitpid(process, os.WNOHANG)[0]:
            raise SystemExit(f"The page does not start:\n{words_of(folder)}")
        time.sleep(0.1)
    return int(found[1])


def _attack(server: Server, count: int, chance: random.Random, only: str | None) -> list[str]:
    failures: list[str] = []
    for kind in KINDS.values():  # what is loaded at first use is no growth
        for _ in range(5):
            server.ask(kind(server, chance))
    open_tabs(server, 5)
    time.sleep(2)
    memory, files = server.megabytes(), server.open_files()
    codes: Counter[str] = Counter()
    slow = [_half_an_upload(server) for _ in range(20)]  # they stay while the others come
    for number in range(count):
        kind = only or chance.choice(list(KINDS))
        sent = KINDS[kind](server, chance)
        answer = server.ask(sent, pause=0.2 if chance.random() < 0.02 else 0)
        code = answer[9:12].decode(errors="replace") if answer[:5] == b"HTTP/" else "none"
        codes[f"{kind} {code}"] += 1
        failures += _judge(number, kind, sent, answer)
        if number % 100 == 99:
            failures += open_tabs(server, TABS)
            if b"200 OK" not in server.ask(request("GET", "/"))[:20]:
                failures.append(f"the page is gone after request {number}")
                break
    for connection in slow:
        connection.close()
    for _ in range(30):  # tabs are closed, and buffers freed, a little later
        time.sleep(0.5)
        if server.megabytes() < memory + GROWTH and server.open_files() < files + FILES:
            break
    after, files_after = server.megabytes(), server.open_files()
    print(f"{count} requests: {dict(sorted(codes.items()))}")
    print(f"memory {memory:.0f} -> {after:.0f} MB, open files {files} -> {files_after}")
    if after > memory + GROWTH:
        failures.append(f"it keeps {after - memory:.0f} MB")
    if files_after > files + FILES:
        failures.append(f"it keeps {files_after - files} open files")
    return failures


def _judge(number: int, kind: str, sent: bytes, answer: bytes) -> list[str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    line, wrong = sent[:150], []
    if SECRET.encode() in body or b"root:x:0" in body or b"XDG_CONFIG_HOME=" in body:
        wrong.append("it gives a file away")
    if answer == b"TIMEOUT":
        wrong.append("no answer in 20 s")
    if kind == "uploads" and len(sent) > MEGABYTES * 1e6 and head[9:12] == b"200":
        wrong.append("a file above the limit is taken")
    foreign = any(f"Origin: {one}".encode() in sent for one in ORIGINS)
    if foreign and head[9:12] == b"200":
        wrong.append("another site's request is taken")
    if (
        foreign
        and head[9:12] == b"200"
        and re.search(rb"access-control-allow-origin: (\*|http|null)", head, re.I)
    ):
        wrong.append("another site may read the answer")
    return [f"request {number} ({kind}): {what}: {line!r}" for what in wrong]


def _half_an_upload(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), 20)
    kind = "multipart/form-data; boundary=b"
    head = request("POST", "/gradio_api/upload", b"x" * 1_000_000, Content_Type=kind)
    connection.sendall(head[:2000])
    return connection


def open_tabs(server: Server, count: int) -> list[str]:
    """As many as browsers with the page open, closed again: each holds a connection."""
    tabs = []
    for number in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port), 20)
        connection.sendall(request("GET", f"/gradio_api/heartbeat/tab{number}"))
        tabs.append(connection)
    answered = [connection.recv(1000)[9:12] for connection in tabs]
    for connection in tabs:
        connection.close()
    return [] if set(answered) == {b"200"} else [f"of {count} tabs some get {set(answered)}"]
