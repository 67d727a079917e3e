"""`headmime preprocess`, from the command line to the store: its sentences and exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from headmime.cli import main
from headmime.cli import preprocess as verb
from headmime.data.preprocess.layouts import Refusal
from headmime.data.store import Store


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Callable[..., tuple]:
    """Exit code, standard output, standard error, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set" / "mp4").mkdir(parents=True)

    def headmime(*words: str) -> tuple[int, str, str]:
        code = main(["preprocess", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return headmime


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "root= is missing"),
        (["root=set"], "out= is missing"),
        (["root=nowhere", "out=x"], "root=nowhere is not a folder"),
        (["root=set/mp4", "out=x"], "root=set/mp4 has no mp4/<person>"),
        (["root=set", "out=x", "quality=0"], "quality=0 is not a JPEG quality"),
        (["root=set", "out=x", "size=8"], "size=8 is too small"),
        (["root=set", "out=x", "workers=0"], "workers=0 is too small"),
        (["root=set", "out=x", "test_share=2"], "test_share=2.0 is not a share"),
        (["root=set", "out=x", "detector=dlib"], "None of 0 files could be stored"),
        (["root=set", "dry_run=true", "detector=dlib"], "root=set holds no file"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_a_sentence(run, words: list[str], sentence: str):
    code, out, said = run(*words)
    assert (code, out) == (1 if words else 2, "")
    assert sentence in " ".join(said.split()) and "Traceback" not in said


def test_keys_that_do_not_exist(run):
    assert run("root=set", "out=x", "sise=8")[0] == 2
    assert run("root=set", "out=x", "data=lrs3")[0] == 2


def test_a_ray_cluster_that_is_not_there(run, tmp_path: Path):
    pytest.importorskip("ray", reason="the extra cluster is not installed")
    film = tmp_path / "set" / "mp4" / "id1" / "x" / "1.mp4"
    film.parent.mkdir(parents=True)
    film.touch()
    code, _, said = run(
        "root=set", "out=x", "detector=dlib", "cluster=ray", "cluster.address=127.0.0.1:9"
    )
    assert code == 1 and "no Ray cluster at cluster.address=127.0.0.1:9" in " ".join(said.split())


def test_names_are_taken_literally(run, tmp_path: Path):
    odd = tmp_path / "a, [b]=c é"
    (odd / "mp4").mkdir(parents=True)
    out = "x, {y}=z"
    assert "None of 0 files" in run(f"root={odd}", f"out={out}", "detector=dlib")[2]
    assert (tmp_path / out / "quarantine.json").exists()


def test_what_is_told_at_the_end(store: Path):
    refused = [Refusal(f"{n}.mp4", "is empty") for n in range(3)]
    refused += [Refusal("caf\udce9\n.mp4", "no face", (1.0, 2.0))]
    summary = verb.PreprocessReport(Store(store), 10, refused, 1234, 7_000_000)
    told = verb._format_report(summary, Path("out"), 5000.0)
    assert "out: 7 clips of 7 videos, 28 frames, 7 MB (1 MB a video), from 1,234" in told
    assert "3 of 10 files and 1 parts of others were quarantined: see out/quarantine.json" in told
    assert "3 x is empty, such as 0.mp4" in told and r"caf\udce9\n.mp4" in told
    told.encode("utf-8")


@pytest.mark.slow
def test_the_real_voxceleb2_clips(run, shared_data: Path, tmp_path: Path, tiny_run: list[str]):
    """All 62, in the data set's own layout; then 20 steps of training on them."""
    root, words = shared_data / "voxceleb2", ["detector=dlib", "size=64", "frames=9", "fps=8"]
    code, told, said = run("data=voxceleb2", f"root={root}", "out=store", *words)
    assert code == 0, said
    store = Store(tmp_path / "store")
    assert len(store.videos) == 24 and store.n >= 62 and store.size == 64
    assert {person for person, _ in store.videos} == {"id00017", "id00061"}
    report = json.loads((tmp_path / "store" / "quarantine.json").read_text())
    assert report["files"] == 62 and not [one for one in report["refused"] if not one["seconds"]]
    assert "0 of 62 files" in told
    train = ["train", "-cn", "cpu_meta", *tiny_run, "store=store", "trainer.max_epochs=2"]
    assert main([*train, "trainer.limit_train_batches=10", "hydra.run.dir=run"]) == 0
    assert list((tmp_path / "run").rglob("*.safetensors"))
