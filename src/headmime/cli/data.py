"""`headmime data <what>`: make stores of sitters, look into stores, check them."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import hydra
import numpy as np
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from headmime.cli.config import conf_folder, plain_errors
from headmime.data.inspection import StoreSummary, contact_sheet, histogram, summarise, verify_store
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.files import write_atomically
from headmime.progress import progress

USAGE = """\
usage: headmime data <what> ...

  sitters   render synthetic talking heads into a clip store: n=... out=...
  inspect   what is in a store: STORE [--out SHEET.png]
  verify    check every file of a store against its hash: STORE

headmime data <what> --help   what it takes
"""

MIB = 1 << 20


@dataclass
class Sitters:
    """Every key of `headmime data sitters`; conf/sitters.yaml says what they mean."""

    n: int | None = None
    out: str | None = None
    frames: int = 12
    size: int = 64
    seed: int = 0
    workers: int = 2
    cross: int = 0
    drivers: int = 3
    landmark_noise: float = 1.0


ConfigStore.instance().store("sitters_schema", Sitters)


def main() -> None:
    """Hand the rest of the command line to what its first word names."""
    what, *arguments = sys.argv[1:] or ["--help"]
    if what in ("-h", "--help"):
        print(USAGE, end="")
        return
    if what == "sitters":
        sys.argv = ["headmime data sitters", *arguments]
        sitters()
    elif what in ("inspect", "verify"):
        {"inspect": inspect, "verify": verify}[what](arguments)
    else:
        raise HeadmimeError(f"headmime data {what}: there are sitters, inspect and verify.")


@hydra.main(config_path=str(conf_folder()), config_name="sitters", version_base="1.3")
@plain_errors
def sitters(config: DictConfig) -> None:
    """Check the keys, render with a progress bar."""
    settings: Sitters = OmegaConf.to_object(config)
    if settings.n is None:
        raise HeadmimeError("n= is missing: how many sitters to render.")
    if not settings.out:
        raise HeadmimeError("out= is missing: the folder of the new store.")
    render(**OmegaConf.to_container(config))
    print(settings.out)


def render(
    n: int,
    out: str,
    frames: int,
    size: int,
    seed: int,
    workers: int,
    cross: int = 0,
    drivers: int = 3,
    landmark_noise: float = 1.0,
) -> None:
    """Write a store of sitters, with a progress bar. HeadmimeError where the extra is missing."""
    try:
        from headmime.sitters.write import write_sitters
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"Rendering sitters needs the package {missing.name}: pip install 'headmime[sitters]'."
        ) from missing
    with progress("rendering sitters") as on_step:
        total = n + cross

        def on_sitters(done: int) -> None:
            on_step(done, total)

        write_sitters(
            n, out, frames, size, seed, workers, on_sitters, cross, drivers, landmark_noise
        )


def inspect(arguments: Sequence[str]) -> None:
    """Print what is in a store; with --out, write pictures of it."""
    parser = argparse.ArgumentParser("headmime data inspect", description="What is in a store.")
    parser.add_argument("store", help="folder of the store")
    parser.add_argument("--out", help="a contact sheet of some of its videos (PNG)")
    given = parser.parse_args(arguments)
    store = Store(Path(given.store).expanduser())
    print(_format_report(summarise(store)))
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


def _format_report(summary: StoreSummary) -> str:
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise HeadmimeError(f"{path} cannot be written: {error.strerror}.") from error
