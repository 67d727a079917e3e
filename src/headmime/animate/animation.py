"""A person who moves as a driving does: frames as they are asked for, a file, a contact sheet."""

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
from headmime.errors import HeadmimeError, check_choice
from headmime.images import resize
from headmime.landmarks.crop import crop_box
from headmime.landmarks.drawing import draw_landmarks
from headmime.progress import OnFrame, report_progress
from headmime.provenance.statement import Kind, ProvenanceOptions, ProvenanceStatement

log = logging.getLogger(__name__)

OUTPUTS = ("crop", "full")
# Without a wish, the side of a crop is that of the driving's, within these, in pixels.
LEAST, MOST = 256, 1024
NO_PICTURE = (
    "output=full needs the original picture, which a saved person does not keep: give source= "
    "instead of person=, or output=crop."
)
LARGEST = 8192  # pixels: what players can still show
# Of a contact sheet; lengths in pixels, a tile's side at least.
SHEET_COLUMNS, TILE, GAP, HEADER = 6, 192, 6, 26
PAPER, INK = 255, (40, 40, 40)


@dataclass(frozen=True)
class Animation:
    """An iterable of uint8 frames, made while it is read.

    [S, S, 3], by the generator alone; with a `scene` these are pasted into its picture, [H, W, 3].
    `landmarks`: float32 [T, 68, 2] in crop coordinates, what each frame is drawn from, and `own`
    [68, 2] the person's in the same coordinates; `statement`: what its credentials will state;
    `driven`: the side of the driving's crop in pixels, if it was a video.
    """

    person: Person
    landmarks: np.ndarray
    own: np.ndarray
    fps: Fraction
    statement: ProvenanceStatement
    driven: float | None = None
    scene: Scene | None = None
    sound: Sound | None = None

    @property
    def size(self) -> int:
        """The side S of what the generator makes, in pixels."""
        return self.person.shape.image_size

    @property
    def viewing_size(self) -> int:
        """The longer side of a video of it, if nobody asks for another: the scene's own; without a
        scene that of the driving's face, from 256 to 1024 pixels.
        """
        if self.scene is not None:
            return max(self.scene.picture.shape[:2])
        return max(self.size, min(MOST, max(LEAST, round(self.driven or 0))))

    def __len__(self) -> int:
        return len(self.landmarks)

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from self._made() if self.scene is None else self._pasted(self.scene)

    def frames(self, size: int) -> Iterator[np.ndarray]:
        """The frames with a longer side of `size` pixels: bicubic, or averaged over areas."""
        if self.scene is not None:
            yield from self._pasted(self.scene.scaled(size))
            return
        yield from (resize(frame, size) for frame in self._made())

    def _repr_html_(self) -> str:
        """The video itself, for notebooks."""
        with tempfile.TemporaryDirectory() as folder:
            content = save(self, Path(folder) / "animation.mp4").read_bytes()
        data = base64.b64encode(content).decode()
        return f'<video controls loop src="data:video/mp4;base64,{data}"></video>'

    def _made(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.landmarks), BATCH):
            yield from self.person.animator(self.landmarks[start : start + BATCH])

    def _pasted(self, scene: Scene) -> Iterator[np.ndarray]:
        (rendition,) = self.person.animator(self.own[None])
        yield from paste_frames(scene, self._made(), self.landmarks, self.own, rendition)


def animation(person: Person, driving: Driving, motion: str, output: str = "crop") -> Animation:
    """`person` moved by `driving`; `motion` is "absolute" or "relative" (see
    `motion.fit_landmarks`).

    `output`: "crop" is the head as the networks see it; "full" the whole picture that the person's
    portrait is from, in which the head moves in its place.
    """
    check_output(output)
    statement = _statement(person, driving, motion, output)
    if output == "crop":
        landmarks = fit_landmarks(driving.landmarks, person.neutral, motion)
        own, scene = person.neutral, None
    else:
        if person.scene is None:
            raise HeadmimeError(NO_PICTURE)
        moved = fit_landmarks(driving.landmarks, person.neutral, motion, in_place=True)
        box = crop_box(moved)
        landmarks, own = box.to_crop(moved), box.to_crop(person.neutral)
        scene = person.scene.within(box)
    return Animation(
        person, landmarks, own, driving.fps, statement, driving.side, scene, driving.sound
    )


def check_output(output: str) -> None:
    """HeadmimeError unless `output` is one that `animation` knows."""
    check_choice("output", output, OUTPUTS)


def _statement(person: Person, driving: Driving, motion: str, output: str) -> ProvenanceStatement:
    method = person.record["origin"]["method"]
    settings = {"method": method, "motion": motion, "output": output}
    return replace(
        person.statement,
        ingredients=person.statement.ingredients + driving.ingredients,
        settings=settings,
        kind=Kind.COMPOSITE if output == "full" else Kind.GENERATED,
    )


def check_size(size: int | None) -> None:
    """HeadmimeError for a size that no video has."""
    if size is not None and not 16 <= size <= LARGEST:
        raise HeadmimeError(f"size={size} should be from 16 to {LARGEST} pixels.")


def save(
    animation: Animation,
    path: str | Path,
    size: int | None = None,
    on_frame: OnFrame | None = None,
    marks: ProvenanceOptions | None = None,
) -> Path:
    """Write an animation as .mp4 or .gif, or a contact sheet of it as .png; return the path.

    The file is marked as AI-generated, with the person's consent; `marks` may turn marks off.
    `size`: the longer side of a video's frames in pixels; None: see `Animation.viewing_size`.
    """
    check_size(size)
    if Path(path).suffix.lower() == ".png":
        sheet = report_progress([_sheet(animation)], 1, on_frame)
        # The source and the landmarks are in it.
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
    """The moments that differ most, in the order of time."""
    moments = sorted(spread(animation.landmarks, SHEET_COLUMNS))
    landmarks = animation.landmarks[moments]
    person = animation.person
    return contact_sheet(person.portrait, landmarks, person.animator(landmarks))


def contact_sheet(
    source: np.ndarray | None, landmarks: np.ndarray, results: np.ndarray
) -> np.ndarray:
    """One picture of a source (if it is at hand) and of some frames made from it.

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


def _place(sheet: np.ndarray, picture: np.ndarray, x: int, y: int, side: int) -> None:
    sheet[y : y + side, x : x + side] = resize(picture, side)


def _write(sheet: np.ndarray, text: str, x: int) -> None:
    cv2.putText(sheet, text, (x, HEADER - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
