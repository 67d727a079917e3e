"""Cost of OpenMP's thread waiting policies, on an idle machine and on a busy one.

    python tools/bench_waiting.py [--repeats 3] [--waiting headmime default GOMP_SPINCOUNT=1000]

Four workloads, each in its own process: six updates of fine-tuning, 96 frames of the
bundled model, three updates of meta-learning (64 pixels, both VGGs with random weights), and the
preprocessing of four videos. Each policy is measured in every repeat, alone and beside as many busy
loops as there are cores; medians are printed. `default` is GNU OpenMP's default, `passive` no
spinning at all.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

from headmime.threads import WAIT_POLICY, WAIT_VARIABLES

WAYS = {
    "headmime": WAIT_POLICY,
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "default": {"GOMP_SPINCOUNT": "300000"},
}
UPDATES, FRAMES, STEPS = 6, 96, 3


def finetuning() -> Callable[[], object]:
    """Updates of `finetune=fast` on one image."""
    import numpy as np

    from headmime.animate.model import load
    from headmime.animate.person import bundled_people, finetune_settings, personal_generator
    from headmime.pretrained.efficientnet import efficientnet_lite0

    settings = finetune_settings("fast")
    settings.epochs, settings.minimum_steps = 0, UPDATES
    model, perceptual = load(device="cpu"), efficientnet_lite0(side=None)
    frames, landmarks = zip(*bundled_people(model.shape.image_size), strict=True)
    frames, landmarks = np.concatenate(frames)[:1], np.concatenate(landmarks)[:1]
    return lambda: personal_generator(model.nets, frames, landmarks, settings, perceptual)


def frames() -> Callable[[], object]:
    """Frames of the bundled model, drawing included."""
    import numpy as np
    import torch

    from headmime.animate.driving import find_driving, load_template
    from headmime.animate.model import load
    from headmime.animate.person import animator
    from headmime.nets.personal import personalise

    model = load(device="cpu")
    person = personalise(
        model.nets.generator, model.nets.discriminator, torch.rand(model.shape.embedding)
    )
    make = animator(person.generator.eval(), model.shape.image_size)
    landmarks = np.resize(load_template(find_driving("talk")).landmarks, (FRAMES, 68, 2))
    return lambda: make(landmarks)


def training() -> Callable[[], object]:
    """Updates of meta-learning, as the paper's except for the image size."""
    from dataclasses import replace

    from bench import PAPER, paper_step

    step = paper_step(replace(PAPER, image_size=64), 1000)
    return lambda: [step() for _ in range(STEPS)]


def preprocessing() -> Callable[[], object]:
    """Preprocess four videos of the bundled image, rotating, with a process per core."""
    import imageio.v3 as iio
    import numpy as np
    from PIL import Image

    from headmime.assets import ASSETS
    from headmime.data.preprocess.clips import ClipSettings
    from headmime.data.preprocess.layouts import assign_splits, list_sources
    from headmime.data.preprocess.run import make_plan, preprocess
    from headmime.data.preprocess.workers import run_local

    folder = Path(tempfile.mkdtemp())
    picture = Image.open(ASSETS / "images" / "mona_lisa.jpg")
    tilted = [np.asarray(picture.rotate(5 * np.sin(k / 9))) for k in range(60)]
    for person in range(4):
        file = folder / "videos" / f"person {person}" / "video.mp4"
        file.parent.mkdir(parents=True)
        iio.imwrite(file, np.stack(tilted), plugin="pyav", codec="libx264", fps=25)
    listed = assign_splits(list_sources("folder", folder / "videos"), 0.0, None, 0)
    plan = make_plan(listed, {})
    finder = {"_target_": "headmime.landmarks.detect_dlib.DlibDetector"}
    run = partial(run_local, workers=len(os.sched_getaffinity(0)))
    recipe = ClipSettings(size=128, frames=60)
    args = (folder / "videos", folder / "store", plan, [], recipe, finder, run, lambda *_: None)
    return lambda: preprocess(*args)


WORK = {
    "fine-tuning": finetuning,
    "frames": frames,
    "training": training,
    "preprocessing": preprocessing,
}


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Run `loops` busy loops in the background."""
    with ExitStack() as stack:
        for _ in range(loops):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(loop.kill)
        yield


def cost(name: str, way: str) -> tuple[float, float]:
    """Wall and CPU seconds of one workload in a new process."""
    chosen = WAYS.get(way) or dict([way.split("=")])
    kept = {key: value for key, value in os.environ.items() if key not in WAIT_VARIABLES}
    command = [sys.executable, __file__, "--work", name]
    done = subprocess.run(command, env=kept | chosen, stdout=subprocess.PIPE, check=True, text=True)
    wall, cpu = done.stdout.split()[-2:]
    return float(wall), float(cpu)


def used() -> float:
    """CPU-seconds of this process and its finished children."""
    both = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def main() -> None:
    parser = argparse.ArgumentParser(description="The price of how OpenMP's threads wait.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--waiting", nargs="+", default=list(WAYS))
    parser.add_argument("--only", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work = WORK[given.work]()
        wall, cpu = time.perf_counter(), used()
        work()
        print(time.perf_counter() - wall, used() - cpu)
        return
    cores = len(os.sched_getaffinity(0))
    print("| work | beside it |" + "".join(f" {way} |" for way in given.waiting))
    print("|---|---|" + "---|" * len(given.waiting))
    for name, loops in product(given.only, (0, cores)):
        costs: dict[str, list[tuple[float, float]]] = {way: [] for way in given.waiting}
        with busy(loops):
            for _ in range(given.repeats):
                for way in given.waiting:
                    costs[way].append(cost(name, way))
        cells = [
            f" {median(wall for wall, _ in c):.2f} s, {median(cpu for _, cpu in c):.2f} CPU-s |"
            for c in costs.values()
        ]
        beside = f"{loops} busy loops" if loops else "nothing"
        print(f"| {name} | {beside} |" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
