"""Result files, and comparisons of two."""

import json

import numpy as np
import pytest

from headmime.errors import HeadmimeError
from headmime.evaluation.baselines import copy_first
from headmime.evaluation.evaluate import evaluate
from headmime.evaluation.results import (
    advantage,
    read_features,
    read_result,
    summarise,
    verdict,
)

from .conftest import settings


def test_a_result_file_carries_its_origin(files):
    content = json.loads(files["nearest"].read_text())
    for name in ("ssim", "fid", "id_rank1"):
        one = content["metrics"][name]
        assert one["low"] <= one["value"] <= one["high"]
        assert one["n"] == 6 * 12 and one["identities"] == 6
    assert content["scorers"]["identity"]["name"] == "mean-colour"
    assert content["scorers"]["identity"]["files"] == {"colour": "c0ffee"}
    assert content["stand_in"] is True
    assert content["row"]["store"] == "5" * 64
    assert {"commit", "date", "headmime", "command"} <= set(content["origin"])
    assert files["nearest"].name.startswith("self-nearest-T8-")
    assert {file.suffix for file in files["nearest"].parent.iterdir()} == {".json", ".npz"}


def test_too_few_images_are_said(files):
    read = read_result(files["nearest"])
    assert "note" not in read.metrics["fid"]  # 72 images, 3 features
    features = read_features(files["nearest"])
    assert len(features) == 6 and features["person-0"][0].shape == (12, 3)


def test_fid_of_fewer_images_than_features_has_a_note(context):
    row = evaluate(context, copy_first, 1, "copy")
    wide = [(np.tile(real, 40), np.tile(fake, 40)) for real, fake in row.features]
    object.__setattr__(row, "features", wide)
    result = summarise(settings("copy"), row, {}, True, 0)
    assert result.metrics["fid"]["note"] == "72 images are no more than the 120 features"


def test_advantages_are_positive_where_one_is_better(files):
    for metric in ("ssim", "lpips"):
        gain = advantage(files["real"], files["ft"], metric)
        assert gain.low > 0 and verdict(gain) == "better", metric
        assert verdict(advantage(files["ft"], files["real"], metric)) == "worse"
    assert verdict(advantage(files["real"], files["real"], "ssim")) == "undecided"
    gain, loss = (advantage(files[a], files[b], "fid") for a, b in (("real", "ft"), ("ft", "real")))
    assert gain.value > 0 and (gain.low, gain.high) == pytest.approx((-loss.high, -loss.low))


def test_a_file_that_is_no_result_is_named(tmp_path):
    file = tmp_path / "other.json"
    file.write_text("[]")
    with pytest.raises(HeadmimeError, match="other.json is not a result"):
        read_result(file)
