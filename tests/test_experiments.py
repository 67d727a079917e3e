"""Every experiment is a short difference against the paper's defaults, and says what it is for."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

import headmime.cli.train  # noqa: F401 (registers the schema)
from headmime.animate.finetune_snapshots import PARTS
from headmime.benchmark.settings import check
from headmime.cli.config import conf_folder, experiments_folder
from headmime.cli.scoring import register_schemas
from headmime.evaluation.paper import OURS
from headmime.learning.jitter import Jitter
from headmime.nets import build_nets
from headmime.studies.claims.verdict import IDENTITIES, SEEDS
from headmime.studies.finetune_curves.run import CurveSetting

ABLATIONS = {
    "base": {},
    "no_matching": {"loss.matching": 0},
    "no_feature_matching": {"loss.feature_matching": 0},
    "no_w": {"loss.matching": 0, "optim.lr_video_embeddings": None},
    "untrained": {"trainer.max_epochs": 0},
    "one_step": {"optim.discriminator_steps": 1},
}
register_schemas()
EXPERIMENTS = sorted(experiments_folder().glob("*.yaml"))


@pytest.fixture(params=EXPERIMENTS, ids=lambda path: path.stem)
def experiment(request: pytest.FixtureRequest) -> Path:
    return request.param


def composed(folder: Path, name: str, *overrides: str) -> DictConfig:
    path = f"hydra.searchpath=[file://{conf_folder()}]"
    with initialize_config_dir(str(folder), version_base="1.3"):
        return compose(name, overrides=[path, *overrides])


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` -> `{"a.b": 1}`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= (
            flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return found


def differences(one: DictConfig, other: DictConfig) -> dict[str, Any]:
    """What `other` says otherwise."""
    before, after = (flat(OmegaConf.to_container(config)) for config in (one, other))
    assert before.keys() == after.keys()
    return {key: value for key, value in after.items() if value != before[key]}


def test_it_composes_and_builds(experiment: Path) -> None:
    config = composed(experiment.parent, experiment.stem)
    if "model" in config:
        with torch.device("meta"):
            build_nets(OmegaConf.to_object(config.model))
    else:
        settings = OmegaConf.to_object(config)
        check(settings, [settings.method], [settings.T])


def test_it_is_short_and_states_claim_and_command(experiment: Path) -> None:
    lines = experiment.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert len(lines) - len(comments) <= 15
    assert comments[0].startswith("# Claim:")
    kinds = ("train", "eval", "table1", "claims", "curves", "ablations")
    commands = [f"make {kind} EXP={experiment.stem}" for kind in kinds]
    assert any(command in line for line in comments for command in commands)


TRAININGS = {
    ("voxceleb1", "ft"): "meta_vox1",
    ("voxceleb2", "ff"): "meta_vox2_ff",
    ("voxceleb2", "ft"): "meta_vox2_ft",
}


@pytest.mark.parametrize(("dataset", "method", "T"), OURS)
def test_a_row_of_the_paper_s_table_is_its_table_with_method_and_t(
    dataset: str, method: str, T: int
) -> None:
    table = f"vox{dataset[-1]}_table"
    row = composed(experiments_folder(), table, f"method={method}", f"T={T}")
    assert (row.dataset.lower(), row.method, row.T) == (dataset, method, T)
    assert (row.videos, row.held_out, row.finetune.epochs) == (50, 32, 40)
    training = TRAININGS[dataset, method]
    weights = row.weights_ff if method == "ff" else row.weights
    assert weights == f"runs/{training}/0/weights/nets"
    meta = composed(experiments_folder(), training)
    assert row.store == meta.store
    scored = f"# Scored by: {table}, method={method}."
    assert scored in (experiments_folder() / f"{training}.yaml").read_text()


@pytest.mark.parametrize("number", [1, 2])
def test_the_paper_s_tables_have_its_rows_and_no_other_of_ours(number: int) -> None:
    config = composed(experiments_folder(), f"vox{number}_table", "study=table")
    rows = {(m, T) for m in config.table.methods for T in config.table.Ts if m in ("ff", "ft")}
    assert rows == {(method, T) for dataset, method, T in OURS if dataset == f"voxceleb{number}"}


def test_a_group_may_have_a_plus_in_its_name() -> None:
    words = ["perceptual=efficientnet+identity", "perceptual.identity_weight=.5"]
    perceptual = composed(conf_folder(), "train", *words).perceptual
    assert perceptual._target_.endswith("efficientnet_and_identity")
    assert perceptual.identity_weight == 0.5


def test_the_defaults_are_the_paper() -> None:
    settings = composed(conf_folder(), "train")
    assert settings.model.image_size == 256
    assert settings.sources == 8
    assert settings.trainer.max_epochs == 75
    assert settings.growing == [] and settings.mirror == 0
    optim, loss = settings.optim, settings.loss
    assert (optim.lr_generator, optim.lr_discriminator) == (5e-5, 2e-4)
    assert optim.discriminator_steps == 2
    assert (loss.content, loss.adversarial, loss.pixel) == (1, 1, 0)
    assert (loss.feature_matching, loss.matching) == (10, 10)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("meta_vox1", {"store": "runs/stores/voxceleb1"}),
        ("meta_vox2_ff", {"loss.matching": 0, "trainer.max_epochs": 150}),
        ("meta_vox2_ft", {}),
        (
            "meta_vox2_ft_1gpu",
            {
                "batch": 8,
                "optim.lr_generator": 1.4e-4,
                "optim.lr_discriminator": 5.6e-4,
                "optim.warmup": 4000,
                "save_every": 5000,
                "trainer.accelerator": "gpu",
                "trainer.devices": "1",
            },
        ),
        (
            "meta_vox2_ft_8gpu",
            {
                "batch": 6,
                "optim.lr_generator": 2e-4,
                "optim.lr_discriminator": 8e-4,
                "optim.warmup": 24000,
                "save_every": 5000,
                "trainer.accelerator": "gpu",
                "trainer.devices": "8",
            },
        ),
    ],
)
def test_the_paper_s_trainings_are_the_defaults_but_for(name: str, expected: dict) -> None:
    defaults = composed(conf_folder(), "train")
    assert differences(defaults, composed(experiments_folder(), name)) == expected


def test_only_what_is_about_cpus_stays_on_them_where_there_is_a_gpu() -> None:
    assert composed(experiments_folder(), "cpu_meta").trainer.accelerator == "cpu"
    for name in ("sitters_128", "sitters_256", "clips_128"):
        trainer = composed(experiments_folder(), name).trainer
        assert trainer.accelerator == "auto"
        assert trainer.devices == "1"  # the rates are those of its batch


def test_clips_have_the_sitters_recipe() -> None:
    sitters, clips = (
        composed(experiments_folder(), f"{name}_128") for name in ("sitters", "clips")
    )
    assert clips.sitters is None
    sitters.sitters = None
    assert differences(sitters, clips) == {
        "store": "runs/stores/clips_128",
        "trainer.max_time": "00:01:00:00",
    }


def test_the_trainings_of_the_claims_differ_in_l_mch_alone() -> None:
    ft, ff = (composed(experiments_folder(), f"claims_{name}") for name in ("ft", "ff"))
    assert differences(ft, ff) == {"loss.matching": 0} and ft.loss.matching > 0
    assert ft.trainer.max_time is None  # as many updates on any machine


def test_the_claims_have_people_enough_and_fine_tune_at_the_trainings_rates() -> None:
    claims = composed(experiments_folder(), "claims")
    assert claims.videos == claims.claims.sitters.n >= IDENTITIES
    assert claims.claims.sitters.frames >= claims.held_out + claims.sources
    assert len(claims.claims.seeds) >= SEEDS and claims.claims.Ts == [1, 8, 32]
    ft = composed(experiments_folder(), claims.claims.ft)
    assert claims.claims.sitters.seed != ft.sitters.seed and claims.size == ft.model.image_size
    rates = ("lr_generator", "lr_discriminator", "beta2", "discriminator_steps")
    assert {key: claims.finetune[key] for key in rates} == {key: ft.optim[key] for key in rates}
    terms = ("content", "adversarial", "feature_matching", "pixel")
    assert all(claims.finetune.weights[key] == ft.loss[key] for key in terms)
    assert claims.finetune.weights.closeup == ft.loss.closeup == 0
    assert claims.finetune.epochs == 20 and claims.finetune.jitter == Jitter()


def test_the_ablations_are_the_parts_of_the_method() -> None:
    design = composed(experiments_folder(), "ablations").ablations
    assert design.variants == ABLATIONS and next(iter(design.variants)) == "base"
    assert design.minutes is None  # as many updates of each, on any machine


@pytest.mark.parametrize(
    ("design", "name"),
    [
        (design, name)
        for design in ("ablations", "ablations_128", "ablations_256", "ablations_identity")
        for name in OmegaConf.load(experiments_folder() / f"{design}.yaml").ablations.variants
    ],
)
def test_a_variant_changes_its_keys_and_no_other(design: str, name: str) -> None:
    ablations = composed(experiments_folder(), design).ablations
    keys, all_of_them = ablations.variants[name], [ablations.experiment, *ablations.train]
    full = composed(experiments_folder(), *all_of_them)
    typed = [f"{key}={'null' if value is None else value}" for key, value in keys.items()]
    varied = composed(experiments_folder(), *all_of_them, *typed)
    changed = differences(full, varied)
    assert changed.keys() == keys.keys()
    assert all(changed[k] == v for k, v in keys.items() if not isinstance(v, str))  # a list is text
    with torch.device("meta"):
        build_nets(OmegaConf.to_object(varied.model))


def test_curves_begin_with_the_default_and_change_what_fine_tuning_knows() -> None:
    config = composed(experiments_folder(), "finetuning_curves")
    assert next(iter(config.curves.settings)) == "default"
    for name, setting in config.curves.settings.items():
        chosen = OmegaConf.merge(OmegaConf.structured(CurveSetting), setting)
        assert set(chosen.frozen) <= set(PARTS)
        changed = differences(config, OmegaConf.merge(config, {"finetune": chosen.finetune}))
        assert name == "default" or changed or chosen.frozen
