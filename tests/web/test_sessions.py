"""What a closed tab takes along."""

from pathlib import Path

import pytest

from headmime.web.jobs import JobResult
from headmime.web.progress import JobStopped, Progress
from headmime.web.sessions import Sessions


def test_a_closed_tab_stops_its_job_and_takes_its_files(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "results")
    mine, shared = tmp_path / "mine.png", tmp_path / "shared.png"
    mine.touch()
    shared.touch()
    sessions.get_or_create("anna").uploads.update([mine, shared])
    sessions.get_or_create("bert").uploads.add(shared)
    job = sessions.begin("anna")
    (job / "video.mp4").touch()
    progress = Progress(lambda share, text: None, sessions.get_or_create("anna").stop)
    progress.start("going on")
    sessions.close("anna")
    assert not mine.exists() and shared.exists() and not job.parent.exists()
    with pytest.raises(JobStopped):
        progress.counter("Frames", "frames")(1, 2)
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
    assert sessions.begin("anna").is_dir()


def test_the_last_result_stays_beside_the_next(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    session = sessions.get_or_create("anna")
    folders = []
    for _ in range(3):
        folders.append(sessions.begin("anna"))
        (folders[-1] / "film.mp4").touch()
        session.last = JobResult(folders[-1] / "film.mp4", None, [])  # type: ignore[arg-type]
    assert [folder.exists() for folder in folders] == [False, True, True]
    assert session.earlier is not None and session.earlier.file.parent == folders[1]
    # A job without a result does not take the earlier one away.
    sessions.begin("anna")
    sessions.begin("anna")
    assert session.earlier.file.parent == folders[2] and folders[2].exists()


def test_what_fails_after_a_tab_was_closed_is_a_stop_and_leaves_nothing(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    sessions.get_or_create("anna")
    with pytest.raises(OSError, match="full"), sessions.writing("anna"):
        raise OSError("the disk is full")
    with pytest.raises(JobStopped), sessions.writing("anna"):
        folder = sessions.begin("anna")
        sessions.close("anna")
        folder.mkdir(parents=True)  # a writer makes its folder again
        raise FileNotFoundError
    assert not list(tmp_path.iterdir())
