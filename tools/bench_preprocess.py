"""Profile preprocessing: python tools/bench_preprocess.py ROOT [LAYOUT] [FILES].

Every frame of a few files is kept. Times are CPU times of one process, which other load hardly
affects; the last line extrapolates to all cores.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from headmime.data.preprocess.frame_sources import open_frames
from headmime.data.preprocess.layouts import list_sources
from headmime.data.preprocess.segments import CutFinder
from headmime.data.shards import encode
from headmime.landmarks.crop import crop_box
from headmime.landmarks.detect import load_detector
from headmime.landmarks.track import fill_gaps, smooth, track

SIZE, QUALITY, SEARCH_EVERY = 256, 90, 50


def main(root: str, layout: str = "voxceleb2", files: str = "12") -> None:
    """Print processor milliseconds per frame and stage."""
    cv2.setNumThreads(1)
    dlib, frames = load_detector("dlib"), 0
    spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        spent[name] += time.process_time() - begun

    sources = list_sources(layout, Path(root)).sources
    for source in sources[:: max(1, len(sources) // int(files))][: int(files)]:
        for _ in range(2):  # landmarks, then images: limits memory
            with stage("decode, twice"):
                film = open_frames(Path(root) / source.file, None, 1800)
                shown = [frame.pixels() for frame in film.frames()]
        with stage("scene cuts"):
            find_cut = CutFinder()
            for image in shown:
                find_cut(image)
        with stage("68 points"):
            followed = track(shown, dlib, SEARCH_EVERY)
        with stage("smooth, box"):
            pixels = fill_gaps(followed.pixels, longest=len(shown))
            box = crop_box(smooth(pixels))
        with stage("crop"):
            cut = [box.cut(image, SIZE) for image in shown]
        with stage("JPEG"):
            for image in cut:
                encode(image, QUALITY)
        frames += len(shown)
    for name, seconds in spent.items():
        print(f"{name:16}{1000 * seconds / frames:7.2f} ms a frame")
    total = sum(spent.values()) / frames
    cores = len(os.sched_getaffinity(0))
    print(f"{'together':16}{1000 * total:7.2f} ms a frame, {frames} frames")
    print(f"{cores} cores: {cores / total:.0f} frames/s in and out")


if __name__ == "__main__":
    main(*sys.argv[1:])
