"""Frames that another system made, read from a folder and scored like those of our methods."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from headmime.data.image_reader import read_image
from headmime.data.video_reader import VIDEO_SUFFIXES, read_video
from headmime.errors import HeadmimeError
from headmime.evaluation.trials import Trial
from headmime.files import sha256
from headmime.images import Animator, resize


@dataclass(frozen=True)
class FrameFolder:
    """A trial's frames are the images in `folder`/<trial's name>/, sorted by their names, or those
    of the video `folder`/<trial's name>.mp4 (or another video ending): one for each driving frame.

    A slash in the name is a folder. Frames are square, framed as the store's, of any side.
    """

    folder: Path

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise HeadmimeError(f"frames={self.folder} is not a folder: method=frames needs one.")

    @cached_property
    def hash(self) -> str:
        """Of the names and contents of all files."""
        files = sorted(file for file in self.folder.rglob("*") if file.is_file())
        told = [f"{file.relative_to(self.folder).as_posix()} {sha256(file)}" for file in files]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def animator(self, trial: Trial, size: int) -> Animator:
        """The trial's frames at side `size`, whatever landmarks are asked for: these were given."""
        frames = np.stack([resize(one, size) for one in self._read(trial)])
        return lambda asked: frames

    def _read(self, trial: Trial) -> list[np.ndarray]:
        path, wanted = self.folder / trial.name, len(trial.driving)
        videos = [Path(f"{path}{suffix}") for suffix in sorted(VIDEO_SUFFIXES)]
        video = next((file for file in videos if file.is_file()), None)
        if path.is_dir():
            frames = [read_image(file) for file in sorted(path.iterdir()) if file.is_file()]
        elif video is not None:
            path, frames = video, [frame for frame, _ in read_video(video)]
        else:
            raise HeadmimeError(
                f"method=frames: {path} is missing: a folder of {wanted} images, or a video of as "
                f"many frames ({path.name}.mp4)."
            )
        if len(frames) != wanted:
            raise HeadmimeError(
                f"method=frames: {path} has {len(frames)} frames, and the trial {wanted}."
            )
        if any(frame.shape[0] != frame.shape[1] for frame in frames):
            raise HeadmimeError(f"method=frames: the frames of {path} should be square crops.")
        return frames
