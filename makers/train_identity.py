"""Train the identity network of `perceptual=efficientnet+identity` on rendered sitters.

python makers/train_identity.py runs/stores/sitters_256 src/headmime/assets/weights

writes identity.safetensors and identity.json there, whenever the network tells the people that are
set aside of the split "train" better apart than before. Its figures on the split "test" are those
of tools/bench_identity.py.

All frames of a sitter share clothes, hair, light and backdrop. Augmentation replaces the
surroundings of the face and changes light and colour, so that only the face identifies a person.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from headmime.data.store import Store
from headmime.evaluation.metrics.identity import verification
from headmime.files import sha256
from headmime.pixels import to_tensor
from headmime.precision import computes_in_bfloat16
from headmime.pretrained.sitter_identity import (
    CONVOLUTIONS,
    EMBEDDING,
    LAST,
    SIDE,
    SitterIdentity,
    stage_features,
    weighted_pool,
)
from headmime.provenance.origin import software_origin

HELD_OUT = 40  # two people of the split "train" are held out, and one more for every 40
GREY = 127
FACE = 1.3  # scale of the landmarks' hull that counts as the face when networks are compared


class Faces(NamedTuple):
    """images uint8 [n, S, S, 3], landmarks [n, 68, 2] in crop coordinates, people int64 [n]."""

    images: np.ndarray
    landmarks: np.ndarray
    people: np.ndarray


@dataclass
class IdentitySettings:
    """CosFace's scale and margin, AdamW's rates, and the length of training: `steps` or `minutes`,
    whichever ends first. A batch has two images of each of `people`.
    """

    steps: int = 10_000
    minutes: float = 600.0
    people: int = 64
    lr: float = 2e-3
    weight_decay: float = 0.05
    scale: float = 16.0
    margin: float = 0.15
    seed: int = 0


def read_faces(store: Store, people: Sequence[Sequence[tuple[int, int]]], halvings: int) -> Faces:
    """Read the frames (clip, t) of every person, people numbered in input order; images are halved
    `halvings` times.
    """
    frames = [frame for person in people for frame in person]
    side = store.size >> halvings
    images = np.empty((len(frames), side, side, 3), np.uint8)
    landmarks = store.read_into(list(images), frames)
    return Faces(images, landmarks, np.repeat(np.arange(len(people)), [len(p) for p in people]))


def face_mask(landmarks: np.ndarray, side: int, scale: float) -> np.ndarray:
    """Mask of the convex hull of landmarks [68, 2] (crop coordinates), scaled about its centre by
    `scale`: uint8 [side, side], 1 inside.
    """
    middle = (landmarks.min(0) + landmarks.max(0)) / 2
    corners = ((landmarks - middle) * scale + middle) * side
    hull = cv2.convexHull(corners.round().astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((side, side), np.uint8), hull, 1)


def mask_background(faces: Faces, scale: float = FACE) -> Faces:
    """Return the faces with everything outside of `face_mask` grey."""
    masked = np.full_like(faces.images, GREY)
    for image, points, out in zip(faces.images, faces.landmarks, masked, strict=True):
        cv2.copyTo(image, face_mask(points, len(image), scale), out)
    return faces._replace(images=masked)


@torch.no_grad()
def embed_images(embed: Callable[[Tensor], Tensor], faces: Faces) -> np.ndarray:
    """Apply `embed` (images [B, 3, S, S] in [-1, 1] -> [B, N]) to all faces: [n, N]."""
    parts = np.array_split(faces.images, -(-len(faces.images) // 64))
    return torch.cat([embed(to_tensor(part)) for part in parts]).numpy()


class IdentityTraining(nn.Module):
    """The trainable form of `SitterIdentity`, with batch norms."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleDict({name: _conv_and_norm(*it) for name, it in CONVOLUTIONS.items()})
        self.pool = nn.Parameter(torch.full(LAST, 1 / LAST[1] ** 2))
        self.project = nn.Linear(LAST[0], EMBEDDING, bias=False)
        self.norm = nn.BatchNorm1d(EMBEDDING)

    def forward(self, x: Tensor) -> Tensor:
        """x [B, 3, 112, 112] in [-1, 1] -> [B, 128] of length 1, float32."""
        last = stage_features(self.convs, x)[-1]
        with torch.autocast(x.device.type, enabled=False):
            return F.normalize(self.norm(self.project(weighted_pool(last, self.pool))))

    @torch.no_grad()
    def fold_norms(self) -> dict[str, Tensor]:
        """The state of `SitterIdentity` except `magnitudes`: batch norms folded into weights."""
        state = {"embedding.pool": self.pool.clone()}
        layers: dict[str, list[Any]] = {
            name: list(block.children())[1:] for name, block in self.convs.items()
        }
        for name, (layer, norm) in (layers | {"embedding": [self.project, self.norm]}).items():
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            state[f"{name}.weight"] = layer.weight * scale.view(-1, *[1] * (layer.weight.ndim - 1))
            state[f"{name}.bias"] = norm.bias - norm.running_mean * scale
        return state


