"""So that learning is not lost: `animate`, `demo` and `finetune` look before they learn, and keep a
person when writing fails.
"""

import json
import logging
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headmime.animate.driving import TEMPLATE, find_driving, load_template
from headmime.animate.media_writer import output_path
from headmime.animate.person import Person
from headmime.animate.sound import has_sound
from headmime.data.video_reader import UnreadableVideo, read_video_info
from headmime.errors import HeadmimeError, user_error
from headmime.nets.checkpoint import checkpoint_files

log = logging.getLogger(__name__)
# Bytes per pixel, of `headmime demo`.
BYTES = {".mp4": 0.02, ".gif": 0.5}
SMALLEST = 256


def check_driving(driving: str, audio: str, out: str, size: int | None) -> None:
    """Warn of a sound track that cannot be decoded; HeadmimeError if the disk has no space for an
    output of the driving's length.
    """
    file = find_driving(driving)
    try:
        if file.suffix.lower() == TEMPLATE:
            frames = len(load_template(file).landmarks)
        else:
            info = read_video_info(file)
            frames = info.frames
            if audio == "driving" and info.has_audio and not has_sound(file):
                log.warning(
                    "driving=%s: its sound cannot be decoded, and the result will have none: give "
                    "audio=FILE, or audio=none to leave it out.",
                    driving,
                )
    except UnreadableVideo:
        frames = 1
    pixels = frames * (size or SMALLEST) ** 2
    output_path(out, needed=round(pixels * BYTES.get(Path(out).suffix.lower(), 0)))


def check_person(out: Path, settings: str) -> bool:
    """Whether a person made with `settings` (a hash) is there; HeadmimeError for another one."""
    files = checkpoint_files(out)
    if not all(file.exists() for file in files):
        return False
    try:
        before = json.loads(files[1].read_text("utf-8"))["origin"]["settings"]
    except (ValueError, KeyError, TypeError):
        before = None
    if before != settings:
        raise HeadmimeError(
            f"out={out} is a person that other images or settings made: choose another name, or "
            f"remove {files[0].name} and {files[1].name}."
        )
    return True


@contextmanager
def keep_learned(person: Person, learned: bool, out: Path) -> Iterator[None]:
    """Save a person who was `learned` for an output that then fails, and say where: beside `out`,
    or with temporary files if that fails too. Not at Ctrl-C.
    """
    try:
        yield
    except BaseException as error:
        if learned and type(error) is not KeyboardInterrupt:
            name = f"{out.stem}-person-{uuid.uuid4().hex[:8]}"
            log.warning(_kept(person, [out.with_name(name), Path(tempfile.gettempdir(), name)]))
        raise


def _kept(person: Person, places: list[Path]) -> str:
    for place in places:
        try:
            person.save(place)
        except Exception as error:
            if user_error(error) is None:
                raise
        else:
            return f"What was learned is kept: person={place} in place of source= goes on from it."
    return "What was learned could not be kept: no place for it can be written."
