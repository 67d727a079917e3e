"""Without a terminal, progress is lines: one a minute and a last one."""

import pytest

from headmime import progress as module
from headmime.progress import RemainingTime, about, progress


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
        "rendering: 400 of 700, about 2 min left",
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


@pytest.mark.parametrize("pace", [0.4, 2.0])
def test_after_ten_updates_the_rest_is_known_to_a_factor_of_1_5(
    clock: list[float], pace: float
) -> None:
    """A minute of preparation and a slow first update are not the pace of the others."""
    remaining, clock[0] = RemainingTime(), 60.0
    for done in range(1, 81):
        clock[0] += pace if done > 1 else 10 * pace
        said = remaining(done, 80)
        if done < 2 or done == 80:
            assert said == ""
        elif done >= 10:
            number, unit = said.removeprefix(", about ").removesuffix(" left").split()
            seconds = float(number) * {"s": 1, "min": 60}[unit]
            left = (80 - done) * pace
            assert left / 1.5 - 0.5 <= seconds <= 1.5 * left + 0.5


def test_durations_are_said_roughly() -> None:
    assert [about(seconds) for seconds in (0.2, 20.4, 99, 100, 197, 3600)] == [
        "about 1 s", "about 20 s", "about 99 s", "about 2 min", "about 3 min", "about 60 min",
    ]  # fmt: skip
