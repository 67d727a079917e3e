"""Each equation of the paper is computed in one place, and that place carries its number."""

import inspect
import re
from collections.abc import Callable

import pytest

from headmime.learning import finetune
from headmime.learning.meta import MetaLearning
from headmime.losses import hinge_loss
from headmime.nets.discriminator import Discriminator
from headmime.nets.embedder import Embedder
from headmime.nets.generator import Generator
from headmime.nets.personal import PersonalDiscriminator, PersonalGenerator

HOMES: dict[int, Callable] = {
    1: Embedder.forward,
    2: Generator.forward,
    3: MetaLearning.training_step,
    4: MetaLearning.training_step,
    5: Discriminator.forward,
    6: hinge_loss,
    7: finetune.embed,
    8: PersonalGenerator.forward,
    9: PersonalDiscriminator.forward,
    10: finetune._step,
    11: finetune._discriminate,
}


@pytest.mark.parametrize("number", HOMES)
def test_an_equation_s_home_says_so(number: int) -> None:
    numbers: set[int] = set()
    for first, last in re.findall(r"Eq\. (\d+)(?:-(\d+))?", inspect.getsource(HOMES[number])):
        numbers |= set(range(int(first), int(last or first) + 1))
    assert number in numbers


def test_all_eleven_have_one() -> None:
    assert list(HOMES) == list(range(1, 12))
