"""The keys of `eval` and `table`, and what can be checked of them before any work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from headmime.animate.motion import MOTIONS
from headmime.cli.train_schema import SittersToRender
from headmime.errors import HeadmimeError
from headmime.evaluation import baselines
from headmime.evaluation.evaluate import Adapt
from headmime.evaluation.trials import MODES, WITHOUT_TRUTH
from headmime.learning.finetune import FineTuneSettings
from headmime.learning.starts import OWN, STARTS
from headmime.provenance.statement import ProvenanceOptions

BASELINES: dict[str, Adapt | None] = {
    "copy": baselines.copy_first,
    "nearest": baselines.copy_nearest,
    "warp": baselines.warp_nearest,
    "mean": baselines.mean_frame,
    "real": None,
}
MODELS = ("ff", "ft")
METHODS = (*MODELS, *BASELINES)


@dataclass
class TableOfRows:
    """The rows of `headmime table`: all methods with all Ts; machine `part` of `parts` runs its
    share of them.
    """

    methods: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    part: int = 0
    parts: int = 1


@dataclass
class StudyOfRows:
    """What `headmime userstudy prepare` makes: `triplets` of each method and T into `out`."""

    methods: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    triplets: int = MISSING
    title: str = MISSING
    seed: int = MISSING
    out: str = MISSING


@dataclass
class FiguresOfRows:
    """What `headmime figures` draws, into `out`."""

    methods: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    people: int = MISSING
    videos: int = MISSING
    worst: str = MISSING
    tile: int = MISSING
    seed: int = MISSING
    consent: str | None = None
    out: str = MISSING


@dataclass
class ClaimsOfRows:
    """What `headmime claims` trains and compares: experiments `ff` and `ft` with each of `seeds`,
    at three `Ts`. `sitters` are rendered into `store` when it is missing.
    """

    ff: str = MISSING
    ft: str = MISSING
    seeds: list[int] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    train: list[str] = field(default_factory=list)
    runs: str = MISSING
    sitters: SittersToRender | None = None
    out: str = MISSING


@dataclass
class ForensicsOfRow:
    """What `headmime forensics` tries on the row, into `out`."""

    crf: int = MISSING
    folds: int = MISSING
    steps: int = MISSING
    seed: int = MISSING
    out: str = MISSING


@dataclass
class CurveSetting:
    """A fine-tuning beside others: keys of `finetune`, and parts of G that stay as they are."""

    finetune: dict[str, Any] = field(default_factory=dict)
    frozen: list[str] = field(default_factory=list)


@dataclass
class CurvesOfRows:
    """What `headmime curves` follows: every one of `settings` (name -> a `CurveSetting`), or those
    in `only`, with all `Ts`, scored after `steps` updates in `modes` (mode -> motion), with
    mode=self on `frames` frames of the person.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    only: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)
    frames: int = MISSING
    out: str = MISSING


@dataclass
class RecipeOfRows:
    """What `headmime recipe` trains: `experiment` with the keys of each of `variants` (or those in
    `only`) for `minutes`; then scores with all `Ts` and `methods` in `modes` (mode -> motion).
    """

    experiment: str = MISSING
    minutes: float = MISSING
    variants: dict[str, dict[str, Any]] = field(default_factory=dict)
    only: list[str] = field(default_factory=list)
    train: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)
    runs: str = MISSING
    out: str = MISSING


@dataclass
class Evaluate:
    """Every key of `headmime eval` and `headmime table`; conf/evaluate.yaml says what they mean."""

    store: str = MISSING
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
    size: int | None = None
    seed: int = MISSING
    start: str = OWN
    finetune: FineTuneSettings = field(default_factory=FineTuneSettings)
    perceptual: dict[str, Any] = field(default_factory=dict)
    scorers: dict[str, Any] = field(default_factory=dict)
    detector: dict[str, Any] | None = None
    device: str = MISSING
    results: str = MISSING
    memory: str = MISSING
    table: TableOfRows = field(default_factory=TableOfRows)
    study: StudyOfRows = field(default_factory=StudyOfRows)
    figures: FiguresOfRows = field(default_factory=FiguresOfRows)
    claims: ClaimsOfRows = field(default_factory=ClaimsOfRows)
    curves: CurvesOfRows = field(default_factory=CurvesOfRows)
    recipe: RecipeOfRows = field(default_factory=RecipeOfRows)
    forensics: ForensicsOfRow = field(default_factory=ForensicsOfRow)
    provenance: ProvenanceOptions = field(default_factory=ProvenanceOptions)


ConfigStore.instance().store("evaluate_schema", Evaluate)


def check_only(only: Sequence[str], known: Mapping[str, Any], key: str, example: str) -> None:
    """HeadmimeError for a name in `<verb>.only` that is not in `key` (<verb>.<names>), with an
    `example` of what it may be there.
    """
    unknown = [name for name in only if name not in known]
    if unknown:
        verb = key.partition(".")[0]
        raise HeadmimeError(
            f"{verb}.only: {unknown[0]} is not among {', '.join(known)}; another one is "
            f"made with '+{key}.{unknown[0]}={example}'."
        )


def check(settings: Evaluate, methods: Sequence[str], Ts: Sequence[int]) -> None:
    """HeadmimeError, before any work, for what is misspelt or cannot be."""
    known = {"mode": MODES, "motion": (*MOTIONS, "own"), "start": STARTS}
    for key, values in known.items():
        if getattr(settings, key) not in values:
            raise HeadmimeError(
                f"{key}={getattr(settings, key)} is not known; choose one of {', '.join(values)}."
            )
    if settings.start != OWN and settings.finetune.rehearsal:
        raise HeadmimeError(
            f"start={settings.start} needs finetune.rehearsal=0: rehearsed people have their own."
        )
    for method in methods:
        if method not in METHODS:
            raise HeadmimeError(
                f"method={method} is not known; choose one of {', '.join(METHODS)}."
            )
        if method == "real" and settings.mode in WITHOUT_TRUTH:
            raise HeadmimeError("method=real needs true frames: mode=self or mode=truth.")
    for T in Ts:
        if settings.mode == "portrait" and T != 1:
            raise HeadmimeError(f"T={T}: mode=portrait has one picture of each person, T=1.")
        if not 1 <= T <= settings.sources:
            raise HeadmimeError(f"T={T} should be from 1 to sources={settings.sources}.")
