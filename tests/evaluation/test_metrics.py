"""Each metric: truths known by hand, and agreement with independent implementations."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from headmime.evaluation.metrics.distribution import fid, kid
from headmime.evaluation.metrics.identity import (
    auc,
    csim,
    equal_error_rate,
    id_rank1,
    identity_distance,
    nearer_to_source,
    verification,
)
from headmime.evaluation.metrics.image_quality import (
    colour_drift,
    face_sharpness,
    flicker,
    sharpness,
    ssim,
)
from headmime.evaluation.metrics.motion import (
    HEAD,
    RIGID,
    akd,
    amplitude,
    angles,
    apd,
    correlation,
    degrees_from_sources,
    is_turned,
    nose_direction,
    rotations,
)
from headmime.landmarks.points import eye_opening


def random_frames(seed: int, n: int = 3, size: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def smooth_frames(seed: int) -> np.ndarray:
    """Frames with some structure: sums of waves."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48] / 48
    waves = [np.sin(2 * np.pi * (rng.uniform(0, 4) * x + rng.uniform(0, 4) * y)) for _ in range(9)]
    return np.rint(127 + 60 * np.stack(waves).reshape(3, 3, 48, 48).transpose(0, 2, 3, 1)).astype(
        np.uint8
    )


# SSIM


def test_ssim_of_equal_frames_is_one():
    frames = smooth_frames(0)
    np.testing.assert_allclose(ssim(frames, frames), 1)


