"""`headmime verify`: are the credentials of files whole, whose, and is there a watermark?"""

import argparse
import json
import sys
from dataclasses import asdict

from headmime.data.video_reader import UnreadableVideo, read_video
from headmime.errors import HeadmimeError
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import ProvenanceOptions
from headmime.provenance.verdict import State, Verdict, verify
from headmime.provenance.watermark import detect

# What a script asks about a whole batch: the worst file's code.
CODES = {State.TRUSTED: 0, State.VALID: 0, State.NONE: 3, State.ALTERED: 4, State.INVALID: 4}
CANNOT = 1

DESCRIPTION = """\
One line for each file: trusted (unchanged, by a signer whose root is known here), valid (unchanged,
the signer is unknown), altered (what), invalid (the certificate), or none. Reads what any C2PA tool
wrote. Where headmime's watermark is found, what it carries is told; it changes no verdict. Nothing
is sent or fetched.
"""
EPILOG = """\
exit code: 0 all are trusted or valid; 4 one is altered or invalid; 3 else, one has none;
1 a file cannot be read (and none is altered); 2 usage
"""


def main() -> None:
    """Print a verdict for each file; leave with the worst one's code."""
    parser = argparse.ArgumentParser(
        "headmime verify",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="a list of objects instead of lines")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PEM",
        help="a file of root certificates to trust, beside this machine's own (may be repeated)",
    )
    parser.add_argument(
        "--watermark-key",
        metavar="FILE",
        help="look for a watermark under this key instead of the public one",
    )
    given = parser.parse_args(sys.argv[1:])
    key = prepare_marking(
        ProvenanceOptions(credentials=False, watermark_key=given.watermark_key)
    ).watermark_key
    verdicts, codes = [], []
    for file in given.files:
        try:
            verdict, mark = verify(file, given.trust), watermark(file, key)
        except HeadmimeError as error:
            print(f"headmime: {error}", file=sys.stderr)
            codes.append(CANNOT)
            continue
        codes.append(CODES[verdict.state])
        verdicts.append(_plain(verdict) | {"watermark": mark})
        if not given.json:
            print(line(verdict, mark))
    if given.json:
        print(json.dumps(verdicts, indent=1))
    sys.exit(_worst(codes))


def _worst(codes: list[int]) -> int:
    return next((code for code in (4, CANNOT, 3) if code in codes), 0)


def watermark(file: str, key: bytes) -> str | None:
    """The payload in a video's or picture's watermark, as hexadecimal digits; None without one."""
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


def _plain(verdict: Verdict) -> dict[str, object]:
    return asdict(verdict) | {"path": str(verdict.path), "state": verdict.state.value}
