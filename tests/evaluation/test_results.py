"""Intervals, result files, comparisons and the page."""

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest

from headmime.benchmark.report import report
from headmime.benchmark.rows import check_scorer_leakage
from headmime.errors import HeadmimeError
from headmime.evaluation.baselines import copy_first, copy_nearest, warp_nearest
from headmime.evaluation.cache import cached, digest
from headmime.evaluation.evaluate import evaluate
from headmime.evaluation.metrics.distribution import fid
from headmime.evaluation.paper import quoted
from headmime.evaluation.results import (
    advantage,
    read_features,
    read_result,
    summarise,
    verdict,
    write_result,
)
from headmime.evaluation.statistics import (
    mean_estimate,
    paired_difference,
    paired_set_difference,
    set_estimate,
)


def test_the_interval_of_a_mean_has_the_right_width():
    """For a normal sample the bootstrap's 95 % are about 1.96 standard errors."""
    values = np.random.default_rng(0).normal(3, 2, 400)
    estimate = mean_estimate({str(k): v for k, v in enumerate(values)})
    assert estimate.value == pytest.approx(values.mean())
    error = 1.96 * values.std() / 20
    assert estimate.high - estimate.value == pytest.approx(error, rel=0.12)
    assert estimate.value - estimate.low == pytest.approx(error, rel=0.12)


def test_people_are_drawn_not_frames():
    """Frames of a person that are all alike add no certainty: the interval stays as wide."""
    rng = np.random.default_rng(0)
    few = {str(k): (rng.normal(size=(4, 3)),) * 2 for k in range(12)}
    many = {name: (np.repeat(x, 10, 0),) * 2 for name, (x, _) in few.items()}

    def mean(real, fake):
        return float(fake.mean())

    one, other = set_estimate(mean, few), set_estimate(mean, many)
    assert asdict(one) == pytest.approx(asdict(other))


def test_one_person_has_no_interval():
    estimate = mean_estimate({"a": 2.0})
    assert estimate.value == 2 and np.isnan(estimate.low) and np.isnan(estimate.high)


def test_paired_differences_do_not_see_what_persons_share():
    rng = np.random.default_rng(0)
    persons = {str(k): v for k, v in enumerate(rng.normal(0, 100, 20))}
    better = {name: v + 1 + 0.01 * rng.normal() for name, v in persons.items()}
    estimate = paired_difference(better, {**persons, "stranger": 1e9})
    assert estimate.identities == 20
    assert 0.9 < estimate.low < 1 < estimate.high < 1.1
    shifted = {name: (np.zeros((2, 2)), np.full((2, 2), v)) for name, v in persons.items()}
    same = paired_set_difference(lambda real, fake: float(fake.mean()), shifted, shifted)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_interval_of_a_fid_is_around_its_value():
    rng = np.random.default_rng(0)
    features = {str(k): (rng.normal(size=(9, 4)), rng.normal(1, 1, (9, 4))) for k in range(15)}
    estimate = set_estimate(fid, features)
    assert estimate.low < estimate.value < estimate.high


def test_what_was_made_once_is_read_again_and_broken_off_work_leaves_nothing(tmp_path):
    def broken():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cached(tmp_path, "key", broken)
    assert not list(tmp_path.iterdir())
    first = cached(tmp_path, "key", lambda: {"x": np.arange(3)})
    again = cached(tmp_path, "key", broken)
    np.testing.assert_array_equal(first["x"], again["x"])


def test_a_digest_sees_values_shapes_and_order():
    x = np.arange(6)
    things = [(x,), (x.reshape(2, 3),), (x.astype(np.int32),), (x[::-1],), ("a", "b"), ("ab",)]
    assert len({digest(*some) for some in things}) == len(things)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def settings(method, T=8):
    return {
        "dataset": "made up",
        "store": "5" * 64,
        "split": "test",
        "mode": "self",
        "motion": "absolute",
        "trials": 6,
        "persons": 6,
        "size": 32,
        "method": method,
        "T": T,
        "checkpoint": "c" * 64 if method in ("ff", "ft") else None,
        "seed": 0,
    }


def inverted(frames, landmarks):
    return lambda asked: np.repeat(255 - frames[:1], len(asked), 0)


