"""Loading of landmark detectors by name."""

from typing import Any

from headmime.errors import HeadmimeError
from headmime.landmarks.faces import Detector


def load_detector(name: str, **keys: Any) -> Detector:
    """Load a detector; HeadmimeError if its package or weights are missing.

    `keys`: arguments of `FaceAlignmentDetector`; dlib has none.
    """
    if name == "dlib":
        from headmime.landmarks.detect_dlib import DlibDetector

        return DlibDetector(**keys)
    if name == "face-alignment":
        from headmime.landmarks.detect_face_alignment import FaceAlignmentDetector

        return FaceAlignmentDetector(**keys)
    raise HeadmimeError(f"There is no detector {name!r}: use dlib or face-alignment.")
