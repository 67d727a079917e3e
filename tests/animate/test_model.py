"""The weights of the package, by their names."""

import pytest

from headmime.animate.model import load
from headmime.assets import bundled_name


@pytest.mark.parametrize(("name", "side"), [("bundled", 256), ("bundled_128", 128)])
def test_bundled_weights_have_their_size_and_are_known_by_their_hash(name: str, side: int) -> None:
    model = load(name, "cpu")
    assert model.shape.image_size == side
    assert bundled_name(model.sha256) == name


def test_other_weights_have_no_name() -> None:
    assert bundled_name("0" * 64) is None and bundled_name(None) is None
