"""`live` from a file for a given time: memory and latency are as in the beginning.

The driver is a video of that length, made here; the command is the one that users type, in a fork
of this process. Memory is that of its processes together, sampled every half second.
"""

import os
import re
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
from kills import prepare, start, wait, words_of

from headmime.assets import MONA_LISA
from headmime.data.image_reader import read_image
from headmime.images import resize

LIVE = "live person=person/me driving=long.mp4 out=out.mp4 consent=own detector=dlib size=64"
RATE, SIDE = 10, 192
WARM_UP = 0.25  # of the time, before which buffers and caches fill
GROWTH = 60.0  # MB, of the median of the last quarter above the second's
LATENCY = 2.0  # times the second quarter's median, and 50 ms


def run(seconds: int, seed: int, only: str | None = None) -> int:
    """`seconds` of live animation; the number of failures."""
    with tempfile.TemporaryDirectory(prefix="headmime-live-") as folder:
        root = Path(folder)
        os.environ["XDG_CONFIG_HOME"] = str(root / "configuration")
        if code := wait(start(root, partial(prepare, root / "samples"))):
            raise SystemExit(f"The samples cannot be made: {code}\n{words_of(root)}")
        if code := wait(start(root, partial(write_driver, root / "samples" / "long.mp4", seconds))):
            raise SystemExit(f"The driver cannot be made: {code}\n{words_of(root)}")
        memory: list[float] = []
        latency: list[tuple[float, float]] = []
        process = start(root / "samples", partial(_live, root / "latency"))
        begun = time.monotonic()
        while not os.waitpid(process, os.WNOHANG)[0]:
            memory.append(sum(map(megabytes, [process, *children(process)])))
            time.sleep(0.5)
            if time.monotonic() - begun > 2 * seconds + 120:
                os.killpg(process, 9)
                print("it does not end")
                return 1
        told = words_of(root / "samples")
        latency = [tuple(map(float, line.split())) for line in open(root / "latency")]  # noqa: SIM115
        return judge(np.array(memory), np.array(latency), told)


def _live(measured: Path) -> int:
    """The verb, whose frames' latencies are written down."""
    from headmime.cli import main as headmime
    from headmime.live.throughput import Stopwatch

    record = Stopwatch.record

    with open(measured, "w", buffering=1) as file:

        def record_and_write(watch: Stopwatch, taken: float, now: float, dropped: int) -> None:
            file.write(f"{now} {now - taken}\n")
            record(watch, taken, now, dropped)

        Stopwatch.record = record_and_write
        return headmime(LIVE.split())


def judge(memory: np.ndarray, latency: np.ndarray, told: str) -> int:
    """Print the figures; the number of failures."""
    second, last = (np.median(part) for part in _quarters(memory))
    early, late = (1000 * np.median(part) for part in _quarters(latency[:, 1]))
    print(f"{len(latency)} frames; the command says: {told.strip().splitlines()[-1]}")
    print(f"memory: second quarter {second:.0f} MB, last quarter {last:.0f} MB")
    print(f"latency: second quarter {early:.0f} ms, last quarter {late:.0f} ms (medians)")
    wrong = []
    if last > second + GROWTH:
        wrong.append("memory grows")
    if late > LATENCY * early + 50:
        wrong.append("latency grows")
    if "Traceback" in told or not re.search(r"\.mp4", told):
        wrong.append(told[-2000:])
    for what in wrong:
        print(f"  {what}")
    print(f"{len(wrong)} failures")
    return len(wrong)


def _quarters(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(values)
    return values[n // 4 : n // 2], values[3 * n // 4 :]


def write_driver(path: Path, seconds: int) -> None:
    """The painting nods, leaves and comes back, for `seconds`."""
    painting = resize(read_image(MONA_LISA)[:512, :512], SIDE)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width = stream.height = SIDE
        for number in range(seconds * RATE):
            shown = number % 300 < 280
            moved = np.roll(painting, round(8 * np.sin(number / 3)), 0) if shown else 0 * painting
            frame = av.VideoFrame.from_ndarray(moved, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def megabytes(process: int) -> float:
    """Proportional memory of a process, 0 if it has ended."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(found[1]) / 1000 if found else 0.0


def children(process: int) -> Iterator[int]:
    """All below it."""
    try:
        told = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return
    for child in map(int, told.split()):
        yield child
        yield from children(child)
