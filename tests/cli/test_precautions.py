"""What has been learned is not lost, and what can be known is said before learning."""

import errno
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headmime.animate import media_writer
from headmime.animate.person import load_person
from headmime.cli import main, person, precautions

FAILING = Path(__file__).parents[1] / "failing"
QUICK = ["finetune.minimum_steps=2", "finetune.epochs=0", "device=cpu", "consent=public-domain"]


@pytest.fixture
def run(
    tmp_path: Path, tiny_weights: Path, mona_lisa: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run `headmime VERB` on the Mona Lisa with tiny networks; temporary files are in `tmp`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    base = [f"source={mona_lisa}", f"weights={tiny_weights}", *QUICK]
    return lambda verb, *words: main([verb, *base, *words])


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "out.mp4")


def terminated(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [(full, 1, "out.mp4: No space left on device; free some"), (terminated, 143, "by SIGTERM.")],
)
def test_a_person_is_kept_when_writing_fails(
    run: Callable,
    tmp_path: Path,
    motion: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Callable,
    code: int,
    sentence: str,
) -> None:
    encode = media_writer.encode
    monkeypatch.setattr(media_writer, "encode", fault)
    assert run("animate", f"driving={motion}", "out=out.mp4") == code
    said = capsys.readouterr().err
    assert sentence in said and "Traceback" not in said
    (kept,) = tmp_path.glob("out-person-*.safetensors")
    stem = kept.with_suffix("")
    assert f"What was learned is kept: person={stem}" in said
    assert load_person(stem).record["origin"]["method"] == "fine-tuned"
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{stem.name}.json", kept.name, "tmp"]
    monkeypatch.setattr(media_writer, "encode", encode)
    words = [f"person={stem}", f"driving={motion}", "out=out.mp4", "device=cpu"]
    assert main(["animate", *words]) == 0
    assert (tmp_path / "out.mp4").is_file()


@pytest.mark.parametrize("learned", [True, False])
def test_nothing_is_kept_at_ctrl_c_or_without_learning(
    tiny_weights: Path,
    mona_lisa: Path,
    tmp_path: Path,
    motion: Path,
    monkeypatch: pytest.MonkeyPatch,
    learned: bool,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt if learned else OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(media_writer, "encode", fail)
    words = [f"source={mona_lisa}", f"weights={tiny_weights}", f"driving={motion}"]
    words += QUICK if learned else ["finetune=none"]
    assert main(["animate", *words, f"out={tmp_path / 'out.mp4'}"]) == (130 if learned else 1)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_while_a_person_is_saved(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """The person goes where there is space."""
    write = Path.write_bytes

    def write_elsewhere(path: Path, content: bytes) -> int:
        if path.suffix == ".safetensors" and path.parent == tmp_path:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_elsewhere)
    assert run("finetune", "out=me") == 1
    said = capsys.readouterr().err
    assert "me.safetensors: No space left on device; free some space" in said
    (kept,) = (tmp_path / "tmp").glob("me-person-*.json")
    assert f"What was learned is kept: person={kept.with_suffix('')}" in said
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


def test_a_person_is_made_once_and_not_overwritten_by_another(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert run("finetune", "out=me") == 0
    before = (tmp_path / "me.safetensors").read_bytes()
    made = []
    make = person.make_person
    monkeypatch.setattr(person, "make_person", lambda *a: made.append(1) or make(*a))
    assert run("finetune", "out=me") == 0
    assert not made and f"person={tmp_path / 'me'}" in capsys.readouterr().out
    assert run("finetune", "out=me", "finetune.minimum_steps=3") == 1
    assert "is a person that other images or settings made" in capsys.readouterr().err
    assert not made and (tmp_path / "me.safetensors").read_bytes() == before
    (tmp_path / "me.json").write_text("{}")
    assert run("finetune", "out=me") == 1


@pytest.fixture
def no_learning(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def learn(*_: object) -> None:
        raise AssertionError("learning began")

    monkeypatch.setattr(person, "make_person", learn)
    yield


@pytest.mark.usefixtures("no_learning")
def test_a_full_disk_is_said_before_learning(
    run: Callable, motion: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    free = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: free)
    for words in (["animate", f"driving={motion}", "out=out.mp4"], ["finetune", "out=me"]):
        assert run(*words) == 1
        assert "and its disk has 0.0 MB free" in capsys.readouterr().err


def test_sound_that_cannot_be_decoded_is_said_before_learning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    driving, out = str(FAILING / "unknown_audio.mp4"), str(tmp_path / "out.mp4")
    precautions.check_driving(driving, "driving", out, None)
    assert "its sound cannot be decoded, and the result will have none" in caplog.text
    caplog.clear()
    precautions.check_driving(driving, "none", out, None)
    precautions.check_driving(str(FAILING / "base.mp4"), "driving", out, None)
    assert not caplog.text
