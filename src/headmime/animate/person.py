"""One person's model: creation (fine-tuned or feed-forward), files, frame generation."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import simplejpeg
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from headmime.animate.model import Model
from headmime.animate.poses import neutral_frame
from headmime.assets import ASSETS, conf_folder
from headmime.errors import HeadmimeError, check_choice
from headmime.images import Animator, resize
from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.finetune import FineTuneSettings, OnPerson, OnStep, embed, fine_tune
from headmime.learning.rehearsal import Rehearsal
from headmime.nets import Nets
from headmime.nets.checkpoint import load_personal, missing_file, save_personal
from headmime.nets.inference import for_inference, packed
from headmime.nets.personal import PersonalGenerator, personalise
from headmime.nets.shape import ModelShape
from headmime.pixels import to_tensor, to_uint8
from headmime.pretrained.frozen import Frozen
from headmime.provenance.origin import software_origin
from headmime.provenance.statement import Consent, Ingredient, ProvenanceStatement, parse_consent

if TYPE_CHECKING:  # avoids importing image and video readers for inference
    from headmime.animate.sources import Scene, Sources

BATCH = 16  # frames through the generator at once
REHEARSAL_FILE = ASSETS / "weights" / "rehearsal.npz"
NONE = "none"


@dataclass(frozen=True)
class Person:
    """One person's generator, and the data that relative motion needs.

    `neutral`: landmarks [68, 2] of the most neutral source frame, in crop coordinates; `portrait`:
    that frame, uint8 [S, S, 3]; `scene`: the original image it was cropped from (both None after
    loading: files contain no images). `record`: `detector` (landmark source) and `origin`, as in
    the JSON beside the weights.
    """

    generator: PersonalGenerator
    shape: ModelShape
    neutral: np.ndarray
    consent: Consent
    record: dict[str, Any]
    portrait: np.ndarray | None = None
    scene: "Scene | None" = None

    def __repr__(self) -> str:
        origin, size = self.record["origin"], self.shape.image_size
        made = f"{origin['method']} on {origin['frames']} frame(s)"
        return f"<Person: {made}, {size} x {size} pixels, consent={self.consent.value}>"

    def _repr_png_(self) -> bytes | None:
        """The portrait, for notebooks; None for a saved person, which has none."""
        if self.portrait is None:
            return None
        return cv2.imencode(".png", self.portrait[..., ::-1])[1].tobytes()

    @cached_property
    def animator(self) -> Animator:
        """Function from landmarks to frames, with the generator's current weights."""
        return animator(self.generator, self.shape.image_size)

    @property
    def statement(self) -> ProvenanceStatement:
        """Statement about this person for the credentials of outputs."""
        origin = self.record["origin"]
        ingredients = tuple(Ingredient("source", **file) for file in origin["sources"])
        return ProvenanceStatement(self.consent, origin["model_sha256"], ingredients)

    def save(self, path: Path | str) -> Path:
        """Write `<path>.safetensors` and `<path>.json`; return the latter. No image is stored."""
        face = {"neutral": np.round(self.neutral.astype(float), 5).tolist()}
        return save_personal(
            path, self.generator, self.shape, self.record | face | {"consent": self.consent.value}
        )


def person_stem(path: Path | str) -> Path:
    """Path stem of a saved person. HeadmimeError if its files are missing."""
    stem = Path(path).expanduser()
    if missing := missing_file(stem):
        raise HeadmimeError(f"person={path}: {missing} is missing; `headmime finetune` makes it.")
    return stem


def load_person(path: Path | str, device: torch.device | str = "cpu") -> Person:
    """Load a person written by `Person.save`. HeadmimeError if files are missing or invalid."""
    generator, shape, record = load_personal(person_stem(path))
    try:
        neutral = np.array(record.pop("neutral"), np.float32).reshape(68, 2)
        consent = parse_consent(record.pop("consent"))
        if "sources" not in record["origin"]:
            raise KeyError("sources")
    except (KeyError, ValueError, TypeError, HeadmimeError) as error:
        raise HeadmimeError(
            f"{path} lacks the person's neutral face, the consent or what it was made from; "
            "run `headmime finetune` again."
        ) from error
    return Person(generator.to(device).eval(), shape, neutral, consent, record)


def person_from_images(
    model: Model,
    sources: "Sources",
    settings: FineTuneSettings | None,
    perceptual: Frozen | None,
    consent: Consent,
    on_step: OnStep | None = None,
) -> Person:
    """Create a person's model from cropped frames; feed-forward if `settings` is None."""
    generator = personal_generator(
        model.nets, sources.frames, sources.landmarks, settings, perceptual, on_step
    )
    neutral = neutral_frame(sources.landmarks)
    return Person(
        generator=generator,
        shape=model.shape,
        neutral=sources.landmarks[neutral],
        consent=consent,
        record={
            "detector": sources.detector,
            "origin": {
                "model_sha256": model.sha256,
                "frames": len(sources.frames),
                "sources": [{"kind": i.kind, "sha256": i.sha256} for i in sources.ingredients],
                "method": "feed-forward" if settings is None else "fine-tuned",
                "precision": _precision(model, settings),
                **software_origin(),
            },
        },
        portrait=sources.frames[neutral],
        scene=sources.scene,
    )


def _precision(model: Model, settings: FineTuneSettings | None) -> str:
    """Precision of the fine-tuning, by the names of `trainer.precision`."""
    device = next(model.nets.embedder.parameters()).device
    half = settings is not None and settings.autocasts(device)
    return "bf16-mixed" if half else "32-true"


