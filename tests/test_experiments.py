"""Every experiment is a short difference against the paper's defaults, and says what it is for."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

import headmime.cli.train  # noqa: F401 (registers the schema)
from headmime.cli.config import conf_folder, experiments_folder
from headmime.nets import build_nets

EXPERIMENTS = sorted(experiments_folder().glob("*.yaml"))


@pytest.fixture(params=EXPERIMENTS, ids=lambda path: path.stem)
def experiment(request: pytest.FixtureRequest) -> Path:
    return request.param


def composed(folder: Path, name: str) -> DictConfig:
    with initialize_config_dir(str(folder), version_base="1.3"):
        return compose(name, overrides=[f"hydra.searchpath=[file://{conf_folder()}]"])


def test_it_composes_and_builds(experiment: Path) -> None:
    shape = OmegaConf.to_object(composed(experiment.parent, experiment.stem).model)
    with torch.device("meta"):
        build_nets(shape)


def test_it_is_short_and_states_claim_and_command(experiment: Path) -> None:
    lines = experiment.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert len(lines) - len(comments) <= 15
    assert comments[0].startswith("# Claim:")
    assert any(f"make train EXP={experiment.stem}" in line for line in comments)


def test_the_defaults_are_the_paper() -> None:
    settings = composed(conf_folder(), "train")
    assert settings.model.image_size == 256
    assert settings.sources == 8
    assert settings.trainer.max_epochs == 75
    optim, loss = settings.optim, settings.loss
    assert (optim.lr_generator, optim.lr_discriminator) == (5e-5, 2e-4)
    assert optim.discriminator_steps == 2
    assert (loss.content, loss.adversarial, loss.pixel) == (1, 1, 0)
    assert (loss.feature_matching, loss.matching) == (10, 10)
