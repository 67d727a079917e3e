"""Where things in front of the camera appear in its image."""

import numpy as np
import pytest

from headmime.sitters.studio import FOCAL, look_at

ORIGIN = np.zeros(3)


def seen(point, **where):
    angles = {"azimuth": 0.0, "height": 0.0, "roll": 0.0} | where
    return look_at(ORIGIN, 2.0, **angles).project(np.array(point, float))


@pytest.mark.parametrize("azimuth", [-0.5, 0.0, 1.0])
@pytest.mark.parametrize("height", [-0.3, 0.4])
def test_the_target_is_in_the_middle_at_its_distance(azimuth, height):
    assert np.allclose(seen((0, 0, 0), azimuth=azimuth, height=height, roll=0.2), (0, 0, 0.5))


def test_the_sitters_left_is_on_the_right_and_up_is_up():
    x, y, nearness = seen((0.1, 0, 0.2))
    assert np.allclose((x, y, nearness), (FOCAL * 0.05, -FOCAL * 0.1, 0.5))


def test_what_is_nearer_is_larger():
    assert seen((0.1, -1.0, 0))[0] == pytest.approx(2 * seen((0.1, 0, 0))[0])


def test_roll_turns_the_image_about_its_middle():
    upright, rolled = seen((0.1, 0, 0))[:2], seen((0.1, 0, 0), roll=np.pi / 2)[:2]
    assert np.linalg.norm(upright) == pytest.approx(np.linalg.norm(rolled))
    assert upright @ rolled == pytest.approx(0, abs=1e-6)