def adapt(
    nets: Nets,
    frames: np.ndarray,
    landmarks: np.ndarray,
    settings: FineTuneSettings | None,
    perceptual: Frozen | None = None,
    on_step: OnStep | None = None,
) -> Animator:
    """Adapt to a new person: frames uint8 [T, S, S, 3], landmarks [T, 68, 2] -> animator.

    `settings` None: the feed-forward model G(y, e_hat); otherwise fine-tuned with `perceptual` in
    L_CNT (Eq. 10).
    """
    generator = personal_generator(nets, frames, landmarks, settings, perceptual, on_step)
    return animator(generator, frames.shape[1])


def animator(generator: PersonalGenerator, size: int) -> Animator:
    """Return a function from landmarks to frames, with `generator`'s current weights."""
    graph = packed(for_inference(generator, generator.psi))

    @torch.inference_mode()
    def frames(landmarks: np.ndarray) -> np.ndarray:
        parts = [
            to_uint8(graph(to_tensor(draw_landmarks(part, size)).to(graph.psi.device)))
            for part in np.split(landmarks, range(BATCH, len(landmarks), BATCH))
        ]
        return np.concatenate(parts)

    return frames


def personal_generator(
    nets: Nets,
    frames: np.ndarray,
    landmarks: np.ndarray,
    settings: FineTuneSettings | None,
    perceptual: Frozen | None = None,
    on_step: OnStep | None = None,
    on_person: OnPerson | None = None,
) -> PersonalGenerator:
    """Return the generator that `adapt` wraps; arguments as there."""
    x = to_tensor(frames).to(next(nets.embedder.parameters()).device)
    if settings is None:
        person = personalise(nets.generator, nets.discriminator, embed(nets, x, landmarks))
    elif perceptual is None:
        raise HeadmimeError("Fine-tuning needs `perceptual`, the frozen networks of L_CNT.")
    else:
        perceptual = perceptual.to(x.device)
        others = bundled_rehearsal(nets, frames.shape[1]) if settings.rehearsal else None
        person = fine_tune(nets, x, landmarks, settings, perceptual, on_step, others, on_person)
    return person.generator.eval()


def seconds_per_update(nets: Nets, size: int, s: FineTuneSettings, perceptual: Frozen) -> float:
    """Measure an update of fine-tuning on this device, on a bundled sitter of size x size: the
    second one, since the first prepares kernels and memory. `s.steps(T)` of them are made.
    """
    (frames, landmarks), *_ = people = bundled_people(size)
    x = to_tensor(frames).to(next(nets.embedder.parameters()).device)
    others = Rehearsal.of(nets, people[: s.rehearsal]) if s.rehearsal else None
    ends: list[float] = []
    two = replace(s, epochs=0, minimum_steps=2, maximum_steps=2)

    def on_step(_done: int, _total: int, terms: dict[str, Tensor]) -> None:
        float(terms["loss/total"])  # waits for the device
        ends.append(monotonic())

    fine_tune(nets, x, landmarks, two, perceptual.to(x.device), on_step, others)
    return ends[1] - ends[0]


def bundled_people(size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames uint8 [T, size, size, 3] and landmarks [T, 68, 2] of each of 40 synthetic sitters."""
    with np.load(REHEARSAL_FILE) as content:
        landmarks = content["landmarks"]
        jpegs = np.split(content["jpegs"], content["ends"][:-1])
    frames = np.stack([resize(simplejpeg.decode_jpeg(jpeg.tobytes()), size) for jpeg in jpegs])
    return list(zip(frames.reshape(*landmarks.shape[:2], size, size, 3), landmarks, strict=True))


def bundled_rehearsal(nets: Nets, size: int) -> Rehearsal:
    """Rehearsal set: three frames of each of 40 sitters at size x size, with psi_hat of `nets`."""
    return Rehearsal.of(nets, bundled_people(size))


def bundled_embeddings(nets: Nets, size: int) -> Tensor:
    """e_hat of each of the 40 sitters, [40, N]."""
    device = next(nets.embedder.parameters()).device
    people = bundled_people(size)
    embeddings = [embed(nets, to_tensor(frames).to(device), points) for frames, points in people]
    return torch.stack(embeddings)


def finetune_settings(name: str) -> FineTuneSettings | None:
    """Read conf/finetune/<name>.yaml; None for "none", which is feed-forward. "default"
    is the name of "fast" in 0.1.0.

    HeadmimeError naming the others if there is no such file.
    """
    folder = conf_folder() / "finetune"
    names = sorted(file.stem for file in folder.glob("*.yaml"))
    check_choice("finetune", name, names)
    if name == NONE:
        return None
    schema = OmegaConf.structured(FineTuneSettings)
    file = _with_defaults(folder / f"{name}.yaml")
    found = OmegaConf.to_object(OmegaConf.merge(schema, file))
    assert isinstance(found, FineTuneSettings)
    return found


def _with_defaults(file: Path) -> DictConfig:
    """What a file says over what its defaults list brings, as Hydra composes them."""
    own = OmegaConf.load(file)
    assert isinstance(own, DictConfig)
    below = [_with_defaults(file.with_name(f"{one}.yaml")) for one in own.pop("defaults", [])[:1]]
    merged = OmegaConf.merge(*below, own)
    assert isinstance(merged, DictConfig)
    return merged
