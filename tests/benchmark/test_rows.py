"""What may not score, and what makes scores stale."""

from dataclasses import replace
from pathlib import Path

import pytest

from headmime.benchmark.rows import check_scorer_leakage, hash_files
from headmime.errors import HeadmimeError


def test_a_network_of_the_loss_may_not_score():
    scorers = {"features": {"name": "net", "files": {"a.pth": "1234"}}}
    check_scorer_leakage(scorers, {"fine-tuning": {"files": {"b.pth": "9"}}, "these weights": {}})
    with pytest.raises(HeadmimeError, match=r"net \(features\) is in the loss of fine-tuning"):
        check_scorer_leakage(scorers, {"fine-tuning": {"files": {"renamed.pth": "1234"}}})


def test_other_weights_of_a_detector_are_another_row(context, tmp_path: Path):
    """Files that the settings name; names of detectors are no files."""
    keys = {"name": "face-alignment", "fan": str(tmp_path / "fan.pth"), "s3fd": None, "batch": 8}
    assert hash_files(keys) == {}
    (tmp_path / "fan.pth").write_bytes(b"weights")
    files = hash_files(keys)
    assert list(files) == ["fan.pth"] and len(files["fan.pth"]) == 64
    assert replace(context.scorers, detector_files=files).origin != context.scorers.origin
