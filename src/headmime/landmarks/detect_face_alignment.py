"""face-alignment, the paper's detector: a network for faces (S3FD) and one for points (FAN).

Its package comes with the extra `face-alignment`; the weights are downloaded at first use.
"""

from collections.abc import Sequence
from urllib.error import URLError

import cv2
import numpy as np
import torch

from headmime.errors import HeadmimeError
from headmime.landmarks.detect import SAME_FACE, Face, overlap

LOOKED_AT = 640  # faces are searched in a copy whose longer side is at most this
WEIGHTS = ("s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar")


class FaceAlignmentDetector:
    """The networks of the package face-alignment, on the GPU if there is one."""

    name = "face-alignment"

    def __init__(self) -> None:
        try:
            import face_alignment
        except ImportError as error:
            raise HeadmimeError(
                f"detector=face-alignment cannot be loaded ({error}): install it with "
                "`pip install 'headmime[face-alignment]'`, or use detector=dlib."
            ) from error
        try:
            self._networks = face_alignment.FaceAlignment(
                face_alignment.LandmarksType.TWO_D,
                device="cuda" if torch.cuda.is_available() else "cpu",
                compile=False,  # compiling takes longer than most clips
            )
        except (URLError, OSError) as error:
            raise HeadmimeError(
                f"The weights of detector=face-alignment could not be had ({error}): put "
                f"{' and '.join(WEIGHTS)} into {torch.hub.get_dir()}/checkpoints, or use "
                "detector=dlib."
            ) from error

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        """See `Detector.detect`."""
        return [self._detect(frame) for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        """See `Detector.follow`."""
        moved = [one for one in self._detect(frame) if overlap(one.box, face.box) > SAME_FACE]
        return max(moved, key=lambda one: overlap(one.box, face.box), default=None)

    def _detect(self, frame: np.ndarray) -> list[Face]:
        scale = min(1.0, LOOKED_AT / max(frame.shape))
        height, width = (max(1, round(length * scale)) for length in frame.shape[:2])
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        found = self._networks.face_detector.detect_from_image(small)
        if not len(found):
            return []
        boxes = [np.append(np.array(box[:4]) / scale, box[4]) for box in found]
        points, scores, _ = self._networks.get_landmarks_from_image(
            frame, detected_faces=boxes, return_landmark_score=True
        )
        return [
            # The package rounds points down to whole pixels: their centres are half a pixel on.
            Face(np.float32(p) + 0.5, float(np.mean(s)), tuple(box[:4].tolist()))
            for p, s, box in zip(points, scores, boxes, strict=True)
        ]
