"""What drives a person: a video of anybody, or a template, as landmarks over time."""

import logging
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from headmime.animate.poses import neutral_frame
from headmime.animate.steps import OnFrame, reported
from headmime.assets import ASSETS
from headmime.data.video import read_video, video_info
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import crop_box
from headmime.landmarks.detect import Detector
from headmime.landmarks.track import fill_gaps, smooth, track
from headmime.provenance.making import Ingredient, ingredient

log = logging.getLogger(__name__)

MOTIONS_FOLDER = ASSETS / "motions"
TEMPLATE = ".npz"


@dataclass(frozen=True)
class Driving:
    """Landmarks float32 [T, 68, 2] in crop coordinates, `fps` of them a second.

    `neutral` is the index of the most neutral face; `origin` the file that it was read from, by its
    hash.
    """

    landmarks: np.ndarray
    fps: Fraction
    neutral: int
    origin: Ingredient | None = None


def template_names() -> list[str]:
    """Names of the bundled driving templates."""
    return sorted(file.stem for file in MOTIONS_FOLDER.glob(f"*{TEMPLATE}"))


def find_driving(driving: str | Path) -> Path:
    """A video or template by path, or a bundled template by name; HeadmimeError if neither."""
    path = Path(driving).expanduser()
    if path.is_file():
        return path.absolute()
    if str(driving) in template_names():
        return MOTIONS_FOLDER / f"{driving}{TEMPLATE}"
    raise HeadmimeError(
        f"driving={driving}: there is no such file; give a video, a template ({TEMPLATE}) or "
        f"one of the bundled motions: {', '.join(template_names()) or '(none)'}."
    )


def load_template(path: Path) -> Driving:
    """Read a template: `landmarks` [T, 68, 2] in crop coordinates, `fps`, perhaps `neutral`."""
    try:
        with np.load(path, allow_pickle=False) as content:
            landmarks = content["landmarks"].astype(np.float32)
            fps = Fraction(float(content["fps"])).limit_denominator(1001)
            neutral = int(content["neutral"]) if "neutral" in content else neutral_frame(landmarks)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise HeadmimeError(f"{path} is not a driving template: {error}.") from error
    shaped = landmarks.ndim == 3 and landmarks.shape[1:] == (68, 2) and len(landmarks) > 0
    if not shaped or not np.isfinite(landmarks).all() or not 0 < fps <= 1000:
        raise HeadmimeError(
            f"{path} is not a driving template: it needs landmarks [frames, 68, 2] and an fps."
        )
    if not 0 <= neutral < len(landmarks):
        raise HeadmimeError(f"{path}: its neutral frame {neutral} is not one of {len(landmarks)}.")
    return Driving(landmarks, fps, neutral, ingredient("driving", "template", path))


def load_video(path: Path, detector: Detector, on_frame: OnFrame | None = None) -> Driving:
    """Read the motion of one face (the largest at first) of a video; its frames are not kept.

    Where the face is lost, it moves straight on to where it is found again. A video of varying
    frame rate is brought to its mean rate, so that the speed stays right.
    """
    info, times = video_info(path), []

    def frames() -> Iterator[np.ndarray]:
        for frame, time in reported(read_video(path), info.frames, on_frame):
            times.append(time)
            yield frame

    followed = track(frames(), detector)
    if not followed.found.any():
        raise HeadmimeError(f"{path}: no face was found in any of its {len(times)} frame(s).")
    if followed.people > 1:
        log.warning("%s: %d faces; the largest is followed.", path.name, followed.people)
    if lost := np.count_nonzero(~followed.found):
        log.warning("%s: no face in %d of %d frames.", path.name, lost, len(times))
    pixels, _ = fill_gaps(followed.pixels, longest=len(times))
    pixels = smooth(pixels)
    landmarks = evenly(crop_box(pixels).to_crop(pixels), np.array(times), info.fps)
    origin = ingredient("driving", "video", path)
    return Driving(landmarks, info.fps, neutral_frame(landmarks), origin)


def evenly(landmarks: np.ndarray, times: np.ndarray, fps: Fraction) -> np.ndarray:
    """Landmarks [T, 68, 2] at `times` [T] in seconds -> [n, 68, 2] every 1/fps from the first on.

    Linear in between; unchanged where every time is already within half a step of its place.
    """
    since = times - times[0]
    count = int(np.rint(since[-1] * float(fps))) + 1
    steps = np.arange(count) / float(fps)
    if count == len(times) and (abs(steps - since) < 0.5 / float(fps)).all():
        return landmarks
    columns = [np.interp(steps, since, c) for c in landmarks.reshape(len(landmarks), -1).T]
    return np.stack(columns, -1).reshape(-1, *landmarks.shape[1:]).astype(np.float32)
