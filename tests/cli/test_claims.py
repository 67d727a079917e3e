"""`headmime claims`: the whole path at toy size, where nothing can be decided."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headmime.cli import main
from headmime.evaluation.cache import write_arrays
from headmime.evaluation.results import read_result
from headmime.studies.claims.run import load_scores
from headmime.studies.claims.verdict import Cell


@pytest.fixture
def words(
    store: Path, tiny_run: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    monkeypatch.chdir(tmp_path)
    # Two epochs: in the first, rows of W start at their embeddings, and L_MCH is 0.
    tiny = [*tiny_run, f"store={store}", "trainer.max_epochs=2"]
    train = ",".join(f"'{word}'" for word in tiny)
    return [
        *("-cn", "claims", f"store={store}", "size=16", "videos=2", "held_out=1", "sources=3"),
        *("claims.Ts=[1,2,3]", "claims.seeds=[1]", "finetune.epochs=1"),
        *("finetune.minimum_steps=1", "claims.sitters=null", f"claims.train=[{train}]"),
        *("results=results", "memory=memory", "claims.runs=runs", "claims.out=out"),
    ]


@pytest.mark.slow
def test_trainings_rows_verdicts_and_a_plot_and_all_of_it_resumes(words, tmp_path, capsys) -> None:
    assert main(["claims", *words]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("C1 every metric of Ours-FT improves with T: undecided: n = 2 id")
    claims = {one["claim"]: one for one in json.loads((tmp_path / "out/claims.json").read_text())}
    assert list(claims) == ["C1", "C2", "C3", "C4", "C5", "C6"]
    for name in ("C1", "C2", "C3", "C4", "C5"):
        one = claims[name]
        assert one["verdict"] == "undecided: n = 2 identities, 1 seeds (of 20 and 2)"
        assert one["numbers"].keys() == one["interval"].keys() != set()
        assert one["n"] == {"identities": 2, "seeds": 1, "images": 2}
        assert one["origin"]["stand_in"] and one["origin"]["command"].startswith("headmime claims")
        assert "fid" in one["notes"]  # 2 images
    assert claims["C6"]["verdict"].startswith("out: ") and claims["C6"]["numbers"] == {}
    assert len(claims["C1"]["numbers"]) == 6
    assert len(claims["C1"]["origin"]["checkpoints"]) == 2  # FF and FT were trained apart
    assert Image.open(tmp_path / "out" / "claims.png").width > 1000

    rows = [read_result(file) for file in sorted((tmp_path / "results").glob("*.json"))]
    made = {(r.row["method"], r.row["start"], r.row["T"]) for r in rows}
    own = {("ff", None, T) for T in (1, 2, 3)} | {("ft", "own", T) for T in (1, 2, 3)}
    starts = {("ft", "average", 2), ("ft", "random", 2)}
    assert made == own | starts | {("real", None, 1)}
    (average,) = (r for r in rows if r.row["start"] == "average")
    assert "weights=runs/claims_ft/1/weights/nets" in average.origin["command"]
    assert "start=average method=ft T=2" in average.origin["command"]
    assert "claims." not in average.origin["command"]

    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "results").glob("self-*")}
    first = (tmp_path / "out" / "claims.json").read_text()
    assert main(["claims", *words]) == 0
    assert {file: file.stat().st_mtime_ns for file in before} == before
    again = json.loads((tmp_path / "out" / "claims.json").read_text())
    assert [one["numbers"] for one in again] == [one["numbers"] for one in json.loads(first)]


def test_seeds_of_a_cell_are_averaged_over_the_persons_that_all_files_have(tmp_path) -> None:
    def result(name: str, csim: dict[str, float], away: float) -> Path:
        persons = {"csim": csim, "ssim": dict.fromkeys(csim, 0.5)}
        content = {
            "format": 1, "row": {}, "metrics": {}, "persons": persons, "scorers": {},
            "stand_in": True, "left_out": 0, "origin": {},
        }  # fmt: skip
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(content))
        real = np.random.default_rng(0).normal(size=(50, 2))
        arrays = {"trials": np.array([[person, person] for person in csim])}
        for k in range(len(csim)):
            arrays |= {f"{k}/real": real, f"{k}/fake": real + np.array([away, 0])}
        write_arrays(file.with_suffix(".npz"), arrays)
        return file

    one = [
        result("a", {"x": 0.1, "y": 0.3, "alone": 9.0}, 3),
        result("b", {"x": 0.3, "y": 0.5}, 1),
    ]
    other = [result("c", {"x": 0.5, "y": 0.7}, 0), result("d", {"x": 0.5, "y": 0.7}, 0)]
    cells = Cell("ff", "own", 1), Cell("ft", "own", 1)
    scores, n = load_scores(dict(zip(cells, (one, other), strict=True)))
    assert n == (2, 2)
    assert [scores["csim"][cell].value for cell in cells] == pytest.approx([0.3, 0.6])
    assert [scores["fid"][cell].value for cell in cells] == pytest.approx([(9 + 1) / 2, 0])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("claims.Ts=[1,8]", "claims.Ts=[1, 8] should be three increasing numbers"),
        ("claims.Ts=[8,1,32]", "should be three increasing numbers"),
        ("claims.seeds=[]", "claims.seeds is empty"),
        ("mode=cross", "The claims are about mode=self"),
        ("finetune.rehearsal=4", "finetune.rehearsal=0"),
        ("size=null", "size= is missing"),
        ("claims.Ts=[1,2,64]", "T=64 should be from 1 to sources=3"),
        ("store=/nowhere", "/nowhere is not a finished clip store"),
    ],
)
def test_what_a_user_can_get_wrong_is_said_before_any_work(
    words, wrong, sentence, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("headmime.studies.trainings.subprocess", None)
    assert main(["claims", *words, wrong]) == 1
    error = capsys.readouterr().err
    assert sentence in error.replace("\n", " ") and "Traceback" not in error


def test_rehearsal_and_another_start_exclude_each_other(words, capsys) -> None:
    own = [word for word in words if not word.startswith("claims.")]
    assert main(["eval", *own, "start=average", "finetune.rehearsal=1", "T=1"]) == 1
    assert "start=average needs finetune.rehearsal=0" in capsys.readouterr().err
