from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from headmime.benchmark.command import quote_path
from headmime.cli.arguments import prepare
from headmime.errors import HeadmimeError

LETTERS = "ab \\'\"${}[],=()~:;é漢\n\t%@?|#*+-"
NASTY = st.text(st.sampled_from(LETTERS), min_size=1, max_size=12)


def understood(word: str) -> object:
    """What Hydra and OmegaConf make of `key=value`."""
    value = OverridesParser.create().parse_override(word).value()
    return OmegaConf.to_container(OmegaConf.create({"value": value}), resolve=True)["value"]


@given(path=NASTY.filter(lambda path: not path.startswith("~")))
def test_a_quoted_path_means_itself(path: str) -> None:
    assert understood(f"source={quote_path(path)}") == path
    assert understood(f"source=[{quote_path(path)},{quote_path('b c')}]") == [path, "b c"]


def test_home_is_expanded() -> None:
    assert understood(f"out={quote_path('~/me')}") == str(Path.home() / "me")


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    for name in ("conf", "experiments"):
        (tmp_path / name).mkdir()
    (tmp_path / "conf" / "train.yaml").touch()
    (tmp_path / "experiments" / "small.yaml").touch()
    (tmp_path / "my own.yaml").touch()
    return {"conf": tmp_path / "conf", "experiments": tmp_path / "experiments"}


def prepared(folders: dict[str, Path], *words: str) -> list[str]:
    return prepare("train", words, **folders)


def test_only_paths_are_quoted_and_repeated_ones_collected(folders: dict) -> None:
    words = prepared(folders, "source=a b", "seed=3", "source=c,d", "out=x=y", "model=small")
    assert words == ["source=['a b','c,d']", "seed=3", "out='x=y'", "model=small"]
    words = prepared(folders, "seed=3", "source=a", "--cfg", "job")  # Hydra: keys in one piece
    assert words == ["seed=3", "source=['a']", "--cfg", "job"]


def test_folders_of_a_run_are_literal_but_for_interpolations(folders: dict) -> None:
    for typed, meant in (
        ("hydra.run.dir=a=b", "a=b"),
        ("hydra.run.dir=runs/my run, 2", "runs/my run, 2"),
        ("hydra.run.dir='a=b'", "a=b"),
        (r"hydra.run.dir=a\=b", "a=b"),
        (f"hydra.run.dir={quote_path('it=s')}", "it=s"),
        ("hydra.sweep.dir=it's", "it's"),
    ):
        assert understood(prepared(folders, typed)[0]) == meant
    (word,) = prepared(folders, "hydra.run.dir=runs/${seed}")
    assert OverridesParser.create().parse_override(word).value() == "runs/${seed}"


def test_nothing_stays_nothing(folders: dict) -> None:
    assert prepared(folders, "out=", "source=") == ["out=''", "source=[]"]
    assert prepared(folders, "out=null") == ["out=null"]


def test_words_without_a_key_are_files(
    folders: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a=b.png").touch()
    words = prepare("verify", ["x y.png", "json=true", "a=b.png", "c=d.png"], **folders)
    assert words == ["files=['x y.png','a=b.png']", "json=true", "c=d.png"]  # there is no c=d.png
    words = prepare("report", ["one", "two", "three"], **folders)
    assert words == ["results='one'", "out='two'", "three"]


def test_a_study_is_named_by_its_verb(folders: dict) -> None:
    words = prepare("table", ["-cn", "small", "seed=1"], **folders)
    assert words[:4] == ["-cn", "small", "study=table", "seed=1"]


@pytest.mark.parametrize(
    "words",
    [["-cn", "small"], ["-cn=small"], ["--config-name", "small.yaml"], ["--config-name=small"]],
)
def test_an_experiment_is_found_by_its_name(folders: dict, words: list[str]) -> None:
    option = words[0].partition("=")[0]
    expected = [option, "small", "seed=1", "--config-dir", str(folders["experiments"])]
    assert prepared(folders, *words, "seed=1") == expected


def test_an_experiment_may_be_any_file(folders: dict, tmp_path: Path) -> None:
    words = prepared(folders, "-cn", str(tmp_path / "my own.yaml"))
    assert words == ["-cn", "my own", "--config-dir", str(tmp_path)]


def test_sweeps_may_be_asked_for_anywhere(folders: dict) -> None:
    assert prepared(folders, "a=1", "-m", "seed=1,2") == ["-m", "a=1", "seed=1,2"]
    assert prepared(folders, "--multirun", "seed=1,2") == ["-m", "seed=1,2"]


def test_a_config_folder_of_one_s_own_may_hold_the_experiment(
    folders: dict, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "other.yaml").touch()
    words = ["-cn", "other", "--config-dir", str(tmp_path / "mine")]
    assert prepared(folders, *words) == words
    assert prepared(folders, *words[2:]) == words[2:]


def test_beside_an_experiment_a_config_folder_of_one_s_own_is_searched(
    folders: dict, tmp_path: Path
) -> None:
    mine = tmp_path / "mine, = too"
    mine.mkdir()
    for words in (["-cn", "small", f"--config-dir={mine}"], ["-cd", str(mine), "-cn=small"]):
        made = prepared(folders, *words, "a=b")
        dirs = [made[n + 1] for n, word in enumerate(made) if word in ("-cd", "--config-dir")]
        assert dirs == [str(folders["experiments"])]
        assert understood(made[-2]) == [str(mine)]
        assert made[-2].startswith("hydra.searchpath=") and made[-1] == "a=b"
    with pytest.raises(HeadmimeError, match="--config-dir gone: there is no such folder"):
        prepared(folders, "-cn", "small", "-cd", "gone")


def test_an_unknown_experiment_is_refused_with_the_list(folders: dict) -> None:
    with pytest.raises(HeadmimeError, match="no experiment named 'large'.*one of: small"):
        prepared(folders, "-cn", "large")
    assert prepared(folders, "-cn", "train")[:2] == ["-cn", "train"]
