"""Duration of fine-tuning with the default settings: wall and CPU seconds for T = 1 and 8.

    python tools/bench_finetuning.py [--threads 2] [--weights bundled] [key=value ...]

Keys change the settings: minimum_steps=40 rehearsal=8. The images are the bundled sitters'; their
content does not affect the time. On a busy machine, CPU seconds divided by the number of threads
approximate the wall time of an idle one.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np
import torch
from omegaconf import OmegaConf

from headmime.animate.model import load
from headmime.animate.person import bundled_people, finetune_settings, personal_generator
from headmime.learning.finetune import FineTuneSettings
from headmime.pretrained.efficientnet import efficientnet_lite0

GOALS = {1: 75, 8: 150}  # seconds of wall on two cores


def settings_with(keys: Sequence[str]) -> FineTuneSettings:
    """Those of finetune=fast, changed by key=value."""
    default = OmegaConf.structured(finetune_settings("fast"))
    return OmegaConf.to_object(OmegaConf.merge(default, OmegaConf.from_dotlist(list(keys))))


def main(words: Sequence[str] | None = None) -> None:
    """Print one line for each T."""
    parser = argparse.ArgumentParser(description="Seconds of a fine-tuning.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("keys", nargs="*", help="key=value of the fine-tuning")
    given = parser.parse_args(words)
    torch.set_num_threads(given.threads)
    settings = settings_with(given.keys)
    model = load(given.weights, "cpu")
    size = model.shape.image_size
    perceptual = efficientnet_lite0(side=None)
    frames, landmarks = zip(*bundled_people(size), strict=True)
    frames, landmarks = np.concatenate(frames), np.concatenate(landmarks)
    print(f"{size}x{size} pixels, {given.threads} threads")
    print(f"{'T':>3}{'updates':>9}{'wall s':>9}{'CPU s':>9}{'CPU s / threads':>17}{'goal':>7}")
    for T, goal in GOALS.items():
        wall, cpu = time.perf_counter(), time.process_time()
        personal_generator(model.nets, frames[:T], landmarks[:T], settings, perceptual)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        line = f"{T:3}{settings.steps(T):9}{wall:9.2f}{cpu:9.2f}{cpu / given.threads:17.1f}"
        print(f"{line}{goal:7}", flush=True)


if __name__ == "__main__":
    main()
