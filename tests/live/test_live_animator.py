"""From observations to frames."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headmime.animate.person import Person
from headmime.live.landmark_worker import FaceObservation
from headmime.live.live_animator import LiveAnimator, MotionReference, run_live
from headmime.live.one_euro_filter import OneEuroFilter
from headmime.live.throughput import Stopwatch

RATE = 25


def face(person: Person, opened: float = 0.0) -> np.ndarray:
    """Her own face in a picture of 200 pixels, the lower lip and the jaw down by so many pixels."""
    pixels = person.neutral * 200
    pixels[[55, 56, 57, 58, 59, 65, 66, 67]] += (0, opened)
    return pixels


def test_nothing_moves_while_the_driver_does_not(person: Person) -> None:
    still = [FaceObservation(k / RATE, face(person), 0) for k in range(4)]
    own = person.animator(person.neutral[None])[0]
    for played in LiveAnimator(person).play(still):
        assert played.has_face and np.abs(played.frame.astype(int) - own).max() <= 1


def test_without_a_face_the_last_frame_stays(person: Person) -> None:
    observations = [
        FaceObservation(0.0, None, 0),
        FaceObservation(0.04, face(person), 0),
        FaceObservation(0.08, face(person, 9.0), 1),
        FaceObservation(0.12, None, 1),
    ]
    before, _, opened, lost = LiveAnimator(person).play(observations)
    assert not before.has_face and not lost.has_face and lost.dropped == 1
    assert (lost.frame == opened.frame).all()
    assert (opened.frame != before.frame).any()


def test_the_start_becomes_the_face_that_looks_most_as_the_person_does(person: Person) -> None:
    start = MotionReference(person.neutral)
    open_mouth, own = face(person, 12.0) / 200, face(person) / 200
    assert np.allclose(start(open_mouth), open_mouth)
    first = start(own)
    assert 0 < np.abs(first - own).max() < np.abs(open_mouth - own).max()  # on the way, no jump
    for _ in range(60):
        last = start(open_mouth)
    assert np.allclose(last, own, atol=1e-3)
    start.reset()
    for _ in range(60):
        last = start(open_mouth)
    assert np.allclose(last, open_mouth, atol=1e-3)


def test_show_ends_the_run(person: Person) -> None:
    observations = [FaceObservation(k / RATE, face(person), 0) for k in range(9)]
    shown: list[tuple[int, ...]] = []

    def show(frame: np.ndarray, taken: float) -> bool:
        shown.append(frame.shape)
        return len(shown) < 3

    throughput = run_live(LiveAnimator(person), observations, 40, show, lambda throughput: None)
    assert shown == [(40, 40, 3)] * 3 and throughput.frames == 3


def test_ctrl_c_is_an_end_like_others(person: Person) -> None:
    def show(frame: np.ndarray, taken: float) -> bool:
        raise KeyboardInterrupt

    observations = [FaceObservation(0.0, face(person), 0)]
    throughput = run_live(LiveAnimator(person), observations, 16, show, lambda _: None)
    assert throughput.frames == 0


def test_throughput_of_known_times() -> None:
    stopwatch = Stopwatch()
    for k in range(11):
        stopwatch.record(taken=k / 10, now=k / 10 + (0.05 if k < 10 else 0.25), dropped=k)
    throughput = stopwatch.all()
    assert throughput.frames == 11 and throughput.dropped == 10
    assert np.isclose(throughput.rate, 10 / 1.2) and np.isclose(throughput.latency, 0.05)
    assert "latency 50 ms" in str(throughput)


@given(place=st.floats(-1, 1), pace=st.floats(-0.5, 0.5), seed=st.integers(0, 99))
def test_filter_keeps_rest_follows_motion_and_removes_jitter(
    place: float, pace: float, seed: int
) -> None:
    shape = np.random.default_rng(1).random((68, 2)).astype(np.float32)
    times = 1 + np.arange(50) / RATE
    at_rest, moving, shaken = OneEuroFilter(), OneEuroFilter(), OneEuroFilter()
    noise = np.random.default_rng(seed).normal(0, 0.01, (50, 68, 2))
    for k, time in enumerate(times):
        still = at_rest(shape + np.float32(place), time)
        moved = moving(shape + np.float32(pace) * (k / RATE), time)
        kept = shaken((shape + noise[k]).astype(np.float32), time)
    assert np.allclose(still, shape + place, atol=1e-5)
    assert np.abs(moved - (shape + pace * (49 / RATE))).max() < 0.06  # of a picture's side
    assert np.std(kept - shape) < 0.8 * 0.01
