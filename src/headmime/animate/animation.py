"""Animate a person with a driving motion: lazily generated frames, video files, contact sheets."""

import base64
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from headmime.animate.driving import Driving
from headmime.animate.media_writer import write_media
from headmime.animate.motion import fit_landmarks
from headmime.animate.paste import paste_frames
from headmime.animate.person import BATCH, Person
from headmime.animate.poses import spread
from headmime.animate.sound import Sound
from headmime.animate.sources import Scene
from headmime.animate.strength import AS_DRIVEN, Strength, check_strength
from headmime.errors import HeadmimeError, check_choice
from headmime.images import resize
from headmime.landmarks.crop import crop_box
from headmime.landmarks.drawing import draw_landmarks
from headmime.progress import OnFrame, report_progress
from headmime.provenance.statement import Kind, ProvenanceOptions, ProvenanceStatement

log = logging.getLogger(__name__)

OUTPUTS = ("crop", "full")
# Pixels: default output side of a crop, which follows the driving video's, clipped to this range.
MIN_SIDE, MAX_SIDE = 256, 1024
NO_SCENE = (
    "output=full needs the original image, which a saved person does not contain: give source= "
    "instead of person=, or output=crop."
)
MAX_SIZE = 8192  # pixels: the largest side that common players support
# Contact sheet; lengths in pixels, TILE is the minimum.
SHEET_COLUMNS, TILE, GAP, HEADER = 6, 192, 6, 26
PAPER, INK = 255, (40, 40, 40)


@dataclass(frozen=True)
class Animation:
    """Iterable of uint8 frames, generated lazily.

    Frames are [S, S, 3], straight from the generator; with a `scene` they are pasted into its
    image, [H, W, 3]. `landmarks`: float32 [T, 68, 2] in crop coordinates, the generator's inputs;
    `own` [68, 2]: the person's neutral landmarks in the same coordinates; `statement`: for the
    content credentials; `driving_side`: side of the driving's crop in pixels, None for a template;
    `still`: driven by one image, the result is one too.
    """

    person: Person
    landmarks: np.ndarray
    own: np.ndarray
    fps: Fraction
    statement: ProvenanceStatement
    driving_side: float | None = None
    scene: Scene | None = None
    sound: Sound | None = None
    still: bool = False

    @property
    def size(self) -> int:
        """Side S of the generator's output, in pixels."""
        return self.person.shape.image_size

    @property
    def viewing_size(self) -> int:
        """Default longer side of a video: the scene's; without a scene, the side of the driving
        video's crop, clipped to 256..1024 pixels.
        """
        if self.scene is not None:
            return max(self.scene.image.shape[:2])
        return max(self.size, min(MAX_SIDE, max(MIN_SIDE, round(self.driving_side or 0))))

    def __len__(self) -> int:
        return len(self.landmarks)

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from self._generate() if self.scene is None else self._paste(self.scene)

    def frames(self, size: int) -> Iterator[np.ndarray]:
        """Yield frames with a longer side of `size` pixels (bicubic up, area average down)."""
        if self.scene is not None:
            yield from self._paste(self.scene.scaled(size))
            return
        yield from (resize(frame, size) for frame in self._generate())

    def _repr_html_(self) -> str:
        """HTML video player, or the image, for notebooks."""
        name = "animation.png" if self.still else "animation.mp4"
        with tempfile.TemporaryDirectory() as folder:
            content = save(self, Path(folder) / name).read_bytes()
        data = base64.b64encode(content).decode()
        if self.still:
            return f'<img src="data:image/png;base64,{data}">'
        return f'<video controls loop src="data:video/mp4;base64,{data}"></video>'

    def _generate(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.landmarks), BATCH):
            yield from self.person.animator(self.landmarks[start : start + BATCH])

    def _paste(self, scene: Scene) -> Iterator[np.ndarray]:
        (rendition,) = self.person.animator(self.own[None])
        yield from paste_frames(scene, self._generate(), self.landmarks, self.own, rendition)


def animation(
    person: Person,
    driving: Driving,
    motion: str,
    output: str = "crop",
    strength: Strength = AS_DRIVEN,
) -> Animation:
    """Animate `person` with `driving`; `motion` is "absolute" or "relative" (see
    `motion.fit_landmarks`).

    `output`: "crop" is the generator's square frame; "full" pastes it into the original image of
    the person's portrait. `strength`: of relative motion.
    """
    check_output(output)
    check_strength(strength, motion)
    statement = _statement(person, driving, motion, output, strength)
    if output == "crop":
        landmarks = fit_landmarks(driving.landmarks, person.neutral, motion, strength=strength)
        own, scene = person.neutral, None
    else:
        if person.scene is None:
            raise HeadmimeError(NO_SCENE)
        moved = fit_landmarks(driving.landmarks, person.neutral, motion, True, strength)
        box = crop_box(moved)
        landmarks, own = box.to_crop(moved), box.to_crop(person.neutral)
        scene = person.scene.within(box)
    return Animation(
        person,
        landmarks,
        own,
        driving.fps,
        statement,
        driving.side,
        scene,
        driving.sound,
        driving.still,
    )


