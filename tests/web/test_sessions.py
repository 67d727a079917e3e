"""What a closed tab takes along."""

import threading
from pathlib import Path

import pytest

from headmime.web.jobs import JobStopped, Progress
from headmime.web.sessions import Sessions


def test_a_closed_tab_stops_its_job_and_takes_its_files(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "results")
    mine, shared = tmp_path / "mine.png", tmp_path / "shared.png"
    mine.touch()
    shared.touch()
    sessions.get_or_create("anna").uploads.update([mine, shared])
    sessions.get_or_create("bert").uploads.add(shared)
    job = sessions.begin("anna")
    (job.results / "video.mp4").touch()
    progress = Progress(lambda share, text: None, job.stop)
    progress.start("going on")
    sessions.close("anna")
    assert not mine.exists() and shared.exists() and not job.folder.exists()
    with pytest.raises(JobStopped):
        progress.counter("Frames")(1, 2)
    with pytest.raises(JobStopped):
        sessions.begin("anna")  # it had waited in the line
    sessions.close("anna")  # nothing is left to close
    sessions.close("bert")
    assert not shared.exists()


def test_stop_holds_for_a_job_that_waits(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    sessions.get_or_create("anna").stop.set()
    with pytest.raises(JobStopped):
        sessions.begin("anna")
    sessions.get_or_create("anna").stop.clear()
    assert sessions.begin("anna").results.is_dir()


def test_results_of_the_job_before_are_deleted(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    sessions.get_or_create("anna")
    (sessions.begin("anna").results / "old.mp4").touch()
    assert not list(sessions.begin("anna").results.iterdir())


def test_what_is_told_on_the_way() -> None:
    told: list[tuple[float, str]] = []
    progress = Progress(lambda share, text: told.append((share, text)), threading.Event())
    step = progress.counter("Fine-tuning, step")
    step(1, 4, {"loss": 1.0})
    step(2, None)
    step(5, 4)
    assert told == [
        (0.25, "Fine-tuning, step: 1 of 4"),
        (0.0, "Fine-tuning, step: 2"),
        (1, "Fine-tuning, step: 5 of 5"),
    ]
