"""Rendering speed of sitters: frames/s with two processes, at 64, 128 and 256 pixels.

    python tools/bench_sitters.py [sitters] [frames of each]

Time is measured from the first finished shard, to exclude the start of processes. CPU seconds
include all processes; on a busy machine they are more reliable than wall time.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from headmime.sitters.write import SHARD, write_sitters


def main(sitters: int, frames: int) -> None:
    if sitters < 3 * SHARD:
        sys.exit(f"{sitters} sitters are too few: at least {3 * SHARD}, three shards.")
    for size in (64, 128, 256):
        moments: list[tuple[float, int]] = []
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with tempfile.TemporaryDirectory() as folder:
            write_sitters(
                sitters,
                Path(folder) / "store",
                frames=frames,
                size=size,
                workers=2,
                on_sitters=lambda done, into=moments: into.append((time.monotonic(), done)),
            )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        (start, first), (end, last) = moments[1], moments[-1]
        rate = (last - first) * frames / (end - start)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        each = 1000 * cpu / (sitters * frames)
        print(f"{size}x{size}: {rate:.0f} frames/s, {each:.0f} ms of CPU a frame")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(6 * SHARD, 12)[len(given) :])
