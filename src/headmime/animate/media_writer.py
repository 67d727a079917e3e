"""The one door for outputs for people: mp4, GIF, PNG; streamed, marked, whole or not there."""

import logging
import math
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from headmime.animate.sound import RATE, Playback, Sound
from headmime.errors import HeadmimeError
from headmime.files import write_atomically
from headmime.provenance.credentials import sign
from headmime.provenance.marking import add_label, prepare_marking
from headmime.provenance.statement import (
    Kind,
    ProvenanceOptions,
    ProvenanceStatement,
    consent_sentence,
)
from headmime.provenance.watermark import embed
from headmime.provenance.watermark.coding import PAYLOAD_BYTES

log = logging.getLogger(__name__)

SUFFIXES = (".mp4", ".gif", ".png")
QUALITY = "18"  # h264's crf: visually lossless
# Of larger frames the encoder holds fewer: 12 megapixels are 18 MB each.
LARGE, FRUGAL = 4_000_000, {"preset": "veryfast", "rc-lookahead": "8"}
GIF_SHORTEST_DELAY = 2  # hundredths of a second; browsers slow down anything shorter
# A GIF is put together in memory, and a minute is long for one.
GIF_MOST_FRAMES, GIF_MOST_PIXELS = 1500, 500_000_000
GIF_COLOURS_SIDE = 64


