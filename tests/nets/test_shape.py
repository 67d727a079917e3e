import pytest
import torch

from headmime.errors import HeadmimeError
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_paper_s_parameter_counts() -> None:
    """The paper states E 15 M, G 38 M (with P) and D 20 M; see docs/reference/deviations.md."""
    with torch.device("meta"):
        nets = build_nets(ModelShape())
    assert parameters(nets.embedder) == 14_906_945
    assert parameters(nets.generator.synthesis) == 31_127_877
    assert parameters(nets.generator.projection) == 512 * 13_312
    assert parameters(nets.discriminator) == 19_627_074


def test_the_paper_s_widths() -> None:
    assert ModelShape().down_channels() == [64, 128, 256, 512, 512, 512]
    assert ModelShape().embedding == 512


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"image_size": 100}, "image_size=100"),
        ({"generator_levels": 7}, "generator_levels=7"),
        ({"width": 4}, "width=4"),
    ],
)
def test_impossible_shapes_name_their_key(changes: dict[str, int], named: str) -> None:
    with pytest.raises(HeadmimeError, match=named):
        ModelShape(**changes)
