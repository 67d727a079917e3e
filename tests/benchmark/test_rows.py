"""What may not score."""

import pytest

from headmime.benchmark.rows import check_scorer_leakage
from headmime.errors import HeadmimeError


def test_a_network_of_the_loss_may_not_score():
    scorers = {"features": {"name": "net", "files": {"a.pth": "1234"}}}
    check_scorer_leakage(scorers, {"fine-tuning": {"files": {"b.pth": "9"}}, "these weights": {}})
    with pytest.raises(HeadmimeError, match=r"net \(features\) is in the loss of fine-tuning"):
        check_scorer_leakage(scorers, {"fine-tuning": {"files": {"renamed.pth": "1234"}}})
