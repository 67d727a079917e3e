"""Images and videos of one person -> T frames, cropped as in training, with landmarks."""

import glob
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from headmime.animate.likeness import other_people
from headmime.animate.poses import neutral_frame, spread
from headmime.data.image_reader import IMAGE_SUFFIXES, is_image, read_image
from headmime.data.video_reader import VIDEO_SUFFIXES, count_frames, decode_video, read_video
from headmime.errors import HeadmimeError
from headmime.images import resize
from headmime.landmarks.crop import Crop, crop_box
from headmime.landmarks.faces import Detector, largest
from headmime.provenance.statement import Ingredient, ingredient

log = logging.getLogger(__name__)
MAX_FRAMES = 32  # frames of "all"; the largest T of the paper
MAX_DETECTIONS = 160  # frames of a video in which a face is searched, spread over its length


@dataclass(frozen=True)
class Scene:
    """An original image, uint8 [H, W, 3], and the crop of it that became the portrait."""

    image: np.ndarray
    crop: Crop

    def within(self, crop: Crop) -> "Scene":
        """The same image with another crop, given in coordinates (0..1) of the present one."""
        x, y = self.crop.x + crop.x * self.crop.side, self.crop.y + crop.y * self.crop.side
        return Scene(self.image, Crop(x, y, crop.side * self.crop.side))

    def scaled(self, longest: int) -> "Scene":
        """Resize image and crop to a longer side of `longest` pixels."""
        height, width = self.image.shape[:2]
        scale = longest / max(height, width)
        if scale == 1:
            return self
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        crop = Crop(self.crop.x * scale, self.crop.y * scale, self.crop.side * scale)
        return Scene(resize(self.image, width, height), crop)


@dataclass(frozen=True)
class Sources:
    """T frames of one person: uint8 [T, S, S, 3], landmarks float32 [T, 68, 2] in crop coordinates.

    `detector`: the landmark source; `names`: image file or video time of each frame; `ingredients`:
    the source files, by hash; `scene`: the original image of the most neutral frame.
    """

    frames: np.ndarray
    landmarks: np.ndarray
    detector: str
    names: list[str]
    ingredients: tuple[Ingredient, ...] = ()
    scene: Scene | None = None


@dataclass(frozen=True)
class _Clip:
    """Candidate frames of a video: numbers, times [n] in seconds, landmarks [n, 68, 2] in
    pixels.
    """

    file: Path
    numbers: list[int]
    times: list[float]
    pixels: np.ndarray


@dataclass(frozen=True)
class _Still:
    """A cropped image: uint8 [S, S, 3], landmarks [68, 2] in coordinates of its `crop`."""

    file: Path
    frame: np.ndarray
    landmarks: np.ndarray
    crop: Crop


def parse_count(T: str) -> int:
    """Parse `T=`, the maximum number of frames: a positive integer, or "all" (32)."""
    if T == "all":
        return MAX_FRAMES
    if not T.isdecimal() or int(T) == 0:
        raise HeadmimeError(f"T={T} is not a number of frames; give 1, 8, 32 or all.")
    return int(T)


def find_files(sources: Sequence[str | Path]) -> list[Path]:
    """Expand images, videos, folders of them and globs to files, without duplicates, in order.

    Names of existing files are never treated as patterns. HeadmimeError naming a missing source.
    """
    files = [file for source in sources for file in _expand(str(source))]
    if not files:
        raise HeadmimeError("source= is missing; name images, folders or videos of one person.")
    return list(dict.fromkeys(files))


def _expand(source: str) -> list[Path]:
    path = Path(source).expanduser()
    if path.is_dir():
        inside = [file for file in sorted(path.iterdir()) if _is_media(file)]
        if not inside:
            raise HeadmimeError(f"source={source} is a folder without images or videos.")
        return [file.absolute() for file in inside]
    if path.exists():
        return [path.absolute()]
    matches = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    if not matches:
        raise HeadmimeError(f"source={source}: there is no such file or folder.")
    return [file.absolute() for file in matches if file.is_file()]


def _is_media(file: Path) -> bool:
    hidden = file.name.startswith(".")
    return not hidden and file.is_file() and file.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES


