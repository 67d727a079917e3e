"""Weights by address, from a server of this machine."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headmime.animate.model import load, weights_stem
from headmime.errors import HeadmimeError
from headmime.nets import build_nets
from headmime.nets.checkpoint import save_nets
from headmime.nets.shape import ModelShape
from headmime.pretrained.fetch import fetch
from headmime.pretrained.weights import require_file

CONTENT = bytes(range(256)) * 4000


class Server(http.server.ThreadingHTTPServer):
    """Serves `folder`; notes the ranges that are asked for; breaks off after `broken` bytes."""

    def __init__(self, folder: Path, ranges: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.ranges, self.broken = folder, ranges, None
        self.asked: list[tuple[str, str | None]] = []

    def address(self, name: str, content: bytes) -> str:
        digits = hashlib.sha256(content).hexdigest()
        return f"http://127.0.0.1:{self.server_port}/files/{name}?v=1#sha256={digits}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name, wanted = self.path.split("?")[0], self.headers["Range"]
        self.server.asked.append((name, wanted))
        file = self.server.folder / Path(name).name
        if not file.is_file():
            return self.send_error(404)
        content, start = file.read_bytes(), 0
        if wanted and self.server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.broken])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "net.pth").write_bytes(CONTENT)
    with Server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_it_is_fetched_once(server: Server) -> None:
    address = server.address("net.pth", CONTENT)
    for _ in range(2):
        file = require_file(address, "perceptual.vgg19", "a network")
        assert (file.name, file.read_bytes()) == ("net.pth", CONTENT)
    assert server.asked == [("/files/net.pth", None)]


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on(server: Server, ranges: bool, cache: Path) -> None:
    server.ranges, server.broken = ranges, 5000
    address = server.address("net.pth", CONTENT)
    with pytest.raises(HeadmimeError, match="weights: .* ended after 5,000 of .* resumes"):
        fetch(address, "weights")
    server.broken = None
    assert fetch(address, "weights").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=5000-"]
    assert [file.name for file in cache.rglob("*") if file.is_file()] == ["net.pth"]


def test_all_of_it_but_its_name_was_there(server: Server, cache: Path) -> None:
    """Stopped between the last byte and the renaming."""
    address = server.address("net.pth", CONTENT)
    folder = cache / "weights" / hashlib.sha256(CONTENT).hexdigest()
    folder.mkdir(parents=True)
    (folder / "net.pth.part").write_bytes(CONTENT)
    assert fetch(address, "weights").read_bytes() == CONTENT


def test_another_file_is_refused_and_not_kept(server: Server, cache: Path) -> None:
    address = server.address("net.pth", b"what was published")
    with pytest.raises(HeadmimeError, match="scorers.identity.file: .* has the sha256 .* not "):
        fetch(address, "scorers.identity.file")
    assert not [file for file in cache.rglob("*") if file.is_file()]


def test_without_a_hash_without_a_file_and_without_a_server(server: Server) -> None:
    address = server.address("net.pth", CONTENT)
    for wrong in (address.partition("#")[0], address[:-1]):
        with pytest.raises(HeadmimeError, match="append #sha256="):
            fetch(wrong, "weights")
    with pytest.raises(HeadmimeError, match=r"could not be fetched .*404.* weights=FILE"):
        fetch(server.address("no.pth", b""), "weights")
    with pytest.raises(HeadmimeError, match="could not be fetched .*refused"):
        fetch(f"http://127.0.0.1:9/net.pth#sha256={'0' * 64}", "weights")


def test_a_checkpoint_is_fetched_by_the_hash_of_its_json(server: Server, tmp_path: Path) -> None:
    shape = ModelShape(16, 4, 8, 2, 1, 8, 8)
    record = {"detector": "dlib", "origin": {}}
    description = save_nets(server.folder / "nets", build_nets(shape), shape, record)
    text = description.read_bytes()
    address = server.address("nets.json", text).replace("?v=1", "")
    model = load(address, device="cpu")
    assert (model.shape, model.sha256) == (shape, json.loads(text)["sha256"])
    assert load(address, device="cpu").sha256 == model.sha256
    assert [name for name, _ in server.asked] == ["/files/nets.json", "/files/nets.safetensors"]
    with pytest.raises(HeadmimeError, match=r"sha256 of the checkpoint's \.json"):
        weights_stem(address.replace(".json", ".safetensors"))


def test_changed_tensors_are_refused(server: Server) -> None:
    shape = ModelShape(16, 4, 8, 2, 1, 8, 8)
    record = {"detector": "dlib", "origin": {}}
    description = save_nets(server.folder / "nets", build_nets(shape), shape, record)
    tensors = server.folder / "nets.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"x")
    address = server.address("nets.json", description.read_bytes()).replace("?v=1", "")
    with pytest.raises(HeadmimeError, match="init: .* has the sha256"):
        weights_stem(address, "init")
