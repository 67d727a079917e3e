"""Strengths of relative motion: how far the head, the mouth, the eyes, the expression go."""

from dataclasses import asdict, dataclass

import numpy as np

from headmime.animate.poses import RIGID, as_points
from headmime.errors import HeadmimeError
from headmime.landmarks.points import BROW_L, BROW_R, CHIN, EYE_L, EYE_R, JAW, face_size

STRONGEST = 3.0

# Depth of the 68 points towards the camera, in face sizes, from the plane of the eyes' corners:
# mean of 60 random sitters (`headmime.sitters.points.LANDMARK_VERTICES` of their bodies at rest).
# fmt: off
DEPTH = np.array([
    -.65, -.61, -.63, -.34, -.34, -.25, -.12, -.02, .03, -.02, -.12, -.25, -.34, -.34, -.63, -.61,
    -.65, -.18, -.03, .08, .11, .12, .12, .11, .08, -.03, -.18, .10, .14, .19, .26, .11, .15, .16,
    .15, .11, .00, .04, .04, .00, .02, .02, .00, .04, .04, .00, .02, .02, .06, .14, .17, .18, .17,
    .14, .06, .09, .13, .14, .13, .09, .06, .14, .13, .14, .06, .13, .14, .13,
])
# fmt: on
CHIN_REACH = 5  # jaw points to each side of the chin that an opening mouth takes along


@dataclass  # not frozen, since it is the schema of conf/strength.yaml
class Strength:
    """Factors of relative motion: 1 as driven, 0 none, above 1 exaggerated, up to `STRONGEST`.

    `head`: position, tilt, distance, turn and nod. `expression`: everything else (brows, nose,
    eyes, mouth, chin); `mouth` (lips and chin) and `eyes` (lids) multiply it for these parts.
    """

    head: float = 1.0
    mouth: float = 1.0
    eyes: float = 1.0
    expression: float = 1.0

    def __str__(self) -> str:
        changed = [f"{k}={v:g}" for k, v in asdict(self).items() if v != 1]
        return ", ".join(changed) or "as driven"


AS_DRIVEN = Strength()


def check_strength(strength: Strength, motion: str = "relative") -> None:
    """Raise HeadmimeError for a factor outside 0..`STRONGEST`, or any with absolute motion."""
    for name, value in asdict(strength).items():
        if not 0 <= value <= STRONGEST:
            raise HeadmimeError(
                f"strength.{name}={value:g} should be from 0 (none) to {STRONGEST:g}; "
                "1 is as driven."
            )
    if strength != AS_DRIVEN and motion == "absolute":
        raise HeadmimeError(
            f"strength ({strength}) needs motion=relative: absolute motion draws the driving's "
            "landmarks as they are, so that there is no change to scale."
        )


def scale_change(change: np.ndarray, face: np.ndarray, strength: Strength) -> np.ndarray:
    """Scale the change [T, 68] of a complex face [68] whose position, tilt and size are held.

    The part of it that turns and nods the head is the affine motion of a head of depth `DEPTH` that
    fits the eyes' corners and the nose best; of the jaw it is everything but the chin's way along
    the face, since the jaw line is a silhouette. The rest is the expression.
    """
    centred = (face - face[RIGID].mean()) / face_size(as_points(face))
    basis = np.stack([np.ones(len(face)), centred.real, centred.imag, DEPTH], 1)
    turned = change[:, RIGID] @ np.linalg.pinv(basis[RIGID]).T @ basis.T
    expressed = change - turned
    across = face[45] - face[36]
    down = 1j * across / abs(across)
    fall = np.real(expressed[:, CHIN - 1 : CHIN + 2].mean(1, keepdims=True) * down.conj())
    near = np.clip(1 - abs(np.arange(JAW.start, JAW.stop) - CHIN) / CHIN_REACH, 0, 1)
    expressed[:, JAW] = near * fall * down
    factors = np.full(len(face), strength.expression * strength.mouth)
    factors[27:36] = factors[BROW_R] = factors[BROW_L] = strength.expression
    factors[EYE_R] = factors[EYE_L] = strength.expression * strength.eyes
    return strength.head * (change - expressed) + factors * expressed


def scale_head(
    a: np.ndarray, b: np.ndarray, face: np.ndarray, head: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scale the head's similarity z -> a z + b, complex [T, 1] each: its shift of the middle of
    `face` [68], its angle, and the logarithm of its scale.
    """
    middle = face[RIGID].mean()
    shift = a * middle + b - middle
    scaled = abs(a) ** head * np.exp(1j * head * np.unwrap(np.angle(a), axis=0))
    return scaled, middle + head * shift - scaled * middle
