"""Runs the tests beside this file, each file in a process of its own: autograd counts the devices
once, when a process first differentiates, and must not have found none.
"""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["training", "personal"])
def test_on_a_gpu_in_name(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{HERE / name}.py"]
    ran = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "skipped" not in ran.stdout
