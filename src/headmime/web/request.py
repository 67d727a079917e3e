"""What a user asks for, and what is said about it before the job."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headmime.animate.animation import MIN_SIDE
from headmime.animate.driving import TEMPLATE, find_driving, is_still, load_template
from headmime.animate.sources import Scene
from headmime.animate.strength import Strength
from headmime.data.video_reader import read_video_info
from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.web.uploads import PERSON, Limits, check_driving, check_sources

VIDEO_SIDE = 1280  # pixels of the longer side, at most


@dataclass(frozen=True)
class Checked:
    """What is known of a person before the job: number of frames, side of the generated frames in
    pixels, the original image (None for a saved person), warnings.
    """

    frames: int
    size: int
    scene: Scene | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class JobRequest:
    """The user's inputs.

    `images`: of the person, or one file of a saved person; `driving`: a file or a bundled motion,
    from `start` to `end` seconds; `output`: crop or full; `finetune`: False is feed-forward;
    `motion`: None is relative, for an image absolute.
    """

    images: tuple[Path, ...]
    driving: str | Path
    output: str
    finetune: bool
    consent: str | None
    start: float = 0.0
    end: float | None = None
    motion: str | None = None
    strength: Strength = field(default_factory=Strength)

    @property
    def is_saved_person(self) -> bool:
        """Whether the person was learned before."""
        return self.images[0].suffix.lower() == PERSON

    @property
    def is_still(self) -> bool:
        """Whether one image drives, so that the result is one, too."""
        return is_still(find_driving(self.driving))

    @property
    def name(self) -> str:
        """Stem of the results' names: image and motion."""
        return re.sub(r"[^\w-]+", "_", f"{self.images[0].stem}-{Path(self.driving).stem}")

    @property
    def key(self) -> str:
        """Hash of all inputs that determine the person."""
        total = hashlib.sha256(f"{self.finetune} {self.consent}".encode())
        for file in self.images:
            total.update(bytes.fromhex(sha256(file)))
        return total.hexdigest()

    def length(self) -> tuple[int, int]:
        """Number of the driving's frames that are read, and of those that are made."""
        file = find_driving(self.driving)
        if is_still(file):
            return 0, 1
        template = file.suffix.lower() == TEMPLATE
        if template:
            driving = load_template(file)
            count, fps = len(driving.landmarks), driving.fps
        else:
            info = read_video_info(file)
            count, fps = info.frames, info.fps
        last = count if self.end is None else min(count, round(self.end * fps))
        return 0 if template else last, max(0, last - round(self.start * fps))

    def check(self, limits: Limits) -> None:
        """Raise HeadmimeError for unusable or too large inputs, or without a consent."""
        check_sources(self.images, limits)
        check_driving(find_driving(self.driving), limits)
        if self.is_saved_person and self.output == "full":
            raise HeadmimeError("A saved person holds no photo: choose the head as output.")
        if not self.is_saved_person and not self.consent:
            raise HeadmimeError("Please say why you may animate this person.")

    def describe(self, person: Checked) -> str:
        """Say how many frames are made, and at which sizes."""
        side = f"{max(person.size, MIN_SIDE)} pixels"
        if self.output == "full" and person.scene is not None:
            side = f"{min(VIDEO_SIDE, max(person.scene.image.shape[:2]))} pixels, as the photo"
        elif find_driving(self.driving).suffix.lower() != TEMPLATE:
            side += ", or more if the driving face is larger"
        head = f"the head is made at {person.size} x {person.size} pixels"
        if self.is_still:
            return f"One image; {head}, shown at {side}. The driver's face shape comes along."
        return f"{self.length()[1]} frames; {head}, the video at {side}."
