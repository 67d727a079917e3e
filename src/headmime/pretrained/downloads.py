"""Weights of scorers: a local file, or a download that the user has requested."""

from pathlib import Path
from urllib.error import URLError

import torch

from headmime.errors import HeadmimeError
from headmime.pretrained.weights import require_file

DOWNLOAD = "download"


def find_weights(path: str | None, key: str, what: str, url: str) -> Path:
    """The file at `path`; for `path` "download", the file at `url`, downloaded once to torch's
    cache.

    `url` ends in -<first digits of its sha256>.<suffix>, against which the download is checked.
    HeadmimeError if there is no file and the download fails.
    """
    if path != DOWNLOAD:
        return require_file(path, key, f"{what}, or {key}={DOWNLOAD} to fetch {url}")
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]
    if file.is_file():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        digits = file.stem.rsplit("-", 1)[1]
        torch.hub.download_url_to_file(url, str(file), hash_prefix=digits, progress=False)
    except (URLError, OSError, RuntimeError) as error:
        raise HeadmimeError(
            f"{key}={DOWNLOAD}: {url} could not be fetched ({error}); fetch it elsewhere and pass "
            f"{key}=FILE."
        ) from error
    return file
