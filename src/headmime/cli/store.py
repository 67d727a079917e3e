"""`headmime data inspect` and `headmime data verify`: what is in a store, and is it whole."""

import argparse
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from headmime.data.store import Store
from headmime.data.summary import Summary, contact_sheet, histogram, summarise
from headmime.data.verify import verify_store
from headmime.errors import HeadmimeError
from headmime.progress import progress

MIB = 1 << 20


def inspect(arguments: Sequence[str]) -> None:
    """Print what is in a store; with --out, write pictures of it."""
    parser = argparse.ArgumentParser("headmime data inspect", description="What is in a store.")
    parser.add_argument("store", help="folder of the store")
    parser.add_argument("--out", help="a contact sheet of some of its videos (PNG)")
    given = parser.parse_args(arguments)
    store = Store(Path(given.store).expanduser())
    print(_told(summarise(store)))
    if given.out:
        out = Path(given.out).expanduser()
        _write_png(out, contact_sheet(store))
        print(f"\ncontact sheet: {out}")


def verify(arguments: Sequence[str]) -> None:
    """Check every file of a store; HeadmimeError (exit code 1) if one is damaged."""
    parser = argparse.ArgumentParser("headmime data verify", description="Check every hash.")
    parser.add_argument("store", help="folder of the store")
    folder = Path(parser.parse_args(arguments).store).expanduser()
    with progress("MiB checked") as on_step:
        damages = verify_store(folder, lambda done, total: on_step(done // MIB, total // MIB))
    for damage in damages:
        print(damage)
    if damages:
        raise HeadmimeError(
            f"{folder} is damaged in the {len(damages)} place(s) above: copy or make it again."
        )
    print(f"{folder} is whole.")


def _told(summary: Summary) -> str:
    lines = [
        f"pictures of {summary.size} x {summary.size} pixels, points of {summary.detector}",
        f"hash {summary.hash}",
        "",
        f"{'split':12}{'persons':>10}{'videos':>10}{'clips':>10}{'frames':>12}",
    ]
    for split, counts in summary.splits.items():
        lines.append("{:12}{:10,}{:10,}{:10,}{:12,}".format(split, *counts))
    videos, frames = len(summary.frames), int(summary.frames.sum())
    low, middle, high = np.percentile(summary.frames, (0, 50, 100))
    lines += [
        "",
        f"{summary.bytes:,} bytes in all, {summary.bytes / videos:,.0f} a video, "
        f"{summary.bytes / frames:,.0f} a frame",
        f"frames of a video: {low:.0f} to {high:.0f}, median {middle:.0f}",
        "",
        "score of the detector, mean of each clip:",
        *histogram(summary.scores),
        "",
        f"turn of the head in {len(summary.turns):,} frames "
        "(0 frontal, 0.07 about 15 degrees, 0.2 about 45; + to the right of the picture):",
        *histogram(summary.turns),
    ]
    return "\n".join(lines)


def _write_png(path: Path, picture: np.ndarray) -> None:
    content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
    partial = path.with_name(f".{uuid.uuid4().hex}.png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise HeadmimeError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
