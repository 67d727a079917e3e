"""`headmime VERB --help`: every key, its values and its default, as Hydra composes them."""

import ast
import re
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import headmime
import headmime.cli.train
from headmime.animate.animation import OUTPUTS
from headmime.animate.motion import MOTIONS
from headmime.animate.person import finetune_settings
from headmime.cli import VERBS, main
from headmime.cli.config import conf_folder, register_schema
from headmime.cli.help import REQUIRED, verb_configs, verb_keys
from headmime.cli.scoring import register_schemas
from headmime.cli.train_schema import PRECISIONS, Ema, TrainerSettings, Validate
from headmime.evaluation.method_table import METHODS, MODES
from headmime.learning.finetune import FineTuneSettings
from headmime.learning.init_embeddings import STARTS
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets.shape import ModelShape
from headmime.provenance.statement import Consent, ProvenanceOptions
from headmime.web.uploads import Limits

OF_A_CHOICE = re.compile(r"\([\w+-]+\) ")  # keys that only this choice of a group has


def composed(verb: str) -> dict[str, Any]:
    """The leaves of what Hydra composes, as it is before anything is typed."""
    *studies, config = verb_configs(verb)
    register_schemas()
    if config not in ("evaluate", "train"):
        module, _, function = VERBS[verb].function.partition(":")
        register_schema(getattr(import_module(f"headmime.{module}"), function), config)
    with initialize_config_dir(str(conf_folder()), version_base="1.3"):
        whole = compose(config, overrides=[study.replace("/", "=") for study in studies])
    return flat(OmegaConf.to_container(whole))


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, dict) and value
        found |= flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return found


def alike(typed: str, value: Any) -> bool:
    if isinstance(value, list):
        typed = typed.replace("${", "'${").replace("}", "}'")
    same = yaml.safe_load(typed) == value or str(value) == typed
    return same or (isinstance(value, float) and float(typed) == value)


@pytest.mark.parametrize("verb", VERBS)
def test_every_key_is_listed_with_its_default(verb: str) -> None:
    given, listed = composed(verb), verb_keys(verb)
    constants = {key for key in given if key.endswith(("_target_", "detector.name"))}
    unused = {key for key in given if key.partition(".")[0] in VERBS[verb].unused.split()}
    plain = {name: key for name, key in listed.items() if not OF_A_CHOICE.match(key.meaning)}
    groups = {name for name in plain if (conf_folder() / name).is_dir() and name not in given}
    assert given.keys() - constants - unused <= listed.keys()
    assert plain.keys() - groups <= given.keys() - unused
    for name, key in plain.items():
        assert name in groups or alike(key.default, given[name]), name
        assert name not in groups or key.default in read_choices(name)


def read_choices(group: str) -> list[str]:
    return ["null", *(file.stem for file in (conf_folder() / group).glob("*.yaml"))]


def test_groups_list_the_files_of_their_folder() -> None:
    assert verb_keys("animate")["finetune"].meaning.startswith("default | fast | none | paper: ")
    assert verb_keys("train")["logger"].meaning.startswith("csv | tensorboard | wandb: ")
    assert verb_keys("animate")["detector.s3fd"].meaning.startswith("(face-alignment) ")


def test_the_defaults_are_the_paper_s_which_classes_have_too() -> None:
    for group, paper in {
        "loss": LossWeights(),
        "optim": Optimisation(),
        "model": ModelShape(),
        "trainer": TrainerSettings(),
        "validation": Validate(),
        "ema": Ema(),
    }.items():
        given = {k: v for k, v in composed("train").items() if k.startswith(f"{group}.")}
        assert given == flat(asdict(paper), f"{group}.")
    assert finetune_settings("paper") == FineTuneSettings()
    assert finetune_settings("default") == finetune_settings("fast")  # its name in 0.1.0
    settings = flat(asdict(finetune_settings("fast")), "finetune.")
    assert settings | {"finetune.seed": "${seed}"} == {
        k: v for k, v in composed("animate").items() if k.startswith("finetune.")
    }
    for keys, defaults in (("provenance", ProvenanceOptions()), ("limits", Limits())):
        given = {k: v for k, v in composed("web").items() if k.startswith(f"{keys}.")}
        assert given == flat(asdict(defaults), f"{keys}.")


