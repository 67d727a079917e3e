"""Cost of provenance marks: python tools/bench_marks.py [--seconds 10] [--repeats 3].

The bundled model animates the bundled image, feed-forward, at 25 frames/s, and the video is written
with each mark alone, with all, and with none. CPU seconds of one thread, best of the repeats;
shares are of the whole animation, from loading the weights to the unmarked file. Prints a line for
each format.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from headmime.animate import api
from headmime.animate.media_writer import write_media
from headmime.assets import ASSETS
from headmime.provenance.statement import ProvenanceOptions, ProvenanceStatement

FPS = Fraction(25)
BARE = ProvenanceOptions(label=False, watermark=False, credentials=False)
KINDS = ("label", "watermark", "credentials")
CHOICES = {kind: replace(BARE, **{kind: True}) for kind in KINDS} | {"all": ProvenanceOptions()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)  # about disabled marks
    count = int(given.seconds * FPS)
    made, frames, statement = generated(count)
    print(f"{count} frames of {frames[0].shape[0]} pixels; made in {made:.1f} CPU-s.")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".mp4", ".gif"):
            print(suffix, told(Path(folder) / f"a{suffix}", frames, statement, made, given.repeats))


def generated(count: int) -> tuple[float, list[np.ndarray], ProvenanceStatement]:
    """CPU seconds for frames as `headmime animate finetune=none` makes them, and the frames."""
    start = time.process_time()
    person = api.personalise(
        api.load(device="cpu"),
        [ASSETS / "images" / "mona_lisa.jpg"],
        finetune=None,
        consent="public-domain",
    )
    moving = api.animate(person, "talk", fps=FPS)
    again = np.resize(moving.landmarks, (count, *moving.landmarks.shape[1:]))
    moving = replace(moving, landmarks=again)
    frames = list(moving.frames(moving.viewing_size))
    return time.process_time() - start, frames, moving.statement


def told(
    path: Path, frames: list[np.ndarray], statement: ProvenanceStatement, made: float, repeats: int
) -> str:
    def written(marks: ProvenanceOptions) -> Callable[[], Path]:
        return lambda: write_media(path, frames, FPS, statement, marks)

    bare = best(written(BARE), repeats)
    parts = [f"written in {bare:.2f} CPU-s"]
    for name, marks in CHOICES.items():
        extra = best(written(marks), repeats) - bare
        parts.append(f"{name} +{extra:.2f} ({extra / (made + bare):.1%})")
    return "; ".join(parts)


def best(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
