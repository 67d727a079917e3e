import pytest

from headmime.cli.train_schema import Train, smaller_sides
from headmime.errors import HeadmimeError
from headmime.learning.settings import LossWeights, Stage
from headmime.nets.shape import ModelShape

MEDIUM = ModelShape(128, 24, 256, 4, 5, 16, 32)
SMALL = ModelShape(64, 32, 256, 4, 5, 16, 32)


def test_sides_that_networks_can_begin_at() -> None:
    """E and D end at 4x4, so that a quarter is the least; G's middle is 16x16, 8x8 and 4x4."""
    assert smaller_sides(ModelShape()) == [128, 64]
    assert smaller_sides(MEDIUM) == [64, 32]
    assert smaller_sides(SMALL) == [32]  # at 16 the generator's middle would be a single pixel


@pytest.mark.parametrize("side", [-64, 0, 1, 16, 48, 256])
def test_a_side_that_does_not_fit_is_said_with_those_that_do(side: int) -> None:
    stages = [Stage(64, 10), Stage(side, 10)]
    with pytest.raises(HeadmimeError, match=rf"growing\[1\].side={side}: .* 128 or 64 or 32\."):
        Train(model=MEDIUM, growing=stages)


def test_a_stage_has_episodes_and_learns() -> None:
    for stage in (Stage(64, 0), Stage(64, 10, rate=0)):
        with pytest.raises(HeadmimeError, match=r"growing\[0\]: episodes=\d+ must .* rate="):
            Train(model=MEDIUM, growing=[stage])
    assert Train(model=MEDIUM, growing=[Stage(128, 10)]).growing[0].rate == 1


def test_the_best_is_by_a_term_that_the_run_has() -> None:
    with pytest.raises(HeadmimeError, match="it can be val/cnt, val/pix, val/sharpness, or null"):
        Train(keep_best="val/near")
    assert Train(loss=LossWeights(closeup=1), keep_best="val/near").keep_best == "val/near"
    assert Train(keep_best=None).keep_best is None
