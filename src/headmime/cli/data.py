"""`headmime data <what>`: make stores of sitters, look into stores, check them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from headmime.data.inspection import StoreSummary, contact_sheet, histogram, summarise, verify_store
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.files import check_writable, write_atomically
from headmime.progress import progress
from headmime.sitters.missing import render

MIB = 1 << 20


@dataclass
class Sitters:
    """Keys of `headmime data sitters`: conf/data_sitters.yaml."""

    n: int
    out: str
    frames: int
    size: int
    seed: int
    workers: int
    cross: int
    drivers: int
    landmark_noise: float


@dataclass
class Verify:
    """store: its folder."""

    store: str


@dataclass
class Inspect(Verify):
    """out: a contact sheet."""

    out: str | None


def sitters(settings: Sitters) -> None:
    """Render with a progress bar."""
    render(**asdict(settings))
    print(settings.out)


def inspect(settings: Inspect) -> None:
    """Print what is in a store; with out=, write images of it."""
    store = Store(Path(settings.store).expanduser())
    out = Path(settings.out).expanduser() if settings.out else None
    if out:
        if out.suffix.lower() != ".png":
            raise HeadmimeError(f"out={out.name}: the name must end in .png.")
        check_writable(out, (path for path in store.folder.rglob("*") if path.suffix != ".png"))
    print(_format_report(summarise(store)))
    if out:
        with write_atomically(out) as partial:
            Image.fromarray(contact_sheet(store)).save(partial)
        print(f"\ncontact sheet: {out}")


def verify(settings: Verify) -> None:
    """Check every file of a store; HeadmimeError (exit code 1) if one is damaged."""
    folder = Path(settings.store).expanduser()
    with progress("MiB checked") as on_step:
        damages = verify_store(folder, lambda done, total: on_step(done // MIB, total // MIB))
    for damage in damages:
        print(damage)
    if damages:
        raise HeadmimeError(
            f"{folder} is damaged in the {len(damages)} place(s) above: copy or make it again."
        )
    print(f"{folder} is whole.")


def _format_report(summary: StoreSummary) -> str:
    lines = [
        f"images of {summary.size} x {summary.size} pixels, points of {summary.detector}",
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
        "(0 frontal, 0.07 about 15 degrees, 0.2 about 45; + to the right of the image):",
        *histogram(summary.turns),
    ]
    return "\n".join(lines)