def test_ssim_agrees_with_scikit_image_and_torchmetrics():
    one, other = smooth_frames(1), smooth_frames(1)
    other = np.clip(other + np.random.default_rng(0).normal(0, 12, other.shape), 0, 255)
    other = other.astype(np.uint8)
    expected = [
        structural_similarity(
            a,
            b,
            data_range=255,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(one, other, strict=True)
    ]
    np.testing.assert_allclose(ssim(one, other), expected, atol=1e-4)
    x, y = (torch.from_numpy(frames).movedim(-1, 1).double() for frames in (one, other))
    _, full = structural_similarity_index_measure(
        x, y, data_range=255.0, reduction="none", return_full_image=True
    )
    inside = full[..., 5:-5, 5:-5].mean((1, 2, 3)).numpy()  # windows inside of the picture
    np.testing.assert_allclose(ssim(one, other), inside, atol=1e-4)


# FID and KID


class AsTheyAre(nn.Module):
    """A feature network that gives back its input's first pixel row."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, x: Tensor) -> Tensor:
        return x.double()


def correlated(seed: int, n: int, shift: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 8)) @ rng.normal(size=(8, 8)) + shift


def test_fid_of_a_distribution_with_itself_is_zero():
    x = correlated(0, 100, 0)
    assert fid(x, x) == pytest.approx(0, abs=1e-8)


@given(st.lists(st.floats(-3, 3), min_size=8, max_size=8), st.integers(3, 60))
@settings(max_examples=25)
def test_fid_of_a_shift_is_its_squared_length(shift, n):
    x = correlated(1, n, 0)  # fewer frames than features, too
    assert fid(x, x + shift) == pytest.approx(np.square(shift).sum(), abs=1e-6)


def test_fid_of_scaled_gaussians_by_hand():
    """Covariances C and 4 C: tr(C + 4 C - 2 * 2 C) = tr C."""
    x = correlated(2, 500, 0)
    x -= x.mean(0)
    assert fid(x, 2 * x) == pytest.approx(np.trace(np.cov(x.T)))


def test_fid_and_kid_agree_with_torchmetrics():
    real, fake = correlated(3, 300, 0), correlated(4, 200, 0.3)
    reference = FrechetInceptionDistance(AsTheyAre(8)).set_dtype(torch.float64)
    kernel = KernelInceptionDistance(AsTheyAre(8), subsets=1, subset_size=200)
    for metric, x in ((reference, real), (kernel, real[:200])):
        metric.update(torch.from_numpy(x), real=True)
        metric.update(torch.from_numpy(fake), real=False)
    assert fid(real, fake) == pytest.approx(reference.compute().item(), rel=1e-4)
    assert kid(real[:200], fake) == pytest.approx(kernel.compute()[0].item(), rel=1e-4)


def test_kid_does_not_grow_with_fewer_frames_but_fid_does():
    def halves(distance, n):
        draws = np.random.default_rng(0).normal(size=(40, 2, n, 8))
        return np.mean([distance(a, b) for a, b in draws])

    assert abs(halves(kid, 12)) < 0.1
    assert halves(fid, 12) > 2 * halves(fid, 60) > 0.1


# Identity


def test_cosine_and_distance_by_hand():
    e = np.array([[1.0, 0], [0, 2], [-3, 0]])
    np.testing.assert_allclose(csim(e, np.array([1.0, 0])), [1, 0, -1], atol=1e-12)
    np.testing.assert_allclose(identity_distance(e, np.array([1.0, 0])), [0, 5**0.5, 4])


def test_rank1_finds_the_nearest_person():
    gallery = np.eye(3)
    near = np.array([[0.9, 0.2, 0], [0, 1, 0.3], [0.1, 0.2, 0.8]])
    np.testing.assert_array_equal(id_rank1(near, gallery, 1), [False, True, False])


def test_nearer_compares_the_mean_of_the_output():
    source, driver = np.array([0.0, 0]), np.array([1.0, 0])
    mixed = np.array([[0.9, 0], [0.0, 0], [0.0, 0]])
    assert nearer_to_source(mixed, source, driver) == 1
    assert nearer_to_source(driver[None], source, driver) == 0


# Landmarks and pose


def head(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """Landmarks [68, 2] of the average head seen from afar, turned by degrees; others at 0.5."""
    y, p, r = np.deg2rad([-yaw, pitch, roll])
    Ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    Rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    Rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    points = np.full((68, 2), 0.5)
    points[RIGID] = 0.5 + ((HEAD - HEAD.mean(0)) @ (Rz @ Ry @ Rx).T)[:, :2] / 400
    return points


def test_a_frontal_head_is_the_identity():
    np.testing.assert_allclose(rotations(head()[None])[0], np.eye(3), atol=1e-9)


@pytest.mark.parametrize(("axis", "name"), [(0, "yaw"), (1, "pitch"), (2, "roll")])
def test_one_angle_comes_back(axis, name):
    for degrees in (-40, -10, 0, 25, 40):
        expected = np.zeros(3)
        expected[axis] = degrees
        got = angles(head(**{name: degrees})[None])[0]
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_yaw_to_the_right_points_the_nose_to_the_right():
    assert nose_direction(head(yaw=30)[None])[0] == pytest.approx([0.5, 0, -(0.75**0.5)], abs=1e-6)
    frontal, right = head()[30] - head()[36], head(yaw=30)[30] - head(yaw=30)[36]
    assert right[0] > frontal[0]


def test_turned_looks_at_the_nearest_source_and_not_at_tilts():
    sources = np.stack([head(), head(yaw=-20)])
    asked = np.stack([head(yaw=10), head(yaw=20), head(yaw=-30), head(roll=40), head(pitch=16)])
    np.testing.assert_allclose(degrees_from_sources(asked, sources), [10, 20, 10, 0, 16], atol=1e-4)
    np.testing.assert_array_equal(is_turned(asked, sources), [False, True, False, False, True])


def test_apd_is_the_mean_of_three_angles_and_nan_without_a_face():
    detected = np.stack([head(yaw=9), np.full((68, 2), np.nan)])
    asked = np.stack([head(), head()])
    np.testing.assert_allclose(apd(detected, asked), [3, np.nan], atol=1e-6)


def test_akd_by_hand():
    asked = np.stack([head(), head(yaw=40)])
    eyes = np.linalg.norm(asked[0, 36] - asked[0, 45])
    detected = asked + np.array([0.1 * eyes, 0])
    np.testing.assert_allclose(akd(detected, asked), [0.1, 0.1])
    detected[1] = np.nan
    np.testing.assert_allclose(akd(detected, asked), [0.1, np.nan])


# Motion


def test_correlation_and_amplitude_by_hand():
    driving = np.sin(np.arange(20))
    assert correlation(3 * driving + 1, driving, 0.01) == pytest.approx(1)
    assert correlation(-driving, driving, 0.01) == pytest.approx(-1)
    assert amplitude(0.5 * driving, driving, 0.01) == pytest.approx(0.5)


def test_a_frozen_output_follows_nothing():
    driving = np.sin(np.arange(20))
    assert correlation(np.ones(20), driving, 0.01) == 0
    assert amplitude(np.ones(20), driving, 0.01) == 0


def test_a_still_driving_or_too_few_faces_say_nothing():
    driving = np.sin(np.arange(20))
    few = np.where(np.arange(20) < 7, driving, np.nan)
    for measure in (correlation, amplitude):
        assert np.isnan(measure(driving, 1e-3 * driving, 0.01))
        assert np.isnan(measure(few, driving, 0.01))


def test_frames_without_a_face_are_left_out_of_correlations():
    driving = np.sin(np.arange(20))
    assert correlation(np.where(np.arange(20) == 3, np.nan, driving), driving, 0.01) == 1


# Sharpness


def test_blurring_takes_sharpness_away_and_a_flat_face_has_none():
    frame = random_frames(0, 1, 64)
    landmarks = 0.2 + 0.6 * np.random.default_rng(0).random((1, 68, 2))
    blurred = (frame.astype(int) + np.roll(frame, 1, 2) + np.roll(frame, 1, 1)) // 3
    assert sharpness(blurred.astype(np.uint8), landmarks) < 0.8 * sharpness(frame, landmarks)
    assert sharpness(np.full_like(frame, 80), landmarks) == 0


def detailed_face(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Random pixels, and landmarks that span the middle half of the picture."""
    landmarks = 0.25 + 0.5 * np.random.default_rng(1).random((1, 68, 2))
    landmarks[0, :2] = [(0.25, 0.25), (0.75, 0.75)]
    return random_frames(0, 1, size), landmarks


def test_a_copy_is_as_sharp_as_its_source_and_half_the_contrast_has_a_quarter() -> None:
    frame, landmarks = detailed_face(256)
    strong = frame // 4 * 4
    assert face_sharpness(strong, landmarks, strong, landmarks) == 1
    assert face_sharpness(strong // 2, landmarks, strong, landmarks) == pytest.approx(0.25, 0.02)


def test_a_small_picture_is_not_as_sharp_as_the_large_one_that_it_was() -> None:
    """The face's box of 128 pixels has become one of 64; and noise is sharper than sharp."""
    frame, landmarks = detailed_face(256)
    small = cv2.resize(frame[0], (128, 128), interpolation=cv2.INTER_AREA)[None]
    assert face_sharpness(small, landmarks, frame, landmarks) < 0.2
    blurred = cv2.GaussianBlur(frame[0], (0, 0), 2)[None]
    assert face_sharpness(frame, landmarks, blurred, landmarks) > 1.2


def test_the_median_frame_counts() -> None:
    frame, landmarks = detailed_face(128)
    flat = np.full_like(frame, 80)
    frames = np.concatenate([frame, frame, flat])
    assert face_sharpness(frames, landmarks.repeat(3, 0), frame, landmarks) == 1
    assert np.isnan(face_sharpness(frame, landmarks, flat, landmarks))


# Colour and flicker


def test_colours_of_the_face_drift_and_those_around_do_not_count() -> None:
    frame, landmarks = detailed_face(64)
    grey = np.full_like(frame, 119)  # L* 50
    assert colour_drift(grey, landmarks, grey, landmarks) == pytest.approx(0, abs=1e-4)
    lighter = np.full_like(frame, 145)  # L* 60
    assert colour_drift(lighter, landmarks, grey, landmarks) == pytest.approx(10, abs=0.3)
    around = grey.copy()
    around[:, :8] = 255
    assert colour_drift(around, landmarks, grey, landmarks) == pytest.approx(0, abs=1e-4)


def test_change_where_nothing_moves_is_flicker() -> None:
    """The second frame is the first, brighter by 10 in the face; in the third the face moved."""
    base, landmarks = np.full((1, 64, 64, 3), 100, np.uint8), detailed_face(64)[1]
    brighter = base.copy()
    brighter[:, 16:48, 16:48] += 10
    frames = np.concatenate([base, brighter, 255 - base])
    points = np.concatenate([landmarks, landmarks + 0.001, landmarks + 0.1])
    assert flicker(frames, points) == (pytest.approx(10), 0)
    assert all(np.isnan(one) for one in flicker(frames[1:], points[1:]))


# Lids


def test_eyes_half_closed_are_half_as_open() -> None:
    face = np.zeros((68, 2))
    face[36:42] = [(-3, 0), (-2.4, -0.3), (-1.6, -0.3), (-1, 0), (-1.6, 0.3), (-2.4, 0.3)]
    face[42:48] = face[36:42] + np.array([4, 0])
    face[48], face[54] = (-1, 4), (1, 4)
    half = face.copy()
    half[[37, 38, 43, 44], 1] += 0.3
    assert eye_opening(face) == pytest.approx(0.6 / 8)  # from eye to eye 4, twice that is the face
    assert eye_opening(half) == pytest.approx(0.3 / 8)
    assert eye_opening(3 * half) == pytest.approx(0.3 / 8)


def test_verification_by_hand():
    """Three people on a line; the second frame of the third lies with the first person's."""
    people = np.array([0, 0, 1, 1, 2, 2])
    apart = np.array([0.0, 0.1, 1, 1.1, 2, 2.1])[:, None]
    assert verification(apart, people) == (1, 0, 1, 3, 6)
    mixed = np.array([0.0, 0.1, 1, 1.1, 2, -0.1])[:, None]
    found = verification(mixed, people)
    assert found.rank1 == 2 / 3 and 0.5 < found.auc < 1


def test_equal_error_rate_by_hand():
    """One of four pairs of either kind is on the wrong side of 4.5."""
    alike, unlike = np.array([1.0, 2, 3, 6]), np.array([4.0, 7, 8, 9])
    assert equal_error_rate(alike, unlike) == 0.25
    assert equal_error_rate(unlike, unlike) == 0.5


def test_auc_by_hand():
    assert auc(np.array([0.0, 1.0]), np.array([2.0, 3.0])) == 1
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 0
    assert auc(np.array([1.0, 1.0]), np.array([1.0])) == 0.5
    assert auc(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0])) == pytest.approx((1.5 + 2.5) / 6)