def output_path(path: str | Path, suffixes: Sequence[str] = SUFFIXES) -> Path:
    """`path` as the absolute name of an output that can be written there, its folder made.

    Call it before the work: HeadmimeError if the suffix is unknown or the place cannot be written.
    """
    path = Path(path).expanduser().absolute()
    if path.suffix.lower() not in suffixes:
        raise HeadmimeError(f"out={path.name}: the name must end in {', '.join(suffixes)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HeadmimeError(f"out={path}: its folder cannot be made ({error.strerror}).") from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise HeadmimeError(f"out={path} cannot be written there; choose another name or folder.")
    return path


def write_media(
    path: str | Path,
    frames: Iterable[np.ndarray],
    fps: Fraction,
    statement: ProvenanceStatement,
    marks: ProvenanceOptions | None = None,
    sound: Sound | None = None,
) -> Path:
    """Write uint8 RGB `frames` [H, W, 3] as they come; return the absolute path.

    The suffix decides: .mp4 (h264, plays in browsers), .gif (endless), .png (one frame; `fps` has
    no meaning then). `sound` goes along with an mp4. The file carries the `marks` (by default all),
    its credentials make the `statement`, and its metadata a comment that it is AI-generated; a
    drawing is no such thing, and carries credentials alone. It appears under its name when it is
    complete; after an error or Ctrl-C nothing of it stays.
    """
    path, marks = output_path(path), marks or ProvenanceOptions()
    tools = prepare_marking(marks)
    _warn_about_provenance(path, marks)
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise HeadmimeError(f"There are no frames to write to {path}.")
    pictures, comment = chain([first], frames), "Drawn by headmime"
    if statement.kind is not Kind.DRAWN:
        comment = consent_sentence(statement.consent)
        if marks.label:
            pictures = add_label(pictures)
        if tools.watermark_key:
            payload = secrets.token_bytes(PAYLOAD_BYTES)
            statement = replace(statement, watermark=payload)
            pictures = embed(pictures, payload, tools.watermark_key, float(fps))
        if sound is not None:
            statement = replace(statement, kind=Kind.COMPOSITE)
    with write_atomically(path) as partial:
        encode(partial, pictures, Fraction(fps), comment, sound)
        if tools.signer:
            with write_atomically(partial) as signed:
                sign(partial, signed, statement, tools.signer)
    return path


def _warn_about_provenance(path: Path, marks: ProvenanceOptions) -> None:
    kinds = ("label", "watermark", "credentials")
    if off := [f"provenance.{kind}=false" for kind in kinds if not getattr(marks, kind)]:
        log.warning("%s lacks marks: %s.", path.name, ", ".join(off))


def encode(
    path: Path,
    frames: Iterator[np.ndarray],
    fps: Fraction,
    comment: str,
    sound: Sound | None = None,
) -> None:
    """Write uint8 RGB `frames` [H, W, 3] as they come, in the format of `path`'s suffix.

    .mp4 (h264 and aac, plays in browsers), .gif (endless), .png (one frame; `fps` has no meaning
    then). `comment` goes into the file's metadata. `sound` begins with the first frame and ends
    with the last one; only an mp4 has it.
    """
    suffix = path.suffix.lower()
    if suffix == ".mp4":
        _write_mp4(path, frames, fps, comment, sound)
    else:
        {".gif": _write_gif, ".png": _write_png}[suffix](path, frames, fps, comment)


def _write_mp4(
    path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str, sound: Sound | None
) -> None:
    fps = fps.limit_denominator(1001)
    # faststart: the index comes first, so that browsers play while they load
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata["comment"] = comment
        stream = container.add_stream("libx264", rate=fps, options={"crf": QUALITY})
        stream.pix_fmt = "yuv420p"
        track = container.add_stream("aac", rate=RATE, layout="stereo") if sound else None
        playback, played = Playback(sound) if sound else None, 0
        for index, frame in enumerate(frames):
            frame = _pad_to_even(frame)
            if index == 0:
                stream.height, stream.width = frame.shape[:2]
                if frame.shape[0] * frame.shape[1] > LARGE:
                    stream.options = {"crf": QUALITY, **FRUGAL}
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            if track and playback:
                until = round((index + 1) / fps * RATE)
                heard = av.AudioFrame.from_ndarray(playback.take(until - played), "fltp", "stereo")
                heard.rate, heard.pts, heard.time_base = RATE, played, Fraction(1, RATE)
                container.mux(track.encode(heard))
                played = until
        container.mux(stream.encode(None))
        if track:
            container.mux(track.encode(None))


def _pad_to_even(frame: np.ndarray) -> np.ndarray:
    """h264 with halved colour wants even sides: repeat the last row or column of odd ones."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _write_gif(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    """GIF counts in hundredths of a second: frames are left out so that the speed stays right."""
    delay = max(GIF_SHORTEST_DELAY, math.ceil(100 / fps))
    step = Fraction(delay, 100) * fps  # input frames per output frame, at least 1
    pictures = (_quantise(frame) for frame in _drop_frames(frames, step))
    next(pictures).save(
        path,
        save_all=True,
        append_images=pictures,
        duration=10 * delay,
        loop=0,
        comment=comment.encode(),
    )


def _drop_frames(frames: Iterator[np.ndarray], step: Fraction) -> Iterator[np.ndarray]:
    """Every `step`-th frame. HeadmimeError where there are too many, or too large ones."""
    taken = pixels = 0
    for index, frame in enumerate(frames):
        if index != math.floor(taken * step):
            continue
        if taken == GIF_MOST_FRAMES:
            raise HeadmimeError(
                f"This is too long for a GIF (over {taken} frames); write .mp4 instead."
            )
        pixels += frame.shape[0] * frame.shape[1]
        if pixels > GIF_MOST_PIXELS:
            raise HeadmimeError(
                f"This is too large for a GIF (frames of {frame.shape[1]} x {frame.shape[0]} "
                "pixels); write .mp4 instead, or give a smaller size=."
            )
        yield frame
        taken += 1


def _quantise(frame: np.ndarray) -> Image.Image:
    """The colours are chosen on a small copy, where that takes a thirtieth of the time."""
    picture = Image.fromarray(frame)
    small = picture.resize((GIF_COLOURS_SIDE, GIF_COLOURS_SIDE))
    return picture.quantize(palette=small.quantize(256), dither=Image.Dither.NONE)


def _write_png(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    text = PngInfo()
    text.add_text("Comment", comment)
    (picture,) = frames
    Image.fromarray(picture).save(path, pnginfo=text)