@pytest.fixture(scope="module")
def files(lasting_context, tmp_path_factory):
    """Result files by method; "ft" has the colours of somebody else: it loses to the warp."""
    context = lasting_context
    folder = tmp_path_factory.mktemp("results")
    adapts = {
        "copy": copy_first,
        "nearest": copy_nearest,
        "warp": warp_nearest,
        "ft": inverted,
        "real": None,
    }
    written = {}
    for method, adapt in adapts.items():
        row = evaluate(context, adapt, 8, method)
        result = summarise(settings(method), row, context.scorers.origin, True, 0)
        result.origin.update(command=f"headmime eval method={method}")
        written[method] = write_result(folder, result, row)
    return written


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


def test_one_person_s_difference_has_no_interval(files, tmp_path):
    folder = shutil.copytree(files["ft"].parent, tmp_path / "results")
    for name, value in (("ft", 0.5), ("warp", 0.25)):
        file = folder / files[name].name
        content = json.loads(file.read_text())
        content["persons"]["ssim"] = {"person-0": value}
        file.write_text(json.dumps(content))
    page = report(sorted(folder.glob("*.json")), "headmime report")
    assert "no difference to the warp is shown in ssim +0.250 (one person)" in page
    assert "nan" not in page


def test_the_page_says_what_does_not_beat_the_warp(files):
    page = report(sorted(files.values()), "headmime report")
    assert "made up: self-reenactment" in page
    assert "does not beat the warp" in page
    assert "(a stand-in)" in page and "Not comparable" in page
    assert "Beside the paper" not in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert any(line.startswith("| real frames (ceiling), T = 8 | 0.0") for line in rows)
    assert "`headmime eval method=warp`" in page


def test_rows_of_an_older_fine_tuning_are_marked(files, tmp_path):
    content = json.loads(files["ft"].read_text())
    made = {"older": ("2026-01-01", 10, 0.1), "newer": ("2026-01-02", 80, 0.1)}
    paths = []
    for name, (date, epochs, scale) in made.items():
        content["origin"]["date"] = date
        content["row"]["finetune"] = {"epochs": epochs, "jitter": {"scale": scale}}
        content["row"]["T"] = 1 if name == "older" else 8
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps(content))
    lines = report([files["warp"], *paths], "headmime report").splitlines()
    assert sum(line.startswith("| FT (fine-tuned), T = 1 † |") for line in lines) >= 1
    assert sum(line.startswith("| FT (fine-tuned), T = 8 |") for line in lines) >= 1
    said = [line for line in lines if "not fine-tuned as the newest row is" in line]
    assert len(said) == 1
    assert said[0].startswith("- FT (fine-tuned), T = 1 †:") and said[0].endswith(": epochs=10")


def test_paper_s_numbers_stand_only_beside_the_paper_s_data_and_networks(files, tmp_path):
    """The same file, but said to be VoxCeleb2 at 256 with the networks of the literature."""
    content = json.loads(files["ft"].read_text())
    content["row"].update(dataset="VoxCeleb2", size=256)
    stand_in = tmp_path / "a.json"
    stand_in.write_text(json.dumps(content))
    stand_in.with_suffix(".npz").write_bytes(files["ft"].with_suffix(".npz").read_bytes())
    assert "Beside the paper" not in report([stand_in], "x")
    content["stand_in"] = False
    stand_in.write_text(json.dumps(content))
    page = report([stand_in], "x")
    assert "Beside the paper" in page and "42.2" in page and "0.68?" in page
    assert quoted("sitters", "ft", 8) is None


def test_a_file_that_is_no_result_is_named(tmp_path):
    file = tmp_path / "other.json"
    file.write_text("[]")
    with pytest.raises(HeadmimeError, match="other.json is not a result"):
        read_result(file)


def test_a_network_of_the_loss_may_not_score():
    scorers = {"features": {"name": "net", "files": {"a.pth": "1234"}}}
    check_scorer_leakage(scorers, {"fine-tuning": {"files": {"b.pth": "9"}}, "these weights": {}})
    with pytest.raises(HeadmimeError, match=r"net \(features\) is in the loss of fine-tuning"):
        check_scorer_leakage(scorers, {"fine-tuning": {"files": {"renamed.pth": "1234"}}})
