"""`headmime data <what>`: make stores of sitters, look into stores, check them."""

import sys
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from headmime.cli.config import conf_folder, plain_errors
from headmime.errors import HeadmimeError

USAGE = """\
usage: headmime data <what> ...

  sitters   render synthetic talking heads into a clip store: n=... out=...
  inspect   what is in a store: STORE [--out SHEET.png]
  verify    check every file of a store against its hash: STORE

headmime data <what> --help   what it takes
"""


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
        from headmime.cli import store

        {"inspect": store.inspect, "verify": store.verify}[what](arguments)
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
        from headmime.data.sitters.write import write_sitters
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"Rendering sitters needs the package {missing.name}: pip install 'headmime[sitters]'."
        ) from missing
    from headmime.progress import progress

    with progress("rendering sitters") as on_step:
        total = n + cross

        def on_sitters(done: int) -> None:
            on_step(done, total)

        write_sitters(
            n, out, frames, size, seed, workers, on_sitters, cross, drivers, landmark_noise
        )
