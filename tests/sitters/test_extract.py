"""The body model made from nothing, as on a machine that never ran headmime."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from headmime.sitters.body import Body, cache_path, load_body

FOLDERS = ("HOME", "XDG_CACHE_HOME", "WARP_CACHE_PATH", "TMPDIR")


@pytest.mark.slow
def test_an_empty_cache_is_filled_with_the_same_bits(tmp_path: Path) -> None:
    """By another number of threads too; and what only the making needs is gone afterwards."""
    empty = {name: str(tmp_path / name) for name in FOLDERS}
    for folder in empty.values():
        Path(folder).mkdir()
    program = "from headmime.sitters.body import load_body; load_body()"
    environment = {**os.environ, **empty, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    made = tmp_path / "XDG_CACHE_HOME" / "headmime" / cache_path().name
    here = load_body()
    with np.load(made) as arrays:
        assert set(arrays) == {field.name for field in fields(Body)}
        for name in arrays:
            np.testing.assert_array_equal(arrays[name], getattr(here, name), err_msg=name)
    assert any((tmp_path / "WARP_CACHE_PATH").rglob("*.o")), "the kernel was not compiled anew"
    left = [path for path in made.parent.iterdir() if path != made]
    assert not left and not list((tmp_path / "HOME").rglob("*anny*"))
