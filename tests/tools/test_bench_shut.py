"""The tool that `motion.CLOSED_EYE` was chosen with, on two sitters who drive each other."""

import runpy
from itertools import chain
from pathlib import Path

import pytest

from headmime.animate import motion
from headmime.data.shards import finish_store, write_shard
from headmime.sitters.body import load_body
from headmime.sitters.figure import make_model
from headmime.sitters.write import sitter_clips

FILE = Path(__file__).parents[2] / "tools" / "bench_shut.py"


@pytest.mark.slow
def test_lids_that_are_asked_for_move_more_the_more_counts_as_shut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(motion, "CLOSED_EYE", motion.CLOSED_EYE)  # put back afterwards
    model = make_model(load_body())
    tested = (sitter_clips(model, number, frames=64, size=64, seed=3) for number in (19, 39))
    write_shard(tmp_path, 0, chain.from_iterable(tested))
    finish_store(tmp_path)
    runpy.run_path(str(FILE))["main"](str(tmp_path))
    said, *rows = capsys.readouterr().out.splitlines()
    assert said.startswith("2 pairs")
    asked = [float(row.split()[-1]) for row in rows]
    assert asked == sorted(asked) and asked[-1] > asked[0] > 0
