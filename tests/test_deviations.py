"""docs/reference/deviations.md: rows are complete; the code or key that each names exists."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

import headmime.cli.train  # noqa: F401 (registers its schema)
from headmime.benchmark.rows import run_row
from headmime.cli.config import conf_folder, register_schema

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "deviations.md"
COLUMNS = ["the paper says", "we do", "why", "measured effect", "where"]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("|") and not line.startswith("|---")
]
TOLD = [row for row in ROWS if row != COLUMNS]


@pytest.fixture(scope="module")
def configurations() -> list[DictConfig]:
    register_schema(run_row, "evaluate")
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        return [compose("train"), compose("evaluate")]


def symbol(name: str) -> Any:
    """`headmime.nets.blocks.DownBlock` -> what it is; AttributeError or ImportError if nothing."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def has(config: DictConfig, key: str) -> bool:
    first, _, rest = key.partition(".")
    return first in config and (not rest or has(config[first], rest))


@pytest.mark.parametrize("row", TOLD, ids=lambda row: f"{row[1][:30]}")
def test_a_row_is_complete_and_its_place_exists(
    row: list[str], configurations: list[DictConfig]
) -> None:
    assert len(row) == len(COLUMNS) and all(row)
    place = row[-1].strip("`")
    if place.startswith("headmime."):
        assert symbol(place) is not None
    else:
        assert any(has(config, place) for config in configurations), place


def test_what_reimplementations_differ_in_is_told() -> None:
    """Pooling order and VGG's, blocks, reductions, L_FM's and L_MCH's weights, W's losses, biases,
    epsilons, batch, bf16, spectral.
    """
    places = {row[-1].strip("`") for row in TOLD}
    assert {
        "headmime.nets.downsampling.pooled",
        "headmime.pretrained.vgg.VGGStack",
        "headmime.losses.content_loss",
        "headmime.losses.matching_loss",
        "loss.feature_matching",
        "loss.matching",
        "model.bottleneck_blocks",
        "headmime.learning.meta.MetaLearning",
        "headmime.nets.blocks.AdaptiveBlock",
        "optim.eps",
        "batch",
        "trainer.precision",
        "headmime.nets.spectral.SpectralConv2d",
    } <= places


def test_the_co_author_s_later_code_is_named_as_in_third_party_md() -> None:
    address = "https://github.com/shrubb/latent-pose-reenactment"
    introduction = PAGE.read_text().split("\n## ")[0]
    method = (PAGE.parents[2] / "THIRD_PARTY.md").read_text().split("\n## ")[1]
    for text in (introduction, method):
        assert address in text and "co-author's later code" in text
    told = [row for row in TOLD if "co-author's later code" in " ".join(row)]
    assert len(told) > 10
