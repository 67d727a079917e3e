"""The campaigns in their short form, with one seed, so that a failure is nobody's chance."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("campaign", ["inputs", "kills", "disks", "page", "live"])
def test_a_short_campaign_finds_nothing(campaign: str) -> None:
    done = subprocess.run(
        [sys.executable, "tools/campaigns", campaign, "--short", "--seed", "1"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
