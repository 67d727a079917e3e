"""`headmime forensics` as typed."""

import json
from pathlib import Path

import pytest

from headmime.cli import main


@pytest.fixture
def words(store: Path, tiny_weights: Path, tmp_path: Path) -> list[str]:
    few = ["split=train", "videos=4", "held_out=2", "sources=2", "T=1", "dataset=made up"]
    tries = ["forensics.folds=2", "forensics.steps=2", f"forensics.out={tmp_path / 'out'}"]
    return [
        *("forensics", "-cn", "eval_store", *few, *tries, f"store={store}"),
        *(f"weights={tiny_weights}", f"results={tmp_path}", f"memory={tmp_path / 'memory'}"),
    ]


def test_three_detectors_raw_and_after_h264(words, tmp_path, capsys):
    assert main([*words, "method=ff"]) == 0
    printed = capsys.readouterr().out
    (file,) = (tmp_path / "out").glob("self-ff-T1-*.json")
    assert str(file) in printed and printed.count("crf 23") == 3
    found = json.loads(file.read_text())["findings"]
    assert set(found) == {"raw", "crf 23"}
    for by_name in found.values():
        assert set(by_name) == {"discriminator", "linear probe", "trained"}
        for one in by_name.values():
            assert 0 <= one["auc"]["value"] <= 1 and one["auc"]["identities"] == 4
            assert len(one["folds"]) == 2


@pytest.mark.parametrize(
    ("key", "said"), [("method=real", "mode=self"), ("mode=cross", "mode=self")]
)
def test_there_must_be_made_frames_and_true_ones(words, capsys, key, said):
    assert main([*words, "method=ff", key]) == 1
    assert said in capsys.readouterr().err
