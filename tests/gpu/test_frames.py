"""From a few pictures to a person, to frames and to scores of them, on the device."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch
from torch import nn

from headmime.learning.finetune import FineTuneSettings, fine_tune
from headmime.learning.jitter import Jitter
from headmime.learning.rehearsal import Rehearsal
from headmime.learning.settings import LossWeights
from headmime.nets import Nets, build_nets
from headmime.nets.inference import for_inference
from headmime.nets.personal import Personal, personalise
from headmime.nets.shape import ModelShape

pytestmark = pytest.mark.gpu
T = 3


@pytest.fixture
def networks(shape: ModelShape, device: torch.device) -> Nets:
    torch.manual_seed(0)
    return Nets(*(net.to(device) for net in build_nets(shape)))


@pytest.fixture
def landmarks() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.3, 0.7, (T, 68, 2)).astype(np.float32)


@pytest.fixture
def frames(shape: ModelShape) -> np.ndarray:
    S = shape.image_size
    return np.random.default_rng(1).integers(0, 255, (T, S, S, 3), dtype=np.uint8)


def in_memory(frames: np.ndarray, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(frames).movedim(-1, 1).to(device) / 127.5 - 1


@pytest.mark.parametrize("bfloat16", [False, True])
def test_fine_tuning(
    networks: Nets,
    frames: np.ndarray,
    landmarks: np.ndarray,
    perceptual: nn.Module,
    device: torch.device,
    bfloat16: bool,
) -> None:
    settings = FineTuneSettings(
        maximum_steps=3,
        batch=2,
        rehearsal=2,
        weights=LossWeights(pixel=1, closeup=1),
        jitter=Jitter(10, 0.1, 0.05),
        bfloat16=bfloat16,
    )
    others = Rehearsal.of(networks, [(frames, landmarks)])
    terms = []
    person = fine_tune(
        networks,
        in_memory(frames, device),
        landmarks,
        settings,
        perceptual,
        lambda done, total, values: terms.append(values),
        others,
    )
    assert len(terms) == 3
    assert all(v.isfinite() and v.device.type == device.type for t in terms for v in t.values())
    own = [*person.generator.parameters(), *person.discriminator.parameters()]
    assert all(p.device.type == device.type and p.isfinite().all() for p in own)


@pytest.fixture
def person(networks: Nets, shape: ModelShape, device: torch.device) -> Personal:
    e_hat = torch.randn(shape.embedding, generator=torch.Generator().manual_seed(2))
    return personalise(networks.generator, networks.discriminator, e_hat.to(device))


def test_the_inference_graph_is_the_generator_and_never_waited_for(
    person: Personal,
    shape: ModelShape,
    device: torch.device,
    unwaited: Callable[[], AbstractContextManager[None]],
) -> None:
    S = shape.image_size
    y = torch.rand(2, 3, S, S, device=device) * 2 - 1
    graph = for_inference(person.generator, person.generator.psi)
    with torch.inference_mode():
        graph(y)
        with unwaited():
            frame = graph(y)
    assert frame.device.type == device.type
    torch.testing.assert_close(frame, person.generator(y).detach(), rtol=1e-3, atol=1e-4)
    with torch.inference_mode():
        half = for_inference(person.generator, person.generator.psi, torch.bfloat16)(y)
    assert half.dtype == torch.float32 and (half - frame).abs().mean() < 0.05


def test_the_animator_s_frames_are_the_cpu_s(
    person: Personal, shape: ModelShape, landmarks: np.ndarray
) -> None:
    pytest.importorskip("PIL")
    from headmime.animate.person import animator

    made = animator(person.generator, shape.image_size)(landmarks)
    expected = animator(person.generator.cpu(), shape.image_size)(landmarks)
    assert made.shape == (T, shape.image_size, shape.image_size, 3)
    assert np.abs(made.astype(int) - expected).max() <= 1


def test_live_s_mime(person: Personal, shape: ModelShape, landmarks: np.ndarray) -> None:
    pytest.importorskip("av")  # cameras are read with it
    from headmime.animate.person import Person
    from headmime.live.landmark_worker import FaceObservation
    from headmime.live.live_animator import LiveAnimator
    from headmime.provenance.statement import Consent

    own = Person(person.generator, shape, landmarks[0], Consent.OWN, {})
    sights = [FaceObservation(k / 25, 100 + 200 * points, 0) for k, points in enumerate(landmarks)]
    played = list(LiveAnimator(own).play([*sights, FaceObservation(1.0, None, 0)]))
    assert [p.has_face for p in played] == [True] * T + [False]
    S = shape.image_size
    assert all(p.frame.shape == (S, S, 3) and p.frame.dtype == np.uint8 for p in played)


def test_metric_networks_score_as_on_the_cpu(device: torch.device) -> None:
    pytest.importorskip("safetensors")
    from headmime.pretrained.shift_tolerant import (
        LAYERS,
        ShiftTolerantAlexNet,
        ShiftTolerantDistance,
        ShiftTolerantFeatures,
    )

    channels = (3, 64, 192, 384, 256, 256)
    kernels = (11, 5, 3, 3, 3)
    torch.manual_seed(0)
    state = {"scaling_layer.shift": torch.zeros(1, 3, 1, 1)}
    state |= {"scaling_layer.scale": torch.ones(1, 3, 1, 1)}
    for k, (number, _) in enumerate(LAYERS):
        weight = torch.randn(channels[k + 1], channels[k], kernels[k], kernels[k])
        state[f"net.slice{k + 1}.{number}.weight"] = weight / weight[0].numel() ** 0.5
        state[f"net.slice{k + 1}.{number}.bias"] = torch.zeros(channels[k + 1])
        state[f"lin{k}.model.1.weight"] = torch.rand(1, channels[k + 1], 1, 1)
    one, other = np.random.default_rng(0).integers(0, 255, (2, 2, 64, 64, 3), dtype=np.uint8)
    scored = []
    for where in (device, torch.device("cpu")):
        network = ShiftTolerantAlexNet(state, {})
        distance, features = ShiftTolerantDistance(network), ShiftTolerantFeatures(network)
        distance.to(where)
        features.to(where)
        scored.append((distance(one, other), features(one)))
    (found, features), (expected, expected_features) = scored
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    np.testing.assert_allclose(features, expected_features, rtol=1e-3, atol=1e-3)
