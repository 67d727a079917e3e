"""`logger=`: what the loggers of a run write, and how a resumed run goes on in it."""

import csv
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.errors import UsageError
from wandb.proto.wandb_internal_pb2 import Record


def steps(run: Path) -> list[int]:
    (file,) = run.glob("logs/*/metrics.csv")
    with file.open() as rows:
        return [int(row["step"]) for row in csv.DictReader(rows)]


def scalars(run: Path) -> list[int]:
    (folder,) = run.glob("logs/version_*")
    events = EventAccumulator(str(folder)).Reload()
    return [event.step for event in events.Scalars("loss/cnt")]


def wandb_records(folder: Path) -> list[Record]:
    """The records of an offline run: LevelDB's log format after seven bytes."""
    (file,) = folder.glob("*.wandb")
    data, at, records, kept = file.read_bytes(), 7, [], b""
    while at + 7 <= len(data):
        _, length, kind = struct.unpack_from("<IHB", data, at)
        if not kind:  # the rest of a block of 32 kB
            at += 32768 - at % 32768
            continue
        kept += data[at + 7 : at + 7 + length]
        if kind in (1, 4):  # whole, or the last piece
            records.append(Record.FromString(kept))
            kept = b""
        at += 7 + length
        at += (left := 32768 - at % 32768) * (left < 7)
    return records


def test_a_resumed_run_goes_on_in_its_curves(train: Callable, tmp_path: Path) -> None:
    loggers = "logger=[csv,tensorboard]"
    assert train("run", loggers) == 0
    before = (tmp_path / "run" / "logs" / "version_0" / "metrics.csv").read_text().splitlines()
    assert train("run", loggers, "ckpt=last", epochs=2) == 0
    assert [path.name for path in (tmp_path / "run" / "logs").iterdir()] == ["version_0"]
    assert steps(tmp_path / "run") == [2, 4, 6, 6, 8, 10, 12, 12]
    assert scalars(tmp_path / "run") == [2, 4, 6, 8, 10, 12]
    after = (tmp_path / "run" / "logs" / "version_0" / "metrics.csv").read_text().splitlines()
    assert after[: len(before)] == before


def test_curves_behind_the_state_of_a_killed_run_are_dropped(
    train: Callable, tmp_path: Path
) -> None:
    """As SIGKILL leaves them: rows after the last state, the last one torn."""
    loggers = "logger=[csv,tensorboard]"
    assert train("run", loggers) == 0
    state = tmp_path / "run" / "checkpoints" / "last.ckpt"
    early = state.read_bytes()
    assert train("run", loggers, "ckpt=last", epochs=2) == 0
    state.write_bytes(early)
    (file,) = (tmp_path / "run").glob("logs/*/metrics.csv")
    file.write_text(file.read_text() + "1,2,3")
    assert train("run", loggers, "ckpt=auto", "validation.every=1", epochs=2) == 0
    assert steps(tmp_path / "run") == [2, 4, 6, 6, 8, 8, 10, 10, 12, 12]
    assert scalars(tmp_path / "run") == [2, 4, 6, 8, 10, 12]


def test_a_run_from_another_folder_s_state_has_curves_of_its_own(
    train: Callable, tmp_path: Path
) -> None:
    assert train("one") == 0
    state = tmp_path / "one" / "checkpoints" / "last.ckpt"
    assert train("two", f"ckpt={state}", epochs=2) == 0
    assert steps(tmp_path / "one") == [2, 4, 6, 6]
    assert steps(tmp_path / "two") == [8, 10, 12, 12]


def test_an_interrupted_resumption_loses_no_curves(train: Callable, tmp_path: Path) -> None:
    """Lightning's logger removes the file of its version when it opens it."""
    assert train("run") == 0
    (file,) = (tmp_path / "run").glob("logs/*/metrics.csv")
    file.rename(file.with_suffix(".before"))
    assert train("run", "ckpt=last", epochs=2) == 0
    assert steps(tmp_path / "run") == [2, 4, 6, 6, 8, 10, 12, 12]


def test_wandb_offline_has_tags_notes_and_configuration_and_is_one_run(
    train: Callable, tmp_path: Path
) -> None:
    loggers = ["logger=[csv,wandb]", "logger.wandb.offline=true", "logger.wandb.tags=[first,64]"]
    loggers += ["logger.wandb.notes=why it was run", "logger.wandb.group=together"]
    assert train("run", *loggers) == 0
    assert train("run", *loggers, "ckpt=last", epochs=2) == 0
    wandb.teardown()  # or the files are not complete yet
    first, second = (
        wandb_records(folder) for folder in sorted((tmp_path / "run").glob("wandb/offline-run-*"))
    )
    (one,), (other,) = ([r.run for r in part if r.HasField("run")] for part in (first, second))
    assert one.run_id == other.run_id
    assert list(one.tags) == ["first", "64"]
    assert (one.notes, one.run_group) == ("why it was run", "together")
    said = {i.key: i.value_json for r in first for i in r.config.update} | {
        i.key: i.value_json for i in one.config.update
    }
    assert said["sources"] == "2"
    assert steps(tmp_path / "run") == [2, 4, 6, 6, 8, 10, 12, 12]


def test_a_logger_whose_package_is_missing_is_said(
    train: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pytorch_lightning.loggers.wandb._WANDB_AVAILABLE", False)
    assert train("run", "logger=wandb") == 1
    said = capsys.readouterr().err
    assert "pip install 'headmime[wandb]'" in said and "Traceback" not in said


def test_wandb_without_an_account_is_said(
    train: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise UsageError("No API key configured. Use `wandb login` to log in.")

    monkeypatch.setattr("wandb.init", refuse)
    assert train("run", "logger=wandb") == 1
    said = capsys.readouterr().err
    assert "logger.wandb.offline=true" in said and "Traceback" not in said
