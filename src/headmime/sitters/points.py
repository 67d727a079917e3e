"""Vertices of MakeHuman's base mesh for the 68 iBUG landmarks.

Made by makers/landmark_vertices.py with dlib's predictor on 595 rendered faces: for each point the
mirror-symmetric vertex with the smallest mean distance (2 to 6 % of the interocular distance; 4 to
13 % along the jaw, where dlib is inaccurate).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]  (compiled)

from headmime.sitters.body import Body

LANDMARK_VERTICES = np.array(
    [
        # jaw
        5415, 5638, 5480, 910, 5240, 915, 5295, 5292, 5225, 11898, 11901, 7617,
        11849, 7612, 12079, 12235, 12014,
        # brows
        3742, 5260, 229, 223, 228, 7001, 6997, 7002, 11868, 10410,
        # nose
        136, 131, 164, 294, 320, 313, 343, 7076, 7082,
        # eyes
        4852, 4848, 4865, 6764, 6772, 6776, 13360, 11483, 11466, 11470, 13372, 13368,
        # outer lips
        501, 5351, 456, 466, 7215, 11953, 7250, 7130, 7241, 492, 486, 370,
        # inner lips
        437, 462, 474, 7221, 7197, 7242, 493, 487,
    ]
)  # fmt: skip
"""[68] vertex numbers of the base mesh (`Body.source`), in iBUG order."""

CHAIN = 9
"""Candidate vertices per jaw point, besides its own."""

BEHIND = {3: 0.25, 4: 0.15}
"""Extension of the chains of some jaw points towards the corner of the jaw, where detectors put
them on the near side of a turned head; in units of the distance to the eye's corner."""


def jaw_chains(body: Body, landmarks: NDArray) -> NDArray:
    """Candidate vertices [17, 1 + CHAIN] between each jaw point and the middle of the face.

    On a turned head detectors put the far jaw points on the outline of the cheek, which passes near
    one of these vertices. The first of each chain is the jaw point's own vertex.
    """
    bare = np.zeros(len(body.vertices), bool)
    bare[body.faces[body.part == 0]] = True
    bare &= (body.paint_mouth < 0.3) & (body.paint_lips < 0.2) & (body.paint_ears < 0.2)
    candidates = np.flatnonzero(bare & (np.abs(body.vertices[:, 0]) < 0.09))
    tree = cKDTree(body.vertices[candidates])
    chains = []
    for point in range(17):
        start = body.vertices[landmarks[point]]
        side = landmarks[36 if point < 8 else 45]  # towards the eye's corner, or the lips
        lips = landmarks[{7: 59, 8: 57, 9: 55}.get(point, 48 if point < 8 else 54)]
        share = np.clip(abs(point - 8) / 8, 0, 1)
        end = share * body.vertices[side] + (1 - share) * body.vertices[lips]
        behind = -BEHIND.get(min(point, 16 - point), 0.0)
        path = start + np.linspace(behind, 0.6, CHAIN)[:, None] * (end - start)
        chains.append(candidates[tree.query(path)[1]])
    chains = np.stack(chains)
    return np.concatenate([landmarks[:17, None], chains], axis=1)


LIDS = {"eyeBlinkRight": ([37, 38], [41, 40]), "eyeBlinkLeft": ([43, 44], [47, 46])}
"""Blink action of each eye -> landmarks of its upper and lower lid."""


def limit_blinks(body: Body, landmarks: NDArray, rest: NDArray, actions: NDArray) -> NDArray:
    """Limit the blinks in actions [T, 52] of a person `rest` [V, 3] to where the lids meet.

    The body model's full blink closes the widest eyes; in narrower ones the lids would cross, and
    the landmarks of closed eyes would look like those of open ones.
    """
    names = [str(name) for name in body.action_names]
    actions = actions.copy()
    for name, (upper, lower) in LIDS.items():
        column = names.index(name)
        upper, lower = landmarks[upper], landmarks[lower]
        moved = (body.actions[:, upper, 2] - body.actions[:, lower, 2]).mean(1)
        others = actions.copy()
        others[:, column] = 0
        gap = (rest[upper, 2] - rest[lower, 2]).mean() + others @ moved
        actions[:, column] = np.minimum(actions[:, column], np.maximum(gap, 0) / -moved[column])
    return actions


OUTWARDS = np.stack([-np.cos(np.linspace(0, np.pi, 17)), np.sin(np.linspace(0, np.pi, 17))], -1)
"""Direction of each jaw point from the centre of an upright face in the image, [17, 2]."""


def locate_landmarks(projected: NDArray, landmarks: NDArray, chains: NDArray) -> NDArray:
    """The 68 landmarks [68, 2] of a projected mesh [V, 2], jaw points on the face's outline."""
    points = projected[landmarks].copy()
    across = points[45] - points[36]
    across = across / np.linalg.norm(across)
    outwards = OUTWARDS[:, :1] * across + OUTWARDS[:, 1:] * np.array([-across[1], across[0]])
    places = projected[chains]
    best = np.argmax((places * outwards[:, None]).sum(-1), axis=1)
    points[:17] = places[np.arange(17), best]
    return points
