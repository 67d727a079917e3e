"""Cost per frame of `headmime live`: python tools/bench_live.py CLIP [--person STEM].

Every frame of the clip passes through the stages sequentially, not in real time: CPU-ms as mean,
95th percentile and maximum, which depend less on other load than wall time. Then these times are
replayed on two idle cores, one for detection and one for generation: frames/s, latency, dropped
frames. Without --person it uses the bundled image, feed-forward. `headmime live` itself prints
real-time numbers.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch

from headmime.animate import api
from headmime.animate.media_writer import write_media
from headmime.animate.person import Person, load_person
from headmime.assets import ASSETS
from headmime.data.media_reader import decode_video, read_video_info
from headmime.images import resize
from headmime.landmarks.detect import load_detector
from headmime.live.landmark_worker import FaceObservation, Follower
from headmime.live.live_animator import LiveAnimator
from headmime.live.throughput import Stopwatch, Throughput
from headmime.provenance.statement import ProvenanceOptions

SIZE = 256  # of the output
BARE, LABEL, ALL = (
    ProvenanceOptions(*on) for on in ((False,) * 3, (True, False, False), (True,) * 3)
)
Result = TypeVar("Result")


class StageCosts:
    """CPU-ms of this thread, by stage and frame."""

    def __init__(self) -> None:
        self.stages: dict[str, list[float]] = {}

    def __call__(self, stage: str, work: Callable[..., Result], *given: object) -> Result:
        start = time.thread_time()
        result = work(*given)
        self.stages.setdefault(stage, []).append(1000 * (time.thread_time() - start))
        return result

    def __str__(self) -> str:
        lines = [f"{'CPU-ms':20s}   mean   95 %   most"]
        for stage, costs in self.stages.items():
            most = np.percentile(costs, [95, 100]).tolist()
            lines.append(f"{stage:20s} " + " ".join(f"{c:6.1f}" for c in [np.mean(costs), *most]))
        return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--person", type=Path, help="what `headmime finetune` saved")
    parser.add_argument("--frames", type=int, default=250)
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    logging.disable(logging.WARNING)  # about disabled marks
    person = load_person(given.person) if given.person else painted()
    bill, frames = StageCosts(), []
    follow, animator = Follower(load_detector("dlib")), LiveAnimator(person)
    video = decode_video(given.clip, threads=1)
    for number in range(given.frames):
        decoded = bill("decode", next, video, None)
        if decoded is None:
            break
        image = bill("to RGB", decoded.pixels)
        pixels = bill("follow the face", follow, image)
        played = bill(
            "draw and generate",
            next,
            animator.play([FaceObservation(decoded.time, pixels, number)]),
        )
        frames.append(bill("enlarge", resize, played.frame, SIZE))
    rate = read_video_info(given.clip).fps
    print(bill)
    print(written(frames, rate, person))
    print("on a core each:", replayed(bill.stages, float(rate)))


def painted() -> Person:
    image = ASSETS / "images" / "mona_lisa.jpg"
    return api.personalise(api.load(device="cpu"), [image], finetune=None, consent="public-domain")


def written(frames: list[np.ndarray], rate: Fraction, person: Person) -> str:
    """CPU time of the writer's threads, including the encoder, with increasing marks."""

    def cost(marks: ProvenanceOptions) -> float:
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            write_media(Path(folder) / "a.mp4", frames, rate, person.statement, marks)
        return 1000 * (time.process_time() - start) / len(frames)

    return f"write {cost(BARE):.1f}, with label {cost(LABEL):.1f}, with all marks {cost(ALL):.1f}"


def replayed(stages: dict[str, list[float]], rate: float) -> Throughput:
    """Simulate two cores, each of which takes the latest item, or waits for the next one."""
    looking = np.add(stages["to RGB"], stages["follow the face"]) / 1000
    making = np.add(stages["draw and generate"], stages["enlarge"]) / 1000
    due = np.arange(len(looking)) / rate
    seen = passed(due, looking)
    made = passed(seen[1], making[seen[0]])
    stopwatch = Stopwatch()
    for number, now in zip(seen[0][made[0]], made[1], strict=True):
        stopwatch.record(due[number], now, len(due) - len(made[0]))
    return stopwatch.all()


def passed(came: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For items that arrive at `came`: indices of those processed, and their completion times."""
    taken, done, ready = [], [], 0.0
    for number, time_ in enumerate(came):
        following = came[number + 1] if number + 1 < len(came) else np.inf
        if following <= ready:  # replaced by a newer item
            continue
        ready = max(ready, time_) + costs[number]
        taken.append(number)
        done.append(ready)
    return np.array(taken), np.array(done)


if __name__ == "__main__":
    main()
