"""Without a terminal, progress is lines: one a minute and a last one."""

import pytest

from headmime import progress as module
from headmime.progress import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_line_a_minute_with_the_time_that_is_left(
    clock: list[float], capfd: pytest.CaptureFixture[str]
) -> None:
    """A run that went on from 100 of 700: half of the rest took two minutes."""
    with progress("rendering") as on_step:
        for seconds, done in [(0, 100), (30, 200), (70, 250), (100, 300), (131, 400), (300, 700)]:
            clock[0] = seconds
            on_step(done, 700, "more that nobody asked for")
    assert capfd.readouterr().err.splitlines() == [
        "rendering: 250 of 700, about 4 min left",
        "rendering: 400 of 700, about 3 min left",
        "rendering: 700 of 700",
    ]


def test_without_a_total_there_is_no_estimate(
    clock: list[float], capfd: pytest.CaptureFixture[str]
) -> None:
    with progress("reading") as on_step:
        on_step(1, None)
        clock[0] = 61
        on_step(2000, None)
    assert capfd.readouterr().err == "reading: 2,000\n"
