"""`headmime verify`: are the credentials of files whole, whose, and is there a watermark?"""

import json
import sys
from dataclasses import asdict, dataclass

from headmime.data.video_reader import UnreadableVideo, read_video
from headmime.errors import HeadmimeError
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import ProvenanceOptions
from headmime.provenance.verdict import State, Verdict, verify
from headmime.provenance.watermark import detect

# What a script asks about a whole batch: the worst file's code.
CODES = {State.TRUSTED: 0, State.VALID: 0, State.NONE: 3, State.ALTERED: 4, State.INVALID: 4}
CANNOT = 1


@dataclass
class VerifySettings:
    """Keys of `headmime verify`: conf/verify.yaml."""

    files: list[str]
    json: bool
    trust: list[str]
    watermark_key: str | None


def main(settings: VerifySettings) -> None:
    """Print a verdict for each file; leave with the worst one's code."""
    key = prepare_marking(
        ProvenanceOptions(credentials=False, watermark_key=settings.watermark_key)
    ).watermark_key
    assert key is not None
    verdicts, codes = [], []
    for file in settings.files:
        try:
            verdict, mark = verify(file, settings.trust), watermark(file, key)
        except HeadmimeError as error:
            print(f"headmime: {error}", file=sys.stderr)
            codes.append(CANNOT)
            continue
        codes.append(CODES[verdict.state])
        plain = {"path": str(verdict.path), "state": verdict.state.value, "watermark": mark}
        verdicts.append(asdict(verdict) | plain)
        if not settings.json:
            print(line(verdict, mark))
    if settings.json:
        print(json.dumps(verdicts, indent=1))
    sys.exit(next((code for code in (4, CANNOT, 3) if code in codes), 0))


def watermark(file: str, key: bytes) -> str | None:
    """The payload in a video's or image's watermark, as hexadecimal digits; None without one."""
    try:
        payload = detect(read_video(file), key).payload
    except UnreadableVideo:  # credentials may be about sound, text or a format without a decoder
        return None
    return payload.hex() if payload else None


def line(verdict: Verdict, mark: str | None = None) -> str:
    """A verdict in one line, whatever characters the file's makers put into it; `mark` is what its
    watermark carries.
    """
    said = verdict.state.value + (f" ({verdict.what})" if verdict.what else "")
    if verdict.state in (State.TRUSTED, State.VALID):
        consent = (verdict.statement or {}).get("consent")
        told = [
            "AI-generated" if verdict.generated else None,
            f"made by {verdict.generator}" if verdict.generator else None,
            f"consent={consent}" if consent else None,
            f"signed by {verdict.signer}" if verdict.signer else None,
        ]
        said = "; ".join([said, *filter(None, told)])
    if mark:
        said += f"; watermark {mark}"
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in f"{verdict.path}: {said}"
    )
