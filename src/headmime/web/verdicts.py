"""What a file's marks say, in sentences."""

from pathlib import Path

from headmime.data.video_reader import UnreadableVideo, read_video
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import ProvenanceOptions
from headmime.provenance.verdict import State, verify
from headmime.provenance.watermark import PUBLIC_KEY, detect

STATES = {
    State.TRUSTED: "Its content credentials are whole, signed by somebody trusted here.",
    State.VALID: "Its content credentials are whole; their signer is not known here.",
    State.ALTERED: "The file was changed after its content credentials were written.",
    State.INVALID: "Its content credentials are whole, but their certificate is not valid.",
    State.NONE: "It has no content credentials.",
}


def describe_marks(path: Path, marks: ProvenanceOptions) -> list[str]:
    """Sentences on a file's credentials and watermark; `marks`: with the watermark's key.
    HeadmimeError if it cannot be read.
    """
    key = prepare_marking(marks).watermark_key or PUBLIC_KEY
    verdict = verify(path)
    sentences = [STATES[verdict.state]]
    if verdict.state in (State.TRUSTED, State.VALID):
        sentences += ["It says that it is AI-generated."] * verdict.generated
        sentences += [f"It was made by {verdict.generator}."] if verdict.generator else []
        if consent := (verdict.statement or {}).get("consent"):
            sentences.append(f"The person may be animated because: {consent}.")
    try:
        mark = detect(read_video(path), key).payload
    except UnreadableVideo:
        return sentences
    carries = f"It carries headmime's watermark ({mark.hex()})." if mark else ""
    return [*sentences, carries or "headmime's watermark was not found."]
