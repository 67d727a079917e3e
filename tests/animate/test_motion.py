import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmime.animate.motion import CLOSED_EYE, fit_landmarks, most_similar_frame, relative_motion
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import crop_box
from headmime.landmarks.points import mouth_opening

LIPS = ([61, 62, 63], [67, 66, 65])


@pytest.fixture(scope="module")
def driving(mona_landmarks: np.ndarray) -> np.ndarray:
    """Somebody else's face (wider, longer) that opens the mouth, moves, tilts and closes again."""
    face = (mona_landmarks - 0.5) * (1.15, 0.9) + (0.52, 0.55)
    clip = []
    for t in np.linspace(0, np.pi, 9):
        now = face.copy()
        now[[65, 66, 67, 55, 56, 57, 58, 59, *range(5, 12)], 1] += 0.08 * np.sin(t)
        angle = 0.3 * np.sin(2 * t)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        clip.append((now - 0.5) @ turn.T + 0.5 + (0.1 * np.sin(t), 0))
    return np.stack(clip).astype(np.float32)


def gaps(faces: np.ndarray) -> np.ndarray:
    """Lower minus upper inner lip, along the face's own down: negative where they are crossed."""
    across = faces[:, 64] - faces[:, 60]
    down = np.stack([-across[:, 1], across[:, 0]], -1) / np.linalg.norm(across, axis=-1)[:, None]
    return np.einsum("tpc,tc->tp", faces[:, LIPS[1]] - faces[:, LIPS[0]], down)


def test_absolute_is_the_driving_itself(driving, mona_landmarks):
    assert np.array_equal(fit_landmarks(driving, mona_landmarks, "absolute"), driving)


def test_one_s_own_motion_comes_back_unchanged(driving):
    assert abs(relative_motion(driving, driving[0], driving[0]) - driving).max() < 1e-4


def test_the_neutral_frame_gives_the_source_s_own_face(driving, mona_landmarks):
    moved = relative_motion(driving, driving[0], mona_landmarks)
    assert abs(moved[0] - mona_landmarks)[17:].max() < 0.01  # her dlib lips overlap a little


def test_the_frame_that_looks_most_as_the_source_is_found(driving, mona_landmarks):
    """Mouth closed, not tilted away: the first; with an open mouth, the one in the middle."""
    assert most_similar_frame(driving, mona_landmarks) in (0, 8)
    surprised = mona_landmarks.copy()
    surprised[[65, 66, 67, 55, 56, 57, 58, 59, *range(5, 12)], 1] += 0.08
    assert most_similar_frame(driving, surprised) in (3, 4, 5)


def test_in_place_the_head_stays_where_the_source_has_it(driving, mona_landmarks):
    far = (driving * 0.4 + (0.5, 0.1)).astype(np.float32)
    for motion in ("relative", "absolute"):
        moved = fit_landmarks(far, mona_landmarks, motion, in_place=True)
        start = moved[most_similar_frame(far, mona_landmarks)]
        assert abs(start[17:48] - mona_landmarks[17:48]).max() < 0.05


def test_the_result_is_framed_by_the_crop_rule(driving, mona_landmarks):
    moved = fit_landmarks(driving, mona_landmarks, "relative")
    box = crop_box(moved)
    assert (box.x, box.y, box.side) == pytest.approx((0, 0, 1), abs=1e-5)


@given(angle=st.floats(-0.5, 0.5), scale=st.floats(0.3, 3), x=st.floats(-1, 1), y=st.floats(-1, 1))
def test_the_driver_s_place_size_and_tilt_in_the_frame_do_not_matter(
    driving, mona_landmarks, angle, scale, x, y
):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    elsewhere = (driving @ turn.T + (x, y)).astype(np.float32)
    one = relative_motion(driving, driving[0], mona_landmarks)
    other = relative_motion(elsewhere, elsewhere[0], mona_landmarks)
    assert abs(one - other).max() < 1e-4
    one, other = (
        fit_landmarks(clip.astype(np.float32), mona_landmarks, "relative")
        for clip in (driving, scale * driving + (x, y))
    )
    assert abs(one - other).max() < 1e-3


def test_the_mouth_opens_as_far_as_the_driver_s(driving, mona_landmarks):
    moved = fit_landmarks(driving, mona_landmarks, "relative")
    driven, given_ = mouth_opening(moved), mouth_opening(driving)
    assert np.corrcoef(driven, given_)[0, 1] > 0.99
    assert 0.8 < np.ptp(driven) / np.ptp(given_) < 1.25


