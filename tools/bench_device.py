"""Cost of training and inference on a device: `make bench ARGS='--device cuda'`.

See bench.py for the options. Parts are measured sequentially, each with its share of the remaining
seconds; a failed part is reported, and the others are measured.
"""

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from bench_clock import Marks, machine, memory, peak, release, seconds, synchronise
from bench_episodes import generated_store
from bench_step import SOURCES, VIDEOS, gflop, paper_module, paper_step, random_person
from omegaconf import OmegaConf
from torch import Tensor

from headmime.animate.person import (
    BATCH,
    animator,
    bundled_people,
    bundled_rehearsal,
    finetune_settings,
)
from headmime.assets import ASSETS, conf_folder
from headmime.data.module import EpisodeData
from headmime.learning.compilation import compiled_step
from headmime.learning.finetune import fine_tune
from headmime.nets import build_nets
from headmime.nets.inference import for_inference
from headmime.nets.shape import ModelShape
from headmime.pixels import to_tensor
from headmime.precision import computes_in_bfloat16

FORMULAS = """\
step: seconds from one training_step to the next, median (on a GPU between events of its stream)
episodes/s: batch / step
TFLOP: of a step, as torch counts them (a multiply-add is 2); TFLOP/s: TFLOP / step
peak: the fastest of some matrix products (2 n^3) and 3x3 convolutions (18 B C^2 S^2), measured here
share of the peak: TFLOP/s / peak, in the same precision
memory: the most that tensors took at once, W included (on a CPU: the process so far)
fine-tuning: finetune=fast on T = 8 frames; frame: of the inference graph alone, one at a time
loader: batches of 8 episodes of 8 sources, on the device as float32"""
WARM_UP = 3  # updates of a fine-tuning
T = 8
LOADING_S = 5
LOADED = 8  # episodes in a batch of the loader

Found = dict[str, Any]


def training(
    shape: ModelShape, batch: int, compiling: bool, device: str, dtype: torch.dtype, until: float
) -> Found:
    """Measure the paper's step at this batch size."""
    module = paper_module(shape, VIDEOS["145k"])
    step = paper_step(module, shape.image_size, dtype, device, batch)
    tflop = gflop(step) / 1e3  # this step also allocates the optimisers' state
    with compiled_step(module) if compiling else nullcontext():
        begun = time.perf_counter()
        step()
        synchronise(device)
        first = time.perf_counter() - begun
        release(device)
        step_s = seconds(step, device, until, warm_up=1)
    return {
        "step_s": step_s,
        "first_step_s": first,
        "episodes_per_s": batch / step_s,
        "tflop": tflop,
        "tflop_per_s": tflop / step_s,
        "memory_gib": memory(device),
    }


def fine_tuning(shape: ModelShape, device: str, until: float) -> Found:
    """Measure one update, and a whole default fine-tuning if time permits."""
    from headmime.pretrained.efficientnet import efficientnet_lite0  # a separate package

    settings, nets = finetune_settings("fast"), build_nets(shape)
    for net in nets:
        net.to(device)
    perceptual = efficientnet_lite0(side=None).to(device)
    frames, landmarks = map(np.concatenate, zip(*bundled_people(shape.image_size)[:T], strict=True))
    x = to_tensor(frames[:T]).to(device)
    others = bundled_rehearsal(nets, shape.image_size)

    def tune(settings: Any) -> list[float]:
        marks = Marks(device)
        fine_tune(nets, x, landmarks[:T], settings, perceptual, marks.add, others)
        return marks.intervals()

    update = median(tune(replace(settings, epochs=0, minimum_steps=WARM_UP + 5))[WARM_UP:])
    whole = settings.steps(T)
    found = {"update_s": update, "updates": whole, "measured_whole": False}
    if time.perf_counter() + whole * update > until:
        return found | {"whole_s": whole * update}
    begun = time.perf_counter()
    tune(settings)
    return found | {"whole_s": time.perf_counter() - begun, "measured_whole": True}


@torch.inference_mode()
def frames(shape: ModelShape, device: str, until: float) -> Found:
    """Measure a single frame, and frames of a video with landmark drawing, as uint8 on the host."""
    person = random_person(shape).to(device)
    graph = for_inference(person, person.psi)
    y = torch.rand(1, 3, shape.image_size, shape.image_size, device=device) * 2 - 1
    begun = time.perf_counter()
    one = seconds(lambda: graph(y), device, (begun + until) / 2)
    landmarks = np.resize(talking(), (2 * BATCH, 68, 2))
    animate = animator(person, shape.image_size)
    video = seconds(lambda: animate(landmarks), device, until)
    return {"frame_s": one, "video_fps": len(landmarks) / video}


def talking() -> np.ndarray:
    """Landmarks [T, 68, 2] of the bundled motion `talk`."""
    with np.load(ASSETS / "motions" / "talk.npz", allow_pickle=False) as motion:
        return motion["landmarks"].astype(np.float32)