def check_output(output: str) -> None:
    """Raise HeadmimeError unless `output` is in `OUTPUTS`."""
    check_choice("output", output, OUTPUTS)


def _statement(
    person: Person, driving: Driving, motion: str, output: str, strength: Strength
) -> ProvenanceStatement:
    method = person.record["origin"]["method"]
    settings = {"method": method, "motion": motion, "output": output}
    if strength != AS_DRIVEN:
        settings["strength"] = str(strength)
    return replace(
        person.statement,
        ingredients=person.statement.ingredients + driving.ingredients,
        settings=settings,
        kind=Kind.COMPOSITE if output == "full" else Kind.GENERATED,
    )


def check_size(size: int | None) -> None:
    """Raise HeadmimeError unless `size` is None or within 16..`MAX_SIZE` pixels."""
    if size is not None and not 16 <= size <= MAX_SIZE:
        raise HeadmimeError(f"size={size} should be from 16 to {MAX_SIZE} pixels.")


def check_still(still: bool, path: str | Path) -> None:
    """Raise HeadmimeError unless what an image drives is written as an image."""
    if still and Path(path).suffix.lower() != ".png":
        raise HeadmimeError(
            f"out={Path(path).name}: driven by one image, the result is one; the name must end in "
            ".png."
        )


def save(
    animation: Animation,
    path: str | Path,
    size: int | None = None,
    on_frame: OnFrame | None = None,
    marks: ProvenanceOptions | None = None,
) -> Path:
    """Write an animation as .mp4 or .gif, or a contact sheet of it as .png; return the path. One
    that an image drives is written as .png, its only frame.

    The file is marked as AI-generated, with the stated consent; `marks` can disable marks. `size`:
    longer side of a video's frames in pixels; None: `Animation.viewing_size`.
    """
    check_size(size)
    check_still(animation.still, path)
    if Path(path).suffix.lower() == ".png" and not animation.still:
        sheet = report_progress([_sheet(animation)], 1, on_frame)
        # The sheet contains the source image and the drawn landmarks.
        statement = replace(animation.statement, kind=Kind.COMPOSITE)
        return write_media(path, sheet, animation.fps, statement, marks)
    size = size or animation.viewing_size
    if animation.scene is None and size > animation.size:
        log.info(
            "%s: frames of %d pixels, enlarged to %d for viewing (bicubic).",
            Path(path).name,
            animation.size,
            size,
        )
    if animation.sound is not None and Path(path).suffix.lower() == ".gif":
        log.info("%s: a GIF has no sound.", Path(path).name)
    frames = report_progress(animation.frames(size), len(animation), on_frame)
    return write_media(
        path, frames, animation.fps, animation.statement, marks, sound=animation.sound
    )


def _sheet(animation: Animation) -> np.ndarray:
    """Contact sheet of the `SHEET_COLUMNS` most different frames, in temporal order."""
    moments = sorted(spread(animation.landmarks, SHEET_COLUMNS))
    landmarks = animation.landmarks[moments]
    person = animation.person
    return contact_sheet(person.portrait, landmarks, person.animator(landmarks))


def contact_sheet(
    source: np.ndarray | None, landmarks: np.ndarray, results: np.ndarray
) -> np.ndarray:
    """Draw a source image (if available) and frames generated from it as one image.

    source uint8 [S, S, 3], landmarks [n, 68, 2] in crop coordinates, results uint8 [n, S, S, 3] ->
    uint8 [H, W, 3]: the source large on the left, then n columns, landmarks above results.
    """
    tile = max(TILE, results.shape[1])
    large = 2 * tile + GAP
    left = GAP if source is None else large + 2 * GAP
    width = left + len(results) * (tile + GAP)
    sheet = np.full((HEADER + large + GAP, width, 3), PAPER, np.uint8)
    if source is not None:
        _write(sheet, "source", GAP)
        _place(sheet, source, GAP, HEADER, large)
    _write(sheet, "landmarks (above), result (below)", left)
    for column, (points, result) in enumerate(zip(landmarks, results, strict=True)):
        x = left + column * (tile + GAP)
        _place(sheet, draw_landmarks(points, tile), x, HEADER, tile)
        _place(sheet, result, x, HEADER + tile + GAP, tile)
    return sheet


def _place(sheet: np.ndarray, image: np.ndarray, x: int, y: int, side: int) -> None:
    sheet[y : y + side, x : x + side] = resize(image, side)


def _write(sheet: np.ndarray, text: str, x: int) -> None:
    cv2.putText(sheet, text, (x, HEADER - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