def _conv_and_norm(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Convolution and batch norm, padded as `FrozenConv` pads."""
    pad = nn.ZeroPad2d(1 if stride == 1 else (0, 1, 0, 1))
    conv = nn.Conv2d(inputs, outputs, 3, stride, bias=False)
    return nn.Sequential(pad, conv, nn.BatchNorm2d(outputs))


def margin_softmax(e: Tensor, scale: float, margin: float) -> Tensor:
    """CosFace within the batch: cross entropy over scale * cosine to every other image, with
    `margin` subtracted from the cosine to the same person's image.

    e [2P, N] of unit length: one image of each of P people, then a second one of each. Replaces
    CosFace's learnt class centres, which train slowly for thousands of people with few images.
    Gradient to: e.
    """
    partner = torch.arange(len(e)).roll(len(e) // 2)
    cosines = (e @ e.T).fill_diagonal_(-math.inf)
    return F.cross_entropy(scale * (cosines - margin * F.one_hot(partner)), partner)


def train_identity(
    faces: Faces,
    settings: IdentitySettings,
    on_step: Callable[[int, float, float, IdentityTraining], None],
) -> None:
    """Train on augmented images; `faces.people` is sorted, with two or more images per person.
    Calls on_step(steps done, progress 0..1, loss, network) after each step.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    net = IdentityTraining().to(memory_format=torch.channels_last)
    frames = np.split(np.arange(len(faces.people)), np.flatnonzero(np.diff(faces.people)) + 1)
    queue = np.empty(0, np.int64)
    matrices = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, settings.lr, fused=True)
    half = computes_in_bfloat16("cpu")
    start, done, progress = time.monotonic(), 0, 0.0
    while progress < 1:
        for group in optimiser.param_groups:
            group["lr"] = settings.lr * learning_rate_factor(progress)
        while len(queue) < settings.people:
            queue = np.concatenate([queue, rng.permutation(len(frames))])
        people, queue = np.split(queue, [settings.people])
        pairs = np.stack([rng.choice(frames[person], 2, replace=False) for person in people], 1)
        x = augment(faces, pairs.ravel(), rng)
        net.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            e = net(x)
        loss = margin_softmax(e, settings.scale, settings.margin)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        done += 1
        minutes = (time.monotonic() - start) / 60
        progress = min(1.0, max(done / settings.steps, minutes / settings.minutes))
        on_step(done, progress, loss.item(), net)


def learning_rate_factor(progress: float) -> float:
    """Factor on the learning rate: linear warm-up for a tenth of the time, then cosine decay."""
    if progress < 0.1:
        return (progress + 0.001) / 0.101
    return (1 + math.cos(math.pi * (progress - 0.1) / 0.9)) / 2


def augment(faces: Faces, chosen: np.ndarray, rng: np.random.Generator) -> Tensor:
    """Augmented training images: float32 [B, 3, 112, 112] in [-1, 1]."""
    others = np.roll(chosen, 1)
    views = [
        _random_background(faces.images[k], faces.landmarks[k], faces.images[other], rng)
        for k, other in zip(chosen, others, strict=True)
    ]
    # contiguous planes: colour operations are twice as fast
    x = _random_light(to_tensor(np.stack(views)).contiguous(), rng)
    return x.contiguous(memory_format=torch.channels_last)


def _random_background(
    image: np.ndarray, points: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Paste the face into another person's image (50 %) or on a plain colour (20 %); shift, scale,
    rotate, mirror (50 %) and blur (40 %): uint8 [112, 112, 3].
    """
    side, kind = len(image), rng.random()
    if kind < 0.7:
        plain = np.broadcast_to(rng.integers(0, 256, 3, np.uint8), image.shape)
        around = (other if kind < 0.5 else plain).copy()
        image = cv2.copyTo(image, face_mask(points, side, rng.uniform(1.0, 1.5)), around)
    angle, scale = rng.normal(0, 6), SIDE / side * np.exp(rng.normal(0, 0.08))
    to_view = cv2.getRotationMatrix2D((side / 2, side / 2), angle, scale)
    to_view[:, 2] += SIDE / 2 - side / 2 + rng.normal(0, 0.03 * SIDE, 2)
    if rng.random() < 0.5:
        to_view[0] = -to_view[0]
        to_view[0, 2] += SIDE
    view = cv2.warpAffine(image, to_view, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
    return cv2.GaussianBlur(view, (0, 0), rng.uniform(0.4, 1.6)) if rng.random() < 0.4 else view


def _random_light(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Randomise exposure (with a gradient across the image), light colour, contrast, saturation."""
    n, ramp = len(x), np.linspace(-1, 1, SIDE)

    def factors(deviation: float, *shape: int) -> np.ndarray:
        return np.exp(rng.normal(0, deviation, (n, *shape)))

    across = factors(0.25, 1, 1, 1) ** ramp
    down = factors(0.25, 1, 1, 1) ** ramp[:, None]
    light = factors(0.2, 1, 1, 1) * factors(0.1, 3, 1, 1)
    bend = rng.normal(0, 0.3, (n, 1, 1, 1)).clip(-0.8, 0.8)
    saturation = rng.uniform(0.5, 1.3, (n, 1, 1, 1)) * (rng.random((n, 1, 1, 1)) > 0.1)
    across, down, light, bend, saturation = (
        torch.from_numpy(np.float32(values)) for values in (across, down, light, bend, saturation)
    )
    x = (x + 1) / 2
    x = x + bend * (x - x * x)
    x = x * (light * across) * down
    grey = x.mean(1, keepdim=True)
    return torch.lerp(grey, x, saturation).clamp(0, 1) * 2 - 1


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