def loading(size: int, workers: int, on_device: bool, device: str, until: float) -> Found:
    """Measure episodes/s that reach the device, from a generated store."""
    with tempfile.TemporaryDirectory() as folder:
        store = generated_store(Path(folder), size).folder
        begun = time.perf_counter()
        data = EpisodeData(
            store,
            sources=SOURCES,
            batch=LOADED,
            workers=workers,
            seed=0,
            size=size,
            on_device=on_device,
        )
        loader = data.train_dataloader()
        data.sampler.length = 10**9  # one endless pass
        fetched = 1 + 3 * workers  # before the clock starts
        for k, batch in enumerate(loader, start=1 - fetched):
            moved = {
                name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
                for name, value in batch.items()
            }
            data.on_after_batch_transfer(moved, 0)
            if k == 0:
                synchronise(device)
                ready = time.perf_counter()
            elif k > 0 and time.perf_counter() > min(until, ready + LOADING_S):
                break
        synchronise(device)
        passed = time.perf_counter() - ready
        return {"episodes_per_s": LOADED * k / passed, "ready_after_s": ready - begun}


def bundled_shapes(largest: int) -> dict[str, ModelShape]:
    """Shapes of conf/model/*, by name, up to image size `largest`."""
    files = sorted((conf_folder() / "model").glob("*.yaml"))
    shapes = {file.stem: ModelShape(**OmegaConf.load(file)) for file in files}
    return {name: shape for name, shape in shapes.items() if shape.image_size <= largest}


def describe(name: str, found: Found, peak_speed: float | None) -> str:
    """Describe a part in one line."""
    if "failed" in found:
        return f"{name}: not measured ({found['failed']})"
    if "step_s" in found:
        share = "" if peak_speed is None else f" ({found['tflop_per_s'] / peak_speed:.0%} of peak)"
        return (
            f"{name}: {found['step_s'] * 1e3:,.1f} ms, {found['episodes_per_s']:,.1f} episodes/s, "
            f"{found['tflop']:.3g} TFLOP, {found['tflop_per_s']:.3g} TFLOP/s{share}, "
            f"{found['memory_gib']:.1f} GiB; the first {found['first_step_s']:.1f} s"
        )
    if "update_s" in found:
        how = "" if found["measured_whole"] else ", estimated"
        return (
            f"{name}: {found['update_s'] * 1e3:,.1f} ms an update, {found['whole_s']:,.1f} s for "
            f"{found['updates']} of them{how}"
        )
    if "frame_s" in found:
        return (
            f"{name}: {found['frame_s'] * 1e3:,.2f} ms a frame; a video, drawn and brought back: "
            f"{found['video_fps']:,.0f} frames/s"
        )
    if "of" in found:
        return f"{name}: {found['tflop_per_s']:.3g} TFLOP/s ({found['of']})"
    return f"{name}: {found['episodes_per_s']:,.0f} episodes/s"


def bottlenecks(found: dict[str, Found]) -> list[str]:
    """Compare the speeds of training and loader."""
    steps = {name: f for name, f in found.items() if "step_s" in f}
    loaders = {
        name: f for name, f in found.items() if name.startswith("loader") and "failed" not in f
    }
    lines = []
    for step, one in steps.items():
        for loader, other in loaders.items():
            slower = one["episodes_per_s"] > other["episodes_per_s"]
            lines.append(f"{step} {'waits for' if slower else 'does not wait for'} {loader}")
    return lines


def measure(
    shape: ModelShape,
    models: dict[str, ModelShape],
    device: str,
    batches: list[int],
    batches_compiled: list[int],
    workers: int,
    budget: float,
    out: Path,
) -> dict[str, Any]:
    """Everything, in the order of its importance; printed as it comes and kept in `out`."""
    end = time.perf_counter() + budget
    dtype = torch.bfloat16 if computes_in_bfloat16(device) else torch.float32
    torch.backends.cudnn.benchmark = True  # sizes do not change
    machine_info = machine(device)
    for name, value in machine_info.items():
        print(f"{name}: {value}")
    print(f"precision: {dtype}; {shape}", FORMULAS, sep="\n", flush=True)

    parts: dict[str, Callable[[float], Found]] = {"peak": partial(peak, device, dtype)}
    for batch in batches:
        parts[f"step, batch {batch}"] = partial(training, shape, batch, False, device, dtype)
    size = shape.image_size
    parts[f"loader, {workers} workers"] = partial(loading, size, workers, False, device)
    parts["loader, frames on the device"] = partial(loading, size, 0, True, device)
    for name, model in models.items():
        parts[f"frame, {name} ({model.image_size})"] = partial(frames, model, device)
        parts[f"fine-tuning, {name} ({model.image_size})"] = partial(fine_tuning, model, device)
    for batch in batches_compiled:  # last: to compile takes as long as everything before
        parts[f"step, batch {batch}, compiled"] = partial(
            training, shape, batch, True, device, dtype
        )

    found: dict[str, Found] = {}
    for k, (name, part) in enumerate(parts.items()):
        now = time.perf_counter()
        if now >= end:
            found[name] = {"failed": "not reached in time: give more --seconds"}
        else:
            try:
                found[name] = part(now + (end - now) / (len(parts) - k))
            except Exception as error:  # the other parts are worth having
                found[name] = {"failed": f"{type(error).__name__}: {str(error)[:300]}"}
            release(device)
        print(describe(name, found[name], found["peak"].get("tflop_per_s")), flush=True)
        everything = {"machine": machine_info, "precision": str(dtype), "parts": found}
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(everything, indent=1) + "\n")
    print(*bottlenecks(found), sep="\n", flush=True)
    return everything