@pytest.mark.parametrize(
    ("verb", "key", "values"),
    [
        ("animate", "motion", MOTIONS),
        ("animate", "output", OUTPUTS),
        ("animate", "consent", Consent),
        ("eval", "motion", (*MOTIONS, "own")),
        ("eval", "mode", MODES),
        ("eval", "method", METHODS),
        ("eval", "start", STARTS),
        ("train", "trainer.precision", PRECISIONS),
    ],
)
def test_every_value_that_the_code_knows_is_named(verb: str, key: str, values: Any) -> None:
    meaning = verb_keys(verb)[key].meaning
    for value in values:
        if value is not Consent.NOT_STATED:
            assert re.search(rf"(^|[ |]){getattr(value, 'value', value)}\b", meaning), value


def test_help_of_any_verb_loads_nothing_heavy() -> None:
    code = """
import sys
import headmime.cli
for verb in headmime.cli.VERBS:
    assert headmime.cli.main([*verb.split(), "--help"]) == 0
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert {"headmime.cli", "yaml"} <= loaded
    assert not {"torch", "hydra", "omegaconf", "pytorch_lightning", "numpy", "cv2"} & loaded
    assert all(f"headmime {verb}\n" in done.stdout for verb in VERBS)


def test_a_line_has_key_default_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["animate", "driving=talk", "--help"]) == 0
    said = capsys.readouterr().out
    assert (
        "  headmime animate source=photo.jpg driving=clip.mp4 out=result.mp4 consent=own\n" in said
    )
    assert re.search(r"^  seed=0 +of everything that is drawn$", said, re.M)
    assert re.search(r"^  out= +required; \.mp4, \.gif, or \.png", said, re.M)
    assert re.search(r"^  finetune\.epochs=100 +passes over the T frames$", said, re.M)
    assert "_target_" not in said


def test_every_key_is_read_somewhere() -> None:
    """As an attribute, by its name, or as an argument of what `_target_` and `**` hand keys to."""
    nodes = [
        node
        for file in Path(headmime.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
    ]
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    read |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    read |= {node.value for node in nodes if isinstance(node, ast.Constant)}
    of_lightning = {"max_epochs", "max_time", "limit_train_batches", "save_dir", "offline"}
    of_lightning |= {"group", "tags", "notes"}  # handed to W&B
    names = {(verb, name) for verb in VERBS for name in verb_keys(verb)}
    for verb, name in names:
        inside = name.startswith(
            (
                "ablations.modes",
                "ablations.variants",
                "curves.modes",
                "curves.settings",
            )
        )
        assert inside or name.rpartition(".")[2] in read | of_lightning, (verb, name)


def test_fine_tuning_has_no_weight_of_l_mch(capsys: pytest.CaptureFixture[str]) -> None:
    assert "finetune.weights.feature_matching" in verb_keys("animate")
    assert "finetune.weights.matching" not in verb_keys("animate")
    assert main(["animate", "finetune.weights.matching=1"]) == 2
    assert "'finetune.weights.matching'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("table method=ff", "table has no key method=; it is a key of eval, figures, forensics"),
        ("curves mode=cross", "curves has no key mode=; it is a key of eval, table"),
        ("animate model=small", "animate has no key model=; it is a key of train."),
        ("figures scorers=paper", "figures has no key scorers=; it is a key of eval"),
        ("verify --json a.png", "--json is not of the form key=value: type json=true."),
        ("verify --watermark-key=k a.png", "--watermark-key is not .* type watermark_key=VALUE."),
        ("userstudy serve study --port 0", "--port is not .* type port=VALUE."),
        ("data inspect store --out a.png", "--out is not .* type out=VALUE."),
    ],
)
def test_a_key_of_another_verb_and_an_old_option_are_a_sentence(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    error = capsys.readouterr().err
    assert re.search(said, error) and error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("verify", "files"),
        ("export out=x.onnx", "person"),
        ("export out= person=x", "out"),
        ("data verify", "store"),
    ],
)
def test_a_required_key_is_asked_for(
    words: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    verb = words.partition(" out")[0]
    assert verb_keys(verb)[key].default == REQUIRED
    assert main(words.split()) == 2
    assert capsys.readouterr().err == f"headmime: {key}= is missing; --help lists the keys.\n"


def test_a_file_may_be_named_like_a_key_of_another_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model=small.png").write_text("no picture")
    assert main(["verify", "model=small.png"]) == 3
    assert capsys.readouterr().out == "model=small.png: none\n"
