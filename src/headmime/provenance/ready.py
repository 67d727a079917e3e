"""What the user's marks need, found and checked before any work."""

from dataclasses import dataclass
from pathlib import Path

from headmime.errors import HeadmimeError
from headmime.provenance.credentials import check_signer
from headmime.provenance.marks import Marks
from headmime.provenance.signer import Signer, signer_for
from headmime.provenance.watermark import PUBLIC_KEY

SHORTEST_KEY = 16  # bytes


@dataclass(frozen=True)
class Ready:
    """Who signs, and the watermark's key; None where that mark is turned off."""

    signer: Signer | None
    watermark_key: bytes | None


def ready(marks: Marks) -> Ready:
    """HeadmimeError if the certificate, its key or the watermark's key cannot be used."""
    signer = signer_for(marks) if marks.credentials else None
    if signer:
        check_signer(signer)
    return Ready(signer, _watermark_key(marks) if marks.watermark else None)


def _watermark_key(marks: Marks) -> bytes:
    if not marks.watermark_key:
        return PUBLIC_KEY
    file = Path(marks.watermark_key).expanduser()
    try:
        key = file.read_bytes()
    except OSError as error:
        raise HeadmimeError(f"{file}: the watermark's key cannot be read ({error}).") from error
    if len(key) < SHORTEST_KEY:
        raise HeadmimeError(f"{file}: a watermark's key has at least {SHORTEST_KEY} bytes.")
    return key
