"""Cost of a meta-learning step and of a generated frame on this machine; `make bench`.

    python tools/bench.py [--threads N] [--repeats N] [--side PIXELS] [--out runs/bench.json]
    python tools/bench.py --device cuda [--batches 1,8,48] [--compiled 8,48] [--seconds 300]

On a GPU, or with `--batches`, bench_device.py measures; otherwise the following. The step is the
paper's: 256x256 images, K = 8, batch 1, both VGGs (with random weights, at the same cost), two D
steps, W for 145,000 videos; in bfloat16 autocast, if the CPU supports it, and in float32. Times are
the best of `repeats`. CPU-seconds include all threads: on a busy machine they are more reliable
than wall time, and shares of the peak are shares of CPU-seconds. The peak is the fastest of several
3x3 convolutions of the paper's sizes, measured between the steps. W's part of a step (fetching
embeddings, two updates) is measured separately, 300 times, with random videos.
"""

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from bench_device import bundled_shapes, measure, talking
from bench_step import (
    PAPER,
    VIDEOS,
    computed_in,
    gflop,
    paper_module,
    paper_shape,
    paper_step,
    random_person,
)
from torch import Tensor
from torch.nn import functional as F

from headmime.animate.model import load
from headmime.animate.person import BATCH, animator
from headmime.learning.settings import Optimisation
from headmime.learning.video_embeddings import VideoEmbeddings
from headmime.nets.inference import for_inference
from headmime.nets.personal import personalise
from headmime.nets.shape import ModelShape
from headmime.precision import computes_in_bfloat16

DTYPES = {"bf16-mixed": torch.bfloat16, "32-true": torch.float32}
"""By the names of `trainer.precision`."""
PEAK_SIZES = ((8, 512, 32), (1, 256, 64), (1, 128, 128), (1, 64, 256))
"""Batch, channels and side of the convolutions that define the peak."""


class Cost(NamedTuple):
    """Wall time, and CPU time of all threads, in seconds."""

    wall: float
    cpu: float


def cost(work: Callable[[], Any]) -> Cost:
    """Measure one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def best(costs: list[Cost]) -> Cost:
    """Return the smallest wall time and the smallest CPU time."""
    return Cost(min(c.wall for c in costs), min(c.cpu for c in costs))


@torch.inference_mode()
def peak_speed(dtype: torch.dtype) -> float:
    """GFLOP per CPU-second of the fastest 3x3 convolution."""
    speeds = []
    for batch, channels, side in PEAK_SIZES:
        h, w = torch.randn(batch, channels, side, side), torch.randn(channels, channels, 3, 3)
        h, w = (t.to(dtype, memory_format=torch.channels_last) for t in (h, w))

        def convolve(h: Tensor = h, w: Tensor = w) -> Tensor:
            return F.conv2d(h, w, padding=1)

        speeds += [gflop(convolve) / best([cost(convolve) for _ in range(8)]).cpu]
    return max(speeds)


def embeddings_cost(videos: int, embedding: int, calls: int) -> float:
    """CPU-seconds of W's part of one step with batch 1, the median of `calls`."""
    o = Optimisation()
    W = VideoEmbeddings(videos, embedding, lr=o.lr_video_embeddings, beta2=o.beta2, eps=o.eps)
    e_hat, gradient = torch.randn(1, embedding), torch.randn(1, embedding)

    def update_embeddings(i: Tensor) -> None:
        W.start_from(i, e_hat)
        for _ in range(o.discriminator_steps):
            W.fetch(i)
            W.update(i, gradient)

    indices = torch.randint(videos, (calls, 1))
    for i in indices:  # touch all memory before timing
        update_embeddings(i)
    return median(cost(lambda i=i: update_embeddings(i)).cpu for i in indices)


def generator_frames(shape: ModelShape, repeats: int, dtype: torch.dtype) -> dict[str, Any]:
    """Seconds per frame of the training graph and the inference graph."""
    G = random_person(shape)
    graph = for_inference(G, G.psi, dtype)
    y = torch.rand(1, 3, shape.image_size, shape.image_size) * 2 - 1
    runs: dict[str, list[Cost]] = {"training": [], "inference": []}
    with torch.inference_mode():
        for _ in range(repeats + 1):  # alternating, so that both see the same load
            with computed_in(dtype):
                runs["training"].append(cost(lambda: G(y)))
            runs["inference"].append(cost(lambda: graph(y)))
        return {
            "generator_frame_s": {name: best(c[1:]).wall for name, c in runs.items()},
            "generator_frame_cpu_s": {name: best(c[1:]).cpu for name, c in runs.items()},
            "generator_frame_gflop": gflop(lambda: graph(y)),
        }


def small_frames(repeats: int) -> dict[str, float]:
    """Frames/s of the bundled model, from landmarks to uint8 images."""
    model = load(device="cpu")
    G, D = model.nets.generator, model.nets.discriminator
    person = personalise(G, D, torch.rand(model.shape.embedding)).generator.eval()
    animate = animator(person, model.shape.image_size)
    landmarks = np.resize(talking(), (4 * BATCH, 68, 2))
    seconds = best([cost(lambda: animate(landmarks)) for _ in range(repeats + 1)][1:])
    return {
        "small_fps": len(landmarks) / seconds.wall,
        "small_frame_cpu_s": seconds.cpu / len(landmarks),
    }