def test_a_source_with_an_open_mouth_closes_it(driving, mona_landmarks):
    """No frame of the driver is open as far: the lips are the driver's all the same."""
    laughing = mona_landmarks.copy()
    laughing[[65, 66, 67, 55, 56, 57, 58, 59, *range(5, 12)], 1] += 0.15
    driven, given_ = (
        mouth_opening(fit_landmarks(driving, laughing, "relative")),
        mouth_opening(driving),
    )
    assert mouth_opening(laughing) > 1.2 * given_.max()
    assert driven.min() < 0.02
    assert 0.8 < np.ptp(driven) / np.ptp(given_) < 1.25


def test_tilt_keeps_the_source_s_proportions(driving, mona_landmarks):
    """A tilt of the head moves the source's face as a whole, however wide the driver's is."""
    tilted = driving[[0, 2]].copy()
    angle = 0.5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tilted[1] = (driving[0] - 0.5) @ turn.T + 0.5
    before, after = relative_motion(tilted, tilted[0], mona_landmarks)
    sides = [np.linalg.norm(face[16] - face[0]) for face in (before, after)]
    heights = [np.linalg.norm(face[27] - face[8]) for face in (before, after)]
    assert sides[0] == pytest.approx(sides[1], rel=1e-4)
    assert heights[0] == pytest.approx(heights[1], rel=1e-4)


@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("open_by", [0.0, 0.05])
def test_lips_never_cross(driving, mona_landmarks, start, open_by):
    """Whatever frame the driving starts from, and with a source whose mouth is open."""
    source = mona_landmarks.copy()
    source[[65, 66, 67, 55, 56, 57, 58, 59], 1] += open_by
    assert gaps(relative_motion(driving, driving[start], source)).min() > -1e-6


def test_lids_never_cross(driving, mona_landmarks):
    blink = np.repeat(mona_landmarks[None], 2, 0)
    blink[1, [37, 38, 43, 44], 1] += 0.1
    moved = relative_motion(blink, blink[0], mona_landmarks)
    assert (moved[:, [41, 40, 47, 46], 1] - moved[:, [37, 38, 43, 44], 1]).min() > -0.005


def with_lids(face: np.ndarray, shares: list[float]) -> np.ndarray:
    """A face whose upper lids are at these shares of their distance from the lower ones."""
    upper, lower = [37, 38, 43, 44], [41, 40, 47, 46]
    faces = np.repeat(face[None], len(shares), 0)
    heights = face[upper, 1] - face[lower, 1]
    faces[:, upper, 1] = face[lower, 1] + heights * np.array(shares)[:, None]
    return faces


def lid_gaps(faces: np.ndarray) -> np.ndarray:
    return (faces[:, [41, 40, 47, 46], 1] - faces[:, [37, 38, 43, 44], 1]).mean(1)


@pytest.mark.parametrize("own", [0.6, 1.0, 1.4])
def test_eyes_are_as_open_as_the_driver_s_in_shares_of_their_own_opening(mona_landmarks, own):
    """A detector reports closed eyes as open by `CLOSED_EYE`: the person's are closed then."""
    blink = with_lids(mona_landmarks, [1.0, 1.2, (1 + CLOSED_EYE) / 2, CLOSED_EYE, CLOSED_EYE / 2])
    source = with_lids(mona_landmarks, [own])[0]
    opened = lid_gaps(relative_motion(blink, blink[0], source)) / lid_gaps(source[None])
    assert opened == pytest.approx([1.0, 1.2, 0.5, 0.0, 0.0], abs=0.05)


def test_the_upper_lids_fall(mona_landmarks):
    blink = with_lids(mona_landmarks, [1.0, CLOSED_EYE])
    moved = relative_motion(blink, blink[0], mona_landmarks)
    assert abs(moved[1] - mona_landmarks)[[40, 41, 46, 47]].max() < 0.003


def test_eyes_that_the_driver_opens_from_a_blink_stay_human(mona_landmarks):
    blink = with_lids(mona_landmarks, [0.1, 1.0])
    moved = relative_motion(blink, blink[0], mona_landmarks)
    assert lid_gaps(moved)[1] < 2.1 * lid_gaps(mona_landmarks[None])


def test_an_unknown_motion_is_refused(driving, mona_landmarks):
    with pytest.raises(HeadmimeError, match="motion=backwards.*absolute, relative"):
        fit_landmarks(driving, mona_landmarks, "backwards")
