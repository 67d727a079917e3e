"""Train the identity network of `perceptual=efficientnet+identity` on rendered sitters.

python makers/train_identity.py runs/stores/sitters_256 src/headmime/assets/weights

writes identity.safetensors and identity.json there, whenever the network tells the people that are
set aside of the split "train" better apart than before. Its figures on the split "test" are those
of tools/bench_identity.py.
"""

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

from headmime.data.store import Store
from headmime.evaluation.metrics.identity import verification
from headmime.files import sha256
from headmime.learning.identity import (
    Faces,
    IdentitySettings,
    IdentityTraining,
    embed_images,
    mask_background,
    read_faces,
    train_identity,
)
from headmime.pixels import to_tensor
from headmime.pretrained.sitter_identity import SIDE, SitterIdentity
from headmime.provenance.origin import software_origin

HELD_OUT = 40  # two people of the split "train" are held out, and one more for every 40


def main(folder: str, out: Path, settings: IdentitySettings, every: int) -> None:
    """Train, and save the network with the smallest equal error rate."""
    store = Store(folder)
    people = [all_frames(store, video) for video in store.videos_in("train")]
    halvings = max(0, int(math.log2(store.size / SIDE)))
    first = 2 + len(people) // HELD_OUT
    aside, faces = (read_faces(store, p, halvings) for p in (people[:first], people[first:]))
    judged = mask_background(aside)
    made = {
        "store": store.hash,
        "people": len(people) - first,
        "frames": len(faces.people),
        "settings": asdict(settings),
        **software_origin(),
    }
    out.mkdir(parents=True, exist_ok=True)
    best, losses = 1.0, []

    def on_step(done: int, progress: float, loss: float, net: IdentityTraining) -> None:
        nonlocal best
        losses.append(loss)
        if done % every and progress < 1:
            return
        state = with_magnitudes(net.fold_norms(), aside)
        found = verification(embed_images(SitterIdentity(state, {}).embed, judged), aside.people)
        print(f"{done} steps, loss {sum(losses) / len(losses):.2f}: {found}", flush=True)
        losses.clear()
        if found.eer < best:
            best = found.eer
            save(out, state, made | {"steps": done, "people set aside": found._asdict()})

    train_identity(faces, settings, on_step)


def all_frames(store: Store, video: int) -> list[tuple[int, int]]:
    """The frames (clip, t) of a video."""
    return [(c, t) for c in store.clips_of(video) for t in range(store.clip(c).frames)]


def with_magnitudes(state: dict[str, torch.Tensor], faces: Faces) -> dict[str, torch.Tensor]:
    """Convert to float16, and add the mean magnitude of every feature over the first images."""
    state = {name: t.half() for name, t in state.items()} | {"magnitudes": torch.ones(4)}
    with torch.no_grad():
        features = SitterIdentity(state, {})(to_tensor(faces.images[:256]))
    return state | {"magnitudes": torch.stack([f.abs().mean() for f in features])}


def save(out: Path, state: dict[str, torch.Tensor], origin: dict) -> None:
    """Write identity.safetensors and identity.json."""
    file = out / "identity.safetensors"
    save_file({name: t.contiguous() for name, t in state.items()}, file)
    file.chmod(0o644)  # safetensors writes with mode 600
    described = {"sha256": sha256(file), "origin": origin}
    file.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=IdentitySettings.steps)
    parser.add_argument("--minutes", type=float, default=IdentitySettings.minutes)
    parser.add_argument("--people", type=int, default=IdentitySettings.people, help="in a step")
    parser.add_argument("--seed", type=int, default=IdentitySettings.seed)
    parser.add_argument("--every", type=int, default=500, help="steps between two checks")
    words = parser.parse_args()
    chosen = IdentitySettings(words.steps, words.minutes, words.people, seed=words.seed)
    main(words.store, words.out, chosen, words.every)
