"""Drivings: landmark sequences read from a video or a template file, or those of one image."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from headmime.animate.media_writer import output_path, write_media
from headmime.animate.poses import spread
from headmime.animate.sound import Jump, Sound, has_sound
from headmime.assets import ASSETS
from headmime.data.image_reader import IMAGE_SUFFIXES, is_image, read_image
from headmime.data.video_reader import VIDEO_SUFFIXES, decode_video, read_video_info
from headmime.errors import HeadmimeError
from headmime.files import write_atomically
from headmime.landmarks.crop import crop_box
from headmime.landmarks.drawing import draw_landmarks
from headmime.landmarks.faces import Detector, largest
from headmime.landmarks.track import fill_gaps, smooth, track
from headmime.progress import OnFrame, report_progress
from headmime.provenance.statement import (
    Consent,
    Ingredient,
    Kind,
    ProvenanceOptions,
    ProvenanceStatement,
    ingredient,
)

log = logging.getLogger(__name__)

MOTIONS_FOLDER = ASSETS / "motions"
TEMPLATE = ".npz"
MAX_FPS = 60  # detection rate limit: slow-motion videos have up to 240 frames/s
EARLY = 0.02  # seconds
COLUMNS, TILE = 8, 192  # drawing: frames in a .png, pixels of each


@dataclass(frozen=True)
class Driving:
    """Landmarks float32 [T, 68, 2] in crop coordinates, at `fps` frames/s.

    `origin`: the file it was read from, by hash. Videos and images only: `side`, the side of the
    crop in pixels. Videos only: `sound`, the audio track if there is one. `still`: one image.
    """

    landmarks: np.ndarray
    fps: Fraction
    origin: Ingredient | None = None
    side: float | None = None
    sound: Sound | None = None
    still: bool = False

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """Ingredients for the content credentials."""
        return () if self.origin is None else (self.origin,)


def template_names() -> list[str]:
    """Return the names of the bundled driving templates."""
    return sorted(file.stem for file in MOTIONS_FOLDER.glob(f"*{TEMPLATE}"))


def find_driving(driving: str | Path) -> Path:
    """A video, template or image by path, or a bundled template by name; else HeadmimeError."""
    path = Path(driving).expanduser()
    if path.is_file():
        return path.absolute()
    if str(driving) in template_names():
        return MOTIONS_FOLDER / f"{driving}{TEMPLATE}"
    raise HeadmimeError(
        f"driving={driving}: there is no such file; give a video, a template ({TEMPLATE}), an "
        f"image or one of the bundled motions: {', '.join(template_names()) or '(none)'}."
    )


def is_still(file: Path) -> bool:
    """Return whether a driving is one image; a GIF is a video."""
    suffix = file.suffix.lower()
    if suffix in VIDEO_SUFFIXES | {TEMPLATE, ".gif"}:
        return False
    return suffix in IMAGE_SUFFIXES or is_image(file)


def load_still(path: Path, detector: Detector) -> Driving:
    """Find the largest face of an image; HeadmimeError if there is none."""
    (faces,) = detector.detect([read_image(path)])
    if not faces:
        raise HeadmimeError(f"{path}: no face was found; a larger, more frontal one may help.")
    if len(faces) > 1:
        log.warning("%s: %d faces; the largest is taken.", path.name, len(faces))
    pixels = largest(faces).pixels[None]
    crop = crop_box(pixels)
    origin = ingredient("driving", "picture", path)
    return Driving(crop.to_crop(pixels), Fraction(1), origin, crop.side, still=True)


def load_template(path: Path) -> Driving:
    """Read a template: `landmarks` [T, 68, 2] in crop coordinates, and `fps`."""
    try:
        with np.load(path, allow_pickle=False) as content:
            landmarks = content["landmarks"].astype(np.float32)
            fps = Fraction(float(content["fps"])).limit_denominator(1001)
    except Exception as error:  # damage shows as whatever zipfile, zlib or numpy raise
        raise HeadmimeError(f"{path} is not a driving template: {error}.") from error
    shaped = landmarks.ndim == 3 and landmarks.shape[1:] == (68, 2) and len(landmarks) > 0
    if (
        not shaped
        or not np.isfinite(landmarks).all()
        or not 0 < fps <= 1000
        or _has_flat_face(landmarks)
    ):
        raise HeadmimeError(
            f"{path} is not a driving template: it needs landmarks [frames, 68, 2] and an fps."
        )
    return Driving(landmarks, fps, ingredient("driving", "template", path))


def _has_flat_face(landmarks: np.ndarray) -> bool:
    """Return whether a face has zero width, so that no similarity to it can be estimated."""
    return not (np.ptp(landmarks[..., 0], axis=1) > 1e-3).all()


def load_video(
    path: Path,
    detector: Detector,
    on_frame: OnFrame | None = None,
    start: float = 0.0,
    end: float | None = None,
    fps: Fraction | None = None,
) -> Driving:
    """Track one face (the largest in the first frame) through a video; frames are not stored.

    Gaps without a detection are interpolated linearly. The result is resampled to `fps`; None: the
    video's rate, above 60 an integer fraction of it; at a variable rate, that of the fastest
    quarter of the frames. `start` and `end`: seconds. HeadmimeError for an image.
    """
    if is_still(path):
        raise HeadmimeError(f"{path} is one image; a video is needed.")
    info, times = read_video_info(path), []
    step = math.ceil(info.fps / MAX_FPS)
    nominal = info.fps / step
    early = min(0.5 / float(info.fps), EARLY)  # tolerance for time stamps that jitter
    jumps: list[Jump] = []
    clock = removed = 0.0

    def frames() -> Iterator[np.ndarray]:
        nonlocal clock, removed
        for frame in report_progress(decode_video(path), info.frames, on_frame):
            if frame.removed != removed:
                jumps.append(Jump(clock, frame.clock, frame.removed))
            clock, removed = frame.clock, frame.removed
            if end is not None and frame.time >= end - early:
                return
            too_soon = times and frame.time < times[-1] + 1 / MAX_FPS - early
            if frame.time >= start - early and not too_soon:
                times.append(frame.time)
                yield frame.pixels()

    tracked = track(frames(), detector)
    if not times:
        raise HeadmimeError(_no_frames(path, start, end))
    if not tracked.found.any():
        raise HeadmimeError(f"{path}: no face was found in any of its {len(times)} frame(s).")
    if tracked.people > 1:
        log.warning("%s: %d faces; the largest is followed.", path.name, tracked.people)
    if lost := np.count_nonzero(~tracked.found):
        log.warning("%s: no face in %d of %d frames.", path.name, lost, len(times))
    length = times[-1] + 1 / float(nominal)
    if end is None and _ends_early(length, info.duration - max(removed, 0.0), nominal):
        log.warning(
            "%s: frames end after %.1f of %.1f seconds; is the file complete?",
            path.name,
            length,
            info.duration,
        )
    pixels = smooth(fill_gaps(tracked.pixels, longest=len(times)))
    audible = info.has_audio and has_sound(path)
    if info.has_audio and not audible:
        log.warning("%s: its sound cannot be decoded; the result has none.", path.name)
    crop = crop_box(pixels)
    rate = local_rate(np.array(times), nominal)
    if fps is not None and rate != nominal:  # a variable rate: at once to where `fps` wants it
        rate = max(rate, fps)
    driving = Driving(
        resample_evenly(crop.to_crop(pixels), np.array(times), rate),
        rate,
        ingredient("driving", "video", path),
        side=crop.side,
        sound=Sound(path, info.start + times[0], tuple(jumps)) if audible else None,
    )
    return driving if fps is None else resample(driving, fps)


def local_rate(times: np.ndarray, nominal: Fraction) -> Fraction:
    """Frames a second at `times` [T]: the `nominal` rate if it fits, else that of the fast parts.

    The mean rate of a file that holds still images for seconds is far below that of its motion.
    """
    steps = np.diff(times)
    if not (steps > 0).any():
        return nominal
    local = 1 / float(np.quantile(steps[steps > 0], 0.25))
    if 0.75 * local <= nominal <= 1.5 * local:
        return nominal
    return Fraction(min(local, MAX_FPS)).limit_denominator(1001)


def _ends_early(length: float, announced: float, fps: Fraction) -> bool:
    """Return whether more of the announced seconds is missing than rounding explains."""
    return announced - length > max(0.1 * announced, 2 / float(fps))


def _no_frames(path: Path, start: float, end: float | None) -> str:
    until = "" if end is None else f" and end={end:g}"
    return f"{path} has no frames between start={start:g}{until} (in seconds)."


def trim(driving: Driving, start: float, end: float | None) -> Driving:
    """Cut to the frames from `start` to `end` (seconds); HeadmimeError if there are none."""
    fps = float(driving.fps)
    last = len(driving.landmarks) if end is None else round(end * fps)
    landmarks = driving.landmarks[max(0, round(start * fps)) : max(0, last)]
    if not len(landmarks):
        raise HeadmimeError(_no_frames(Path("The driving"), start, end))
    return replace(driving, landmarks=landmarks)


def resample(driving: Driving, fps: Fraction) -> Driving:
    """Resample to `fps` at unchanged speed, by linear interpolation."""
    count = max(1, round(len(driving.landmarks) / driving.fps * fps))
    places = np.arange(count) * float(driving.fps / fps)
    return replace(driving, landmarks=_interpolate(driving.landmarks, places), fps=fps)


def _interpolate(landmarks: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Interpolate [T, 68, 2] at fractional frame indices `places` [n] (clamped) -> [n, 68, 2]."""
    places = np.clip(places, 0, len(landmarks) - 1)
    first = np.minimum(places.astype(int), max(0, len(landmarks) - 2))
    share = (places - first)[:, None, None]
    then = landmarks[np.minimum(first + 1, len(landmarks) - 1)]
    return ((1 - share) * landmarks[first] + share * then).astype(np.float32)


