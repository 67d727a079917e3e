"""Keys of a row and of a table of rows, and their checks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from headmime.animate.motion import MOTIONS
from headmime.errors import HeadmimeError, check_choice
from headmime.evaluation.method_table import METHODS, MODES, WITHOUT_TRUTH
from headmime.files import hold_folder
from headmime.learning.finetune import FineTuneSettings
from headmime.learning.init_embeddings import OWN, STARTS

DATA = ("dataset", "split", "mode", "motion", "videos", "held_out", "sources", "cases_seed")


@dataclass
class RowSettings:
    """Every key of `headmime eval`; conf/evaluate.yaml says what they mean."""

    store: str = MISSING
    sitters: dict[str, Any] | None = None
    dataset: str = MISSING
    split: str = MISSING
    videos: int = MISSING
    held_out: int = MISSING
    sources: int = MISSING
    cases_seed: int = MISSING
    mode: str = MISSING
    drivers: int = MISSING
    motion: str = MISSING
    method: str = MISSING
    T: int = MISSING
    weights: str = MISSING
    weights_ff: str | None = None
    frames: str | None = None
    size: int | None = None
    seed: int = MISSING
    start: str = OWN
    finetune: FineTuneSettings = field(default_factory=FineTuneSettings)
    perceptual: dict[str, Any] = field(default_factory=dict)
    scorers: dict[str, Any] = field(default_factory=dict)
    detector: dict[str, Any] | None = None
    consent: str | None = None
    device: str = MISSING
    results: str = MISSING
    memory: str = MISSING

    def data(self) -> dict[str, Any]:
        """The keys that select data and trials, as recorded in rows."""
        return {key: getattr(self, key) for key in DATA}


@dataclass
class RowGrid:
    """Several rows: all methods with all Ts."""

    methods: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)


@dataclass
class Table(RowGrid):
    """The rows of `headmime table`; machine `part` of `parts` runs its share of them."""

    part: int = 0
    parts: int = 1


@dataclass
class TableSettings(RowSettings):
    """A row's keys, and the table's."""

    table: Table = field(default_factory=Table)


def hold_outputs(settings: RowSettings, study: str) -> AbstractContextManager[None]:
    """`hold_folder` for <study>.out, whose files all keys but those of folders and devices make."""
    content = asdict(settings)
    out = content[study].pop("out")
    for name in ("results", "memory", "device"):
        del content[name]
    content |= {f"{study}.{name}": value for name, value in content.pop(study).items()}
    return hold_folder(Path(out).expanduser(), content, f"{study}.out")


def check_only(only: Sequence[str], known: Mapping[str, Any], key: str, example: str) -> None:
    """Raise HeadmimeError for a name in `<study>.only` that is not in `key` (<study>.<names>);
    `example`: a value for such a name.
    """
    unknown = [name for name in only if name not in known]
    if unknown:
        study = key.partition(".")[0]
        raise HeadmimeError(
            f"{study}.only: {unknown[0]} is not among {', '.join(known)}; define another one "
            f"with '+{key}.{unknown[0]}={example}'."
        )


def check(settings: RowSettings, methods: Sequence[str], Ts: Sequence[int]) -> None:
    """Raise HeadmimeError for unknown or incompatible values."""
    known = {"mode": MODES, "motion": (*MOTIONS, "own"), "start": STARTS}
    for key, values in known.items():
        check_choice(key, getattr(settings, key), values)
    if settings.start != OWN and settings.finetune.rehearsal:
        raise HeadmimeError(
            f"start={settings.start} needs finetune.rehearsal=0: rehearsed people have their own."
        )
    for method in methods:
        check_choice("method", method, METHODS)
        if method == "real" and settings.mode in WITHOUT_TRUTH:
            raise HeadmimeError("method=real needs true frames: mode=self or mode=truth.")
        if method == "frames" and settings.frames is None:
            raise HeadmimeError("method=frames needs frames=DIR, the folder of another's frames.")
    for T in Ts:
        if settings.mode == "portrait" and T != 1:
            raise HeadmimeError(f"T={T}: mode=portrait has one image of each person, T=1.")
        if not 1 <= T <= settings.sources:
            raise HeadmimeError(f"T={T} should be from 1 to sources={settings.sources}.")
