"""Motion of heads and mouths in the clips of stores: medians and 90th percentiles over clips.

    python tools/bench_motion_spread.py STORE [STORE ...]

Lengths in face sizes (about brows to chin), tilts in degrees. For lids, the shares of frames with
at most half the clip's median opening, with an opening within a tenth of it around 0 (closed), and
with lids crossed by more.
"""

import sys

import numpy as np

from headmime.data.store import Store
from headmime.landmarks.points import EYE_L, EYE_R, eye_opening, face_size, head_turn, mouth_opening
from headmime.sitters.detector import LOWER, UPPER, to_upright_axes


def measures(landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Tracks [T] of a clip's landmarks [T, 68, 2]."""
    size = face_size(landmarks)
    eyes = landmarks[:, EYE_L].mean(1) - landmarks[:, EYE_R].mean(1)
    middle = landmarks[:, 36:48].mean(1)
    return {
        "mouth opening": mouth_opening(landmarks),
        "eye opening": eye_opening(landmarks),
        "mouth width": np.linalg.norm(landmarks[:, 54] - landmarks[:, 48], axis=-1) / size,
        "head turn": head_turn(landmarks),
        "tilt": np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0])),
        "nod": (landmarks[:, 30, 1] - middle[:, 1]) / size,
        "place": landmarks[:, 27:31, 0].mean(1),
        "size": size,
    }


def lids(landmarks: np.ndarray) -> np.ndarray:
    """How far the lids of a clip [T, 68, 2] are apart, over the clip's median; crossed below 0."""
    face = to_upright_axes(landmarks)
    gap = (face[:, LOWER] - face[:, UPPER])[..., 1].mean(1) / face_size(landmarks)
    return gap / np.median(gap)


def main(folders: list[str]) -> None:
    for folder in folders:
        store = Store(folder)
        tracks = [store.landmarks(n).astype(np.float64) for n in range(store.n)]
        clips = [measures(track) for track in tracks]
        print(f"{folder}: {len(clips)} clips")
        for name in clips[0]:
            deviation = np.percentile([clip[name].std() for clip in clips], (50, 90))
            span = np.percentile([np.ptp(clip[name]) for clip in clips], (50, 90))
            print(
                f"  {name:14} deviation in a clip {deviation[0]:.3f} ({deviation[1]:.3f})"
                f"  range in a clip {span[0]:.3f} ({span[1]:.3f})"
            )
        gaps = np.concatenate([lids(track) for track in tracks])
        shares = [gaps < 0.5, abs(gaps) <= 0.1, gaps < -0.1]
        half, shut, crossed = (100 * frames.mean() for frames in shares)
        print(f"  lids {half:.1f} % half shut, {shut:.1f} % shut, {crossed:.1f} % crossed")


if __name__ == "__main__":
    main(sys.argv[1:])