def resample_evenly(landmarks: np.ndarray, times: np.ndarray, fps: Fraction) -> np.ndarray:
    """Landmarks [T, 68, 2] at `times` [T] in seconds -> [n, 68, 2] every 1/fps from the first on.

    Linear interpolation; unchanged if every time is already within half a step of its grid point.
    """
    since = times - times[0]
    count = int(np.rint(since[-1] * float(fps))) + 1
    steps = np.arange(count) / float(fps)
    if count == len(times) and (abs(steps - since) < 0.5 / float(fps)).all():
        return landmarks
    return _interpolate(landmarks, np.interp(steps, since, np.arange(len(since))))


def write_template(path: str | Path, driving: Driving) -> Path:
    """Write the landmarks (rounded to 1/10,000 of the crop) and the frame rate; return the path.

    The template contains no image, sound, name or time of the video. It does contain the
    proportions of the driver's face.
    """
    path = output_path(path, (TEMPLATE,))
    landmarks = np.round(driving.landmarks, 4).astype(np.float32)
    with write_atomically(path) as partial:
        np.savez_compressed(partial, landmarks=landmarks, fps=np.float64(driving.fps))
    return path


def write_drawing(
    path: str | Path, driving: Driving, size: int = TILE, marks: ProvenanceOptions | None = None
) -> Path:
    """Write the landmark contours of all frames, `size` x `size` pixels, as .mp4 or .gif; as .png,
    those of the most different frames side by side, in temporal order.
    """
    if Path(path).suffix.lower() == ".png":
        moments = sorted(spread(driving.landmarks, COLUMNS))
        frames = [np.concatenate(draw_landmarks(driving.landmarks[moments], size), 1)]
    else:
        frames = (draw_landmarks(face, size) for face in driving.landmarks)
    statement = ProvenanceStatement(
        Consent.NOT_STATED, ingredients=driving.ingredients, kind=Kind.DRAWN
    )
    return write_media(path, frames, driving.fps, statement, marks)