def step_and_frame(shape: ModelShape, repeats: int, dtype: torch.dtype) -> dict[str, Any]:
    """Measurements that depend on the precision."""
    step = paper_step(paper_module(shape, VIDEOS["145k"]), shape.image_size, dtype)
    step()  # the first step also allocates the optimisers' state
    steps, peaks = [], []
    for _ in range(repeats):
        steps.append(cost(step))
        peaks.append(peak_speed(dtype))
    seconds, peak = best(steps), max(peaks)
    work = gflop(step)
    frames = generator_frames(shape, 2 * repeats, dtype)
    inference = frames["generator_frame_gflop"] / frames["generator_frame_cpu_s"]["inference"]
    return {
        "step_s": seconds.wall,
        "step_cpu_s": seconds.cpu,
        "step_gflop": work,
        "peak_gflop_per_cpu_s": peak,
        "peak_share": work / seconds.cpu / peak,
        **frames,
        "generator_frame_peak_share": inference / peak,
    }


def measure_all(shape: ModelShape, repeats: int) -> dict[str, Any]:
    """All numbers of the table; `precisions`: those that this CPU supports."""
    names = ["bf16-mixed", "32-true"] if computes_in_bfloat16("cpu") else ["32-true"]
    precisions, memory = {}, {}
    for name in names:
        precisions[name] = step_and_frame(shape, repeats, DTYPES[name])
        memory[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    w = {name: embeddings_cost(videos, shape.embedding, 300) for name, videos in VIDEOS.items()}
    rest = precisions[names[0]]["step_cpu_s"] - w["145k"]
    return {
        "precisions": precisions,
        "memory_gib": memory,  # peak so far
        "w_s": w,
        "w_own_ratio_1m_to_1k": w["1m"] / w["1k"],
        "w_step_ratio_1m_to_1k": (rest + w["1m"]) / (rest + w["1k"]),
        **small_frames(repeats),
    }


def table(found: dict[str, Any]) -> str:
    """Format the numbers in Markdown, a column for each precision."""
    w, columns = found["w_s"], found["precisions"]

    def seconds(one: dict[str, Any], graph: str) -> str:
        wall, cpu = one["generator_frame_s"][graph], one["generator_frame_cpu_s"][graph]
        return f"{wall:.3f} s, {cpu:.3f} CPU-s"

    cells_of: dict[str, Callable[[dict[str, Any]], str]] = {
        "step": lambda one: f"{one['step_s']:.2f} s, {one['step_cpu_s']:.2f} CPU-s",
        "work of a step": lambda one: f"{one['step_gflop']:,.0f} GFLOP",
        "peak (3x3 convolution)": lambda one: f"{one['peak_gflop_per_cpu_s']:.0f} GFLOP/CPU-s",
        "the step's share of the peak": lambda one: f"{one['peak_share']:.0%}",
        "frame, training graph": lambda one: seconds(one, "training"),
        "frame, inference graph": lambda one: seconds(one, "inference"),
        "work of a frame": lambda one: f"{one['generator_frame_gflop']:.1f} GFLOP",
        "the inference graph's share of the peak": lambda one: (
            f"{one['generator_frame_peak_share']:.0%}"
        ),
    }
    rows = {name: [cell(one) for one in columns.values()] for name, cell in cells_of.items()}
    rows["memory"] = [f"{gib:.1f} GiB" for gib in found["memory_gib"].values()]
    lines = [f"| | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    share = " / ".join(f"{w[name] * 1e3:.2f} CPU-ms" for name in VIDEOS)
    return "\n".join(
        [
            *lines,
            "",
            f"W's part of a step, 1 k / 145 k / 1 M videos: {share}",
            f"step with 1 M videos over step with 1 k: {found['w_step_ratio_1m_to_1k']:.4f}",
            f"bundled model (32-true), drawing included: {found['small_fps']:.0f} frames/s, "
            f"{found['small_frame_cpu_s'] * 1e3:.1f} CPU-ms a frame",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a step and a frame at the paper's size.")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", type=int, default=PAPER.image_size, help="image side in pixels")
    parser.add_argument("--out", type=Path, default=Path("runs/bench.json"))
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--batches", type=_numbers, help="1,8,48: episodes per step")
    parser.add_argument("--compiled", type=_numbers, help="the same with compiled networks")
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count()), help="of the loader")
    parser.add_argument(
        "--seconds", type=float, default=300, help="time budget: no part starts later"
    )
    arguments = parser.parse_args()
    on_gpu = arguments.device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        parser.error("--device cuda: torch finds no GPU here")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    if on_gpu or arguments.batches is not None or arguments.compiled is not None:
        measure(
            paper_shape(arguments.side),
            bundled_shapes(arguments.side),
            arguments.device,
            ([1, 8, 48] if on_gpu else []) if arguments.batches is None else arguments.batches,
            ([8, 48] if on_gpu else []) if arguments.compiled is None else arguments.compiled,
            arguments.workers,
            arguments.seconds,
            arguments.out,
        )
        return
    machine = {
        "cores": os.cpu_count(),
        "threads": arguments.threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "load_average_at_start": os.getloadavg()[0],
    }
    found = {**measure_all(paper_shape(arguments.side), arguments.repeats), "machine": machine}
    print(table(found))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    partial = arguments.out.with_name(arguments.out.name + ".part")
    partial.write_text(json.dumps(found, indent=1) + "\n")
    os.replace(partial, arguments.out)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


if __name__ == "__main__":
    main()
