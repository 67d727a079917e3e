"""Verification accuracy of the bundled identity network, dlib's and EfficientNet-Lite0.

python tools/bench_identity.py STORE prints a table: over the people of the split "test" of a clip
store, up to six frames of each, unchanged and with the background masked. EfficientNet-Lite0's
embedding is the spatial mean of its last feature map.
"""

import runpy
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headmime.data.store import Store
from headmime.evaluation.metrics.identity import verification
from headmime.pretrained.dlib_identity import dlib_identity
from headmime.pretrained.efficientnet import efficientnet_lite0
from headmime.pretrained.sitter_identity import sitter_identity

FRAMES = 6
MAKER = runpy.run_path(str(Path(__file__).parents[1] / "makers" / "train_identity.py"))
embed_images, mask_background, read_faces = (
    MAKER[name] for name in ("embed_images", "mask_background", "read_faces")
)


@torch.no_grad()
def main(folder: str) -> None:
    """Print the table."""
    store = Store(folder)
    faces = read_faces(store, test_people(store), halvings=0)
    dlib, efficientnet = dlib_identity(), efficientnet_lite0(side=None)
    networks: dict[str, Callable[[Tensor], Tensor]] = {
        "identity": sitter_identity().embed,
        "EfficientNet-Lite0": lambda images: efficientnet(images)[-1].mean((2, 3)),
    }
    print("| network | surroundings | AUC | EER | rank 1 |\n|---|---|---|---|---|")
    for surroundings, shown in {"seen": faces, "hidden": mask_background(faces)}.items():
        found = {name: embed_images(embed, shown) for name, embed in networks.items()}
        found["dlib"] = dlib(shown.images, shown.landmarks)
        for name, e in found.items():
            v = verification(e, shown.people)
            cells = f"{v.auc:.4f} | {v.eer:.4f} | {v.rank1:.3f}"
            print(f"| {name} | {surroundings} | {cells} |", flush=True)
    print(f"{v.people} people, {v.frames} frames, store {store.hash[:12]}")


def test_people(store: Store) -> list[list[tuple[int, int]]]:
    """Evenly spaced frames of every person of the split "test" who has two or more: from one clip
    after the other where there are several, so that gallery and probes see both.
    """
    of_person = defaultdict(list)
    for video in store.videos_in("test"):
        for clip in store.clips_of(video):
            of_person[store.videos[video][0]] += [(clip, t) for t in range(store.clip(clip).frames)]
    spread = ([f[k] for k in _spread(len(f))] for f in of_person.values())
    return [frames for frames in spread if len(frames) > 1]


def _spread(n: int) -> list[int]:
    return np.unique(np.linspace(0, n - 1, FRAMES).round().astype(int)).tolist()


if __name__ == "__main__":
    main(*sys.argv[1:])