def load_sources(files: Sequence[Path], count: int, size: int, detector: Detector) -> Sources:
    """Load at most `count` frames of the person in `files`, cropped to `size`, with landmarks.

    All images are used first (the `count` most different ones if there are more), then the video
    frames that differ most from those in pose and expression. Each image has its own crop; the
    frames of one video share theirs. Files without a usable face are logged and skipped, files of
    another person are logged; HeadmimeError if none is left.
    """
    stills, clips, rejected = _find_candidates(files, size, detector)
    if not stills and not clips:
        raise HeadmimeError(_nothing_left(rejected))
    for reason in rejected:
        log.warning("Left out: %s", reason)
    chosen = _choose(stills, clips, count)
    frames, landmarks, names, ingredients, places_of = [], [], [], [], []
    for place in chosen[0]:
        frames.append(stills[place].frame)
        landmarks.append(stills[place].landmarks)
        names.append(stills[place].file.name)
        ingredients.append(ingredient("source", "picture", stills[place].file))
        places_of.append((stills[place].file, None, stills[place].crop))
    for clip, places in zip(clips, chosen[1], strict=True):
        if places:
            cut, points, crop = _cut(clip, places, size)
            frames += cut
            places_of += [(clip.file, clip.numbers[k], crop) for k in places]
            landmarks += list(points)
            ingredients.append(ingredient("source", "video", clip.file))
            names += [f"{clip.file.name} at {clip.times[k]:.2f} s" for k in places]
    log.info("%d frame(s) of the person: %s", len(frames), "; ".join(names))
    points = np.stack(landmarks)
    for file in other_people([file for file, _, _ in places_of], np.stack(frames), points):
        log.warning(
            "%s: the face does not look like the person in the other sources; one person is made "
            "of all of them.",
            file.name,
        )
    scene = _scene(*places_of[neutral_frame(points)])
    return Sources(np.stack(frames), points, detector.name, names, tuple(ingredients), scene)


def _nothing_left(rejected: list[str]) -> str:
    if len(rejected) == 1:
        return rejected[0]
    return f"None of the {len(rejected)} sources can be used: " + " ".join(rejected)


def _find_candidates(
    files: Sequence[Path], size: int, detector: Detector
) -> tuple[list[_Still], list[_Clip], list[str]]:
    """Return usable images and videos, and an error sentence for each other file."""
    stills, clips, rejected = [], [], []
    for file in files:
        try:
            if _is_image(file):
                stills.append(_still(file, size, detector))
            else:
                clips.append(_clip(file, detector))
        except HeadmimeError as error:
            rejected.append(str(error))
    return stills, clips, rejected


def _is_image(file: Path) -> bool:
    if file.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        return file.suffix.lower() in IMAGE_SUFFIXES
    return is_image(file)


def _still(file: Path, size: int, detector: Detector) -> _Still:
    image = read_image(file)
    (faces,) = detector.detect([image])
    if not faces:
        raise HeadmimeError(f"{file}: no face was found; a larger, more frontal one may help.")
    if len(faces) > 1:
        log.warning("%s: %d faces; the largest is taken.", file.name, len(faces))
    pixels = largest(faces).pixels
    crop = crop_box(pixels[None])
    return _Still(file, crop.cut(image, size), crop.to_crop(pixels), crop)


def _clip(file: Path, detector: Detector) -> _Clip:
    numbers, times, pixels = [], [], []
    crowded = examined = 0
    for number, (frame, time) in _every_nth(_stride(file), read_video(file)):
        examined += 1
        (faces,) = detector.detect([frame])
        crowded += len(faces) > 1
        if faces:
            numbers.append(number)
            times.append(time)
            pixels.append(largest(faces).pixels)
    if not pixels:
        raise HeadmimeError(f"{file}: no face was found in {examined} frame(s) over its length.")
    if crowded:
        log.warning(
            "%s: several faces in %d of %d frames; the largest is taken.",
            file.name,
            crowded,
            examined,
        )
    return _Clip(file, numbers, times, np.stack(pixels))


def _stride(file: Path) -> int:
    return -(-count_frames(file) // MAX_DETECTIONS)


def _every_nth(
    stride: int, frames: Iterator[tuple[np.ndarray, float]]
) -> Iterator[tuple[int, tuple[np.ndarray, float]]]:
    return (pair for pair in enumerate(frames) if pair[0] % stride == 0)


def _choose(
    stills: list[_Still], clips: list[_Clip], count: int
) -> tuple[list[int], list[list[int]]]:
    """Choose indices of images, and of each video's candidates, in order."""
    faces = [still.landmarks[None] for still in stills] + [clip.pixels for clip in clips]
    together = np.concatenate(faces)
    if len(stills) >= count:
        return sorted(spread(together[: len(stills)], count)), [[] for _ in clips]
    picked = sorted(spread(together, count, list(range(len(stills)))))
    starts = np.cumsum([len(stills)] + [len(clip.pixels) for clip in clips])
    places = [
        [k - start for k in picked if start <= k < end]
        for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    ]
    return list(range(len(stills))), places


def _scene(file: Path, number: int | None, crop: Crop) -> Scene:
    """Read the original image, or frame `number` of a video, again."""
    if number is None:
        return Scene(read_image(file), crop)
    frame = next(islice(decode_video(file), number, None))
    return Scene(frame.pixels(), crop)


def _cut(clip: _Clip, places: list[int], size: int) -> tuple[list[np.ndarray], np.ndarray, Crop]:
    """Crop the chosen candidates in a second pass over the video -> frames, landmarks, crop."""
    pixels = clip.pixels[places]
    crop = crop_box(pixels)
    wanted = {clip.numbers[k] for k in places}
    frames = []
    for number, (frame, _) in enumerate(read_video(clip.file)):
        if number in wanted:
            frames.append(crop.cut(frame, size))
        if len(frames) == len(wanted):
            break
    return frames, crop.to_crop(pixels), crop
