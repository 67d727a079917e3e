"""Write mp4, GIF and PNG outputs: streamed, with provenance marks, atomically."""

import logging
import math
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
from headmime.data.video_colours import from_srgb, tag_bt709
from headmime.errors import HeadmimeError
from headmime.files import check_writable, write_atomically
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
# For larger frames the encoder buffers fewer: 12 megapixels take 18 MB each.
LARGE, LOW_MEMORY = 4_000_000, {"preset": "veryfast", "rc-lookahead": "8"}
GIF_SHORTEST_DELAY = 2  # hundredths of a second; browsers slow down anything shorter
# A GIF is assembled in memory.
GIF_MAX_FRAMES, GIF_MAX_PIXELS = 1500, 500_000_000
GIF_COLOURS_SIDE = 64


def output_path(
    path: str | Path,
    suffixes: Sequence[str] = SUFFIXES,
    inputs: Iterable[str | Path] = (),
    needed: int = 0,
) -> Path:
    """Return the absolute output path, with its folder created.

    HeadmimeError if the suffix is unknown, and as of `check_writable`.
    """
    path = Path(path).expanduser().absolute()
    if path.suffix.lower() not in suffixes:
        raise HeadmimeError(f"out={path.name}: the name must end in {', '.join(suffixes)}.")
    check_writable(path, inputs, needed=needed)
    return path


def write_media(
    path: str | Path,
    frames: Iterable[np.ndarray],
    fps: Fraction,
    statement: ProvenanceStatement,
    marks: ProvenanceOptions | None = None,
    sound: Sound | None = None,
) -> Path:
    """Write uint8 RGB `frames` [H, W, 3] as they arrive; return the absolute path.

    The suffix selects the format: .mp4 (h264, plays in browsers), .gif (endless), .png (one frame;
    `fps` is ignored). `sound` is added to an mp4. The file carries the `marks` (default: all),
    credentials with the `statement`, and a metadata comment that it is AI-generated; drawings carry
    credentials only. The file appears when it is complete; after an error or Ctrl-C nothing is
    left.
    """
    path, marks = output_path(path), marks or ProvenanceOptions()
    tools = prepare_marking(marks)
    _warn_about_provenance(path, marks)
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise HeadmimeError(f"There are no frames to write to {path}.")
    marked, comment = chain([first], frames), "Drawn by headmime"
    if statement.kind is not Kind.DRAWN:
        comment = consent_sentence(statement.consent)
        if marks.label:
            marked = add_label(marked)
        if tools.watermark_key:
            payload = secrets.token_bytes(PAYLOAD_BYTES)
            statement = replace(statement, watermark=payload)
            marked = embed(marked, payload, tools.watermark_key, float(fps))
        if sound is not None:
            statement = replace(statement, kind=Kind.COMPOSITE)
    with write_atomically(path) as partial:
        encode(partial, marked, Fraction(fps), comment, sound)
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
    """Write uint8 RGB `frames` [H, W, 3] as they arrive, in the format of `path`'s suffix.

    .mp4 (h264 and aac, plays in browsers), .gif (endless), .png (one frame; `fps` is ignored).
    `comment` goes into the file's metadata. `sound` (mp4 only) starts with the first frame and ends
    with the last.
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
    # faststart: index first, so that browsers can play while loading
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata["comment"] = comment
        stream = container.add_stream("libx264", rate=fps, options={"crf": QUALITY})
        stream.pix_fmt = "yuv420p"
        tag_bt709(stream)
        track = container.add_stream("aac", rate=RATE, layout="stereo") if sound else None
        playback, played = Playback(sound) if sound else None, 0
        for index, frame in enumerate(frames):
            frame = _pad_to_even(frame)
            if index == 0:
                stream.height, stream.width = frame.shape[:2]
                if frame.shape[0] * frame.shape[1] > LARGE:
                    stream.options = {"crf": QUALITY, **LOW_MEMORY}
            container.mux(stream.encode(from_srgb(frame)))
            if track and playback:
                until = round((index + 1) / fps * RATE)
                audio = av.AudioFrame.from_ndarray(playback.take(until - played), "fltp", "stereo")
                audio.rate, audio.pts, audio.time_base = RATE, played, Fraction(1, RATE)
                container.mux(track.encode(audio))
                played = until
        container.mux(stream.encode(None))
        if track:
            container.mux(track.encode(None))


def _pad_to_even(frame: np.ndarray) -> np.ndarray:
    """Repeat the last row or column of odd sides: yuv420p needs even ones."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _write_gif(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    """Drop frames to keep the speed: GIF delays are multiples of 1/100 s."""
    delay = max(GIF_SHORTEST_DELAY, math.ceil(100 / fps))
    step = Fraction(delay, 100) * fps  # input frames per output frame, at least 1
    images = (_quantise(frame) for frame in _drop_frames(frames, step))
    next(images).save(
        path,
        save_all=True,
        append_images=images,
        duration=10 * delay,
        loop=0,
        comment=comment.encode(),
    )


def _drop_frames(frames: Iterator[np.ndarray], step: Fraction) -> Iterator[np.ndarray]:
    """Yield every `step`-th frame. HeadmimeError if they are too many or too large."""
    taken = pixels = 0
    for index, frame in enumerate(frames):
        if index != math.floor(taken * step):
            continue
        if taken == GIF_MAX_FRAMES:
            raise HeadmimeError(
                f"This is too long for a GIF (over {taken} frames); write .mp4 instead."
            )
        pixels += frame.shape[0] * frame.shape[1]
        if pixels > GIF_MAX_PIXELS:
            raise HeadmimeError(
                f"This is too large for a GIF (frames of {frame.shape[1]} x {frame.shape[0]} "
                "pixels); write .mp4 instead, or give a smaller size=."
            )
        yield frame
        taken += 1


def _quantise(frame: np.ndarray) -> Image.Image:
    """Reduce to 256 colours, chosen on a small copy (30 times faster)."""
    image = Image.fromarray(frame)
    small = image.resize((GIF_COLOURS_SIDE, GIF_COLOURS_SIDE))
    return image.quantize(palette=small.quantize(256), dither=Image.Dither.NONE)


def _write_png(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    text = PngInfo()
    text.add_text("Comment", comment)
    (image,) = frames
    Image.fromarray(image).save(path, pnginfo=text)
