"""A person who moves as a driving does: frames as they are asked for."""

import base64
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from headmime.animate.driving import Driving
from headmime.animate.motion import fitted
from headmime.animate.paste import pasted
from headmime.animate.person import BATCH, Person
from headmime.animate.scene import Scene
from headmime.animate.sound import Sound
from headmime.errors import HeadmimeError
from headmime.images import resize
from headmime.landmarks.crop import crop_box
from headmime.provenance.making import Kind, Making

OUTPUTS = ("crop", "full")
# Without a wish, the side of a crop is that of the driving's, within these, in pixels.
LEAST, MOST = 256, 1024
NO_PICTURE = (
    "output=full needs the original picture, which a saved person does not keep: give source= "
    "instead of person=, or output=crop."
)


@dataclass(frozen=True)
class Animation:
    """An iterable of uint8 frames, made while it is read.

    [S, S, 3], by the generator alone; with a `scene` these are pasted into its picture, [H, W, 3].
    `landmarks`: float32 [T, 68, 2] in crop coordinates, what each frame is drawn from, and `own`
    [68, 2] the person's in the same coordinates; `making`: what its credentials will state;
    `driven`: the side of the driving's crop in pixels, if it was a video.
    """

    person: Person
    landmarks: np.ndarray
    own: np.ndarray
    fps: Fraction
    making: Making
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
        from headmime.animate.api import save

        with tempfile.TemporaryDirectory() as folder:
            content = save(self, Path(folder) / "animation.mp4").read_bytes()
        data = base64.b64encode(content).decode()
        return f'<video controls loop src="data:video/mp4;base64,{data}"></video>'

    def _made(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.landmarks), BATCH):
            yield from self.person.animator(self.landmarks[start : start + BATCH])

    def _pasted(self, scene: Scene) -> Iterator[np.ndarray]:
        (rendition,) = self.person.animator(self.own[None])
        yield from pasted(scene, self._made(), self.landmarks, self.own, rendition)


def animation(person: Person, driving: Driving, motion: str, output: str = "crop") -> Animation:
    """`person` moved by `driving`; `motion` is "absolute" or "relative" (see `motion.fitted`).

    `output`: "crop" is the head as the networks see it; "full" the whole picture that the person's
    portrait is from, in which the head moves in its place.
    """
    check_output(output)
    making = _making(person, driving, motion, output)
    if output == "crop":
        landmarks = fitted(driving.landmarks, person.neutral, motion)
        own, scene = person.neutral, None
    else:
        if person.scene is None:
            raise HeadmimeError(NO_PICTURE)
        moved = fitted(driving.landmarks, person.neutral, motion, in_place=True)
        box = crop_box(moved)
        landmarks, own = box.to_crop(moved), box.to_crop(person.neutral)
        scene = person.scene.within(box)
    return Animation(
        person, landmarks, own, driving.fps, making, driving.side, scene, driving.sound
    )


def check_output(output: str) -> None:
    """HeadmimeError unless `output` is one that `animation` knows."""
    if output not in OUTPUTS:
        raise HeadmimeError(f"output={output} is not known; choose one of {', '.join(OUTPUTS)}.")


def _making(person: Person, driving: Driving, motion: str, output: str) -> Making:
    method = person.record["origin"]["method"]
    settings = {"method": method, "motion": motion, "output": output}
    origin = () if driving.origin is None else (driving.origin,)
    return replace(
        person.making,
        ingredients=person.making.ingredients + origin,
        settings=settings,
        kind=Kind.COMPOSITE if output == "full" else Kind.GENERATED,
    )
