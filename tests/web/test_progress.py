"""How long a job takes, and whose turn it is."""

import threading
from collections.abc import Callable

import pytest

from headmime.web import progress as module
from headmime.web.progress import JobStopped, Progress, Queue

Told = list[tuple[float, str]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time; tests move it."""
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def watched(paces: dict[str, float] | None = None, left: float | None = None) -> Progress:
    return Progress(lambda share, text: None, threading.Event(), paces, left)


def test_what_is_told_on_the_way(clock: list[float]) -> None:
    told: Told = []
    progress = Progress(lambda share, text: told.append((share, text)), threading.Event())
    step = progress.counter("Fine-tuning, step", "learning")
    step(1, 4, {"loss": 1.0})
    step(2, None)
    step(5, 4)
    assert told == [
        (0.25, "Fine-tuning, step: 1 of 4"),
        (0.0, "Fine-tuning, step: 2"),
        (1, "Fine-tuning, step: 5 of 5"),
    ]


@pytest.mark.parametrize("expected", [None, 0.3, 5.0])
def test_after_ten_updates_the_estimate_holds(clock: list[float], expected: float | None) -> None:
    """The first update takes ten times as long as the others, and the machine is as fast as
    expected, slower or faster, for the later steps too.
    """
    paces = {"frames": 0.1} if expected is None else {"frames": 0.1, "learning": expected}
    progress = watched(paces)
    step = progress.counter("Fine-tuning, step", "learning", afterwards=20)
    for done in range(1, 81):
        clock[0] += 20.0 if done == 1 else 2.0
        step(done, 80)
        if done == 1 and expected is not None:
            assert progress.left == pytest.approx(79 * expected + 20)  # what was expected
        if done >= 10:
            truth = (80 - done) * 2.0 + 20 * (2.0 / expected if expected else 1)
            assert truth / 1.5 <= (progress.left or 0) <= truth * 1.5
    assert paces["learning"] == pytest.approx(2.0)  # for the next job


def test_short_jobs_teach_their_pace(clock: list[float]) -> None:
    paces: dict[str, float] = {}
    step = watched(paces).counter("Fine-tuning, step", "learning")
    for done, seconds in enumerate((9.0, 4.0, 1.0, 2.0), 1):
        clock[0] += seconds
        step(done, 4)
    assert paces == {"learning": pytest.approx(1.5)}


def started(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def test_the_wait_of_the_jobs_ahead_is_told_and_stop_ends_it() -> None:
    queue, told, arrived = Queue(), [], threading.Event()
    running = watched(left=170.0)

    def tell(share: float, text: str) -> None:
        told.append(text)
        arrived.set()

    waits = Progress(tell, threading.Event(), left=30.0)
    stopped: list[bool] = []

    def wait() -> None:
        try:
            with queue.turn(waits):
                stopped.append(False)
        except JobStopped:
            stopped.append(True)

    with queue.turn(running):
        thread = started(wait)
        assert arrived.wait(60)
        assert told[0] == "Waiting for 1 job ahead, about 3 min"
        assert queue.ahead() == [running, waits]
        waits.stop.set()
        thread.join(60)
        assert stopped == [True]
        assert queue.ahead() == [running]
    assert queue.ahead() == []


def test_jobs_have_their_turns_in_order() -> None:
    queue, order = Queue(), []
    gate = threading.Event()

    def job(name: int) -> Callable[[], None]:
        def run() -> None:
            with queue.turn(watched()):
                gate.wait(60)
                order.append(name)

        return run

    threads = []
    for name in range(3):
        threads.append(started(job(name)))
        while len(queue.ahead()) <= name:
            pass
    gate.set()
    for thread in threads:
        thread.join(60)
    assert order == [0, 1, 2]
