"""Files by address, https://...#sha256=...: downloaded once, resumed, refused if they differ."""

import fcntl
import json
import os
import re
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from headmime.errors import HeadmimeError
from headmime.files import remove, sha256
from headmime.progress import progress

MIB = 1 << 20
TIMEOUT = 60  # seconds without a byte


def is_address(path: object) -> bool:
    """Whether a key's value is an address and not a file."""
    return str(path).startswith(("https://", "http://"))


def fetch(address: str, key: str, folder: Path | None = None) -> Path:
    """The file at `address`, in `folder` (by default a cache folder of its hash). HeadmimeError,
    naming `key`, without a hash, for another hash, and if it cannot be fetched.
    """
    url, _, expected = address.partition("#sha256=")
    if not re.fullmatch("[0-9a-f]{64}", expected):
        raise HeadmimeError(
            f"{key}={address}: append #sha256= and the 64 digits that `sha256sum` prints for the "
            "file, so that no other file is used in its place."
        )
    import platformdirs  # trainings elsewhere do without it

    folder = folder or platformdirs.user_cache_path("headmime") / "weights" / expected
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / PurePosixPath(unquote(urlsplit(url).path)).name
    partial = folder / f"{file.name}.part"
    if file.is_file():
        return file
    with partial.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # processes of a training all ask for it
        if file.is_file():
            return file
        try:
            _download(url, stream)
        except (OSError, HTTPException, ValueError) as error:
            raise HeadmimeError(
                f"{key}: {url} could not be fetched ({error}). The same command resumes; or fetch "
                f"it elsewhere and give {key}=FILE."
            ) from error
        found = sha256(partial)
        if found != expected:
            remove(partial)
            raise HeadmimeError(
                f"{key}: the file at {url} has the sha256 {found}, not {expected}; it was not used."
            )
        os.replace(partial, file)
    return file


def fetch_checkpoint(address: str, key: str) -> Path:
    """The stem of a checkpoint whose .json is at `address`. The JSON holds the hash of the tensors,
    which are beside it, so that its own hash vouches for both.
    """
    url = address.partition("#sha256=")[0]
    if not url.endswith(".json"):
        raise HeadmimeError(
            f"{key}={address}: give the address and the sha256 of the checkpoint's .json, which "
            "holds the hash of the .safetensors beside it."
        )
    description = fetch(address, key)
    try:
        tensors = json.loads(description.read_text())["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise HeadmimeError(
            f"{key}={address} is not a headmime checkpoint description: {error}."
        ) from error
    beside = f"{url.removesuffix('.json')}.safetensors#sha256={tensors}"
    fetch(beside, key, description.parent)
    return description.with_suffix("")


def _download(url: str, stream: BinaryIO) -> None:
    """Append to `stream` what it lacks of the file at `url`."""
    done = stream.seek(0, os.SEEK_END)
    request = Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urlopen(request, timeout=TIMEOUT)
    except HTTPError as error:
        if error.code == 416:  # there is no more of it
            return
        raise
    with answer, progress(f"{url.rpartition('/')[2]} (MiB)") as on_step:
        if done and answer.status != 206:  # the server sends all of it
            done = 0
            stream.truncate(0)
        length = answer.headers["Content-Length"]
        total = None if length is None else done + int(length)
        while block := answer.read(MIB):
            stream.write(block)
            done += len(block)
            on_step(done // MIB, None if total is None else total // MIB)
        stream.flush()
    if total is not None and done < total:
        raise OSError(f"the connection ended after {done:,} of {total:,} bytes")
