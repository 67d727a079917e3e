"""Evaluate rows from settings: data, scoring networks, methods, result files."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import hydra.utils

from headmime.animate.model import torch_device
from headmime.benchmark.command import row_command, typed_command
from headmime.benchmark.methods import Methods
from headmime.benchmark.settings import RowSettings, TableSettings, check
from headmime.data.protocol import Protocol, cross_cases, sample_cases, single_image_videos
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.cache import PROTOCOL, digest
from headmime.evaluation.evaluate import EvalContext, evaluate
from headmime.evaluation.frame_features import Scorers
from headmime.evaluation.method_table import METHODS, WITHOUT_TRUTH
from headmime.evaluation.results import Result, read_result, result_stem, summarise, write_result
from headmime.evaluation.trials import (
    Trial,
    cross_trials,
    portrait_trials,
    self_trials,
    truth_trials,
)
from headmime.files import sha256, write_text
from headmime.landmarks.detect import load_detector as detector_named
from headmime.pretrained.scorers import TorchScorer
from headmime.progress import progress
from headmime.provenance.origin import software_origin
from headmime.sitters.missing import render_missing

log = logging.getLogger(__name__)
ROW_KEYS = {one.name for one in fields(RowSettings)}


class RowRunner:
    """Evaluates rows of one store and one set of trials, with shared state created once."""

    def __init__(
        self, settings: RowSettings, overrides: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """`overrides`: settings that were not typed; they are added to the row's command."""
        self.settings, self.overrides = settings, overrides
        store = open_store(settings)
        self.methods = Methods(settings, store)
        trials, self.left_out = make_trials(settings, store)
        self.context = EvalContext(
            store=store,
            trials=trials,
            size=self.methods.size,
            motion=settings.motion,
            scorers=_scorers(settings, store),
            cache=Path(settings.memory).expanduser(),
        )

    def description(self, method: str, T: int) -> dict[str, Any]:
        """Return exactly the settings that the row's numbers depend on."""
        settings, trials = self.settings, self.context.trials
        return {
            **self.methods.description(method, T),
            "drivers": settings.drivers if settings.mode in WITHOUT_TRUTH else None,
            "trials": len(trials),
            "persons": len({trial.person for trial in trials}),
            "scorers": self.context.scorers.origin,
            "code": PROTOCOL,
        }

    def run(self, method: str, T: int, place: str = "") -> Path:
        """Evaluate the row unless its result file exists; return that file.

        `place`: prefix of the progress bar, such as "1/4 ".
        """
        description = self.description(method, T)
        folder = Path(self.settings.results).expanduser()
        file = folder / f"{result_stem(description)}.json"
        if file.is_file():
            log.info("%s exists already.", file.name)
            return file
        self.check_scorers(method)
        key = self.methods.key(method)
        with progress(f"{place}{self.settings.mode} {method} T={T}") as on_trial:
            row = evaluate(self.context, self.methods.adapt(method), T, key, on_trial)
        scorers = self.context.scorers
        result = summarise(description, row, scorers.origin, scorers.stand_in, self.left_out)
        command = row_command({**self.overrides, "method": method, "T": T}, ROW_KEYS)
        result.origin.update(command=command)
        return write_result(folder, result, row)

    def check_scorers(self, method: str) -> None:
        """Raise HeadmimeError if a scoring network was used in a training loss of the method."""
        losses: dict[str, Any] = {}
        if METHODS[method].learned:
            origin = self.methods.model_of(method).record.get("origin", {})
            losses["the weights' training"] = origin.get("perceptual", {})
        if method == "ft":
            losses["fine-tuning"] = self.methods.perceptual.origin
        check_scorer_leakage(self.context.scorers.origin, losses)


def run_row(settings: RowSettings) -> Iterator[str]:
    """Check the settings and evaluate; yield a line for each metric, then the result file."""
    check(settings, [settings.method], [settings.T])
    file = RowRunner(settings).run(settings.method, settings.T)
    for name, one in read_result(file).metrics.items():
        low, high = (f"{one[end]:.4f}" if one[end] is not None else "-" for end in ("low", "high"))
        note = f"  ({one['note']})" if "note" in one else ""
        yield f"{name:20}{one['value']:10.4f}  [{low}, {high}]  n {one['n']}{note}"
    yield str(file)


def run_table(settings: TableSettings) -> Iterator[Path]:
    """Evaluate this machine's part of a table; yield result files as they are written.

    Modes without true frames have no "real" row.
    """
    table, truth = settings.table, settings.mode not in WITHOUT_TRUTH
    methods = [name for name in table.methods if name != "real" or truth]
    check(settings, methods, table.Ts)
    if not 0 <= table.part < table.parts:
        raise HeadmimeError(
            f"table.part={table.part} should be from 0 to table.parts={table.parts} minus 1."
        )
    rows = RowRunner(settings)
    mine = list(product(methods, table.Ts))[table.part :: table.parts]
    for number, (method, T) in enumerate(mine, start=1):
        yield rows.run(method, T, f"{number}/{len(mine)} ")


def study_origin(verb: str, settings: Any, row: Result) -> dict[str, Any]:
    """Origin of a study: command, settings and properties shared by its rows."""
    return {
        **software_origin(),
        "command": typed_command(verb),
        verb: asdict(getattr(settings, verb)),
        "finetune": asdict(settings.finetune),
        "dataset": settings.dataset,
        "split": settings.split,
        "store": row.row["store"],
        "scorers": row.scorers,
        "stand_in": row.stand_in,
    }


def open_store(settings: RowSettings) -> Store:
    """The store of the rows; sitters are rendered into it if it is missing."""
    folder = Path(settings.store).expanduser()
    render_missing(folder, settings.sitters)
    return Store(folder)


def check_scorer_leakage(
    scorers: Mapping[str, Mapping[str, Any]], losses: Mapping[str, Mapping[str, Any]]
) -> None:
    """Raise HeadmimeError if a weights file is used both in `scorers` (use -> origin) and in
    `losses` (loss -> origin), whose `files` are name -> sha256.
    """
    for use, scorer in scorers.items():
        for where, loss in losses.items():
            if set(scorer.get("files", {}).values()) & set(loss.get("files", {}).values()):
                raise HeadmimeError(
                    f"The scoring network {scorer['name']} ({use}) is in the loss of {where}: its "
                    "scores would be biased. Choose other scorers= or other weights."
                )


def draw_protocol(settings: RowSettings, store: Store) -> Protocol:
    """Sample people, source and held-out frames by the settings."""
    return sample_cases(
        store,
        split=settings.split,
        videos=settings.videos,
        held_out=settings.held_out,
        sources=settings.sources,
        seed=settings.cases_seed,
    )


def make_trials(settings: RowSettings, store: Store) -> tuple[list[Trial], int]:
    """Return the trials, and the number of videos of the split that are too short."""
    s = settings
    if s.mode == "truth":
        cases = cross_cases(store, seed=s.cases_seed)
        return truth_trials(store, cases, s.sources, s.held_out), 0
    protocol = draw_protocol(s, store)
    # The sampled frames, and why other videos were excluded, are kept beside the results.
    text, folder = protocol.to_json(store), Path(s.results).expanduser() / "protocols"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{digest(text)[:12]}.json", text)
    images = single_image_videos(store, s.split)
    if s.mode == "portrait":
        if not images:
            raise HeadmimeError(
                f"mode=portrait needs single images, and {store.folder} has none in its split "
                f"{s.split!r}: `headmime preprocess data=listed` stores those of portraits.tsv."
            )
        return portrait_trials(store, images, protocol.cases, s.drivers), 0
    videos = len(store.videos_in(s.split)) - len(images)
    too_short = videos - len(protocol.cases) if len(protocol.cases) < s.videos else 0
    if s.mode == "self":
        return self_trials(store, protocol.cases), too_short
    return cross_trials(store, protocol.cases, s.drivers), too_short


def _scorers(settings: RowSettings, store: Store) -> Scorers:
    networks = {use: hydra.utils.instantiate(one) for use, one in settings.scorers.items()}
    for scorer in networks.values():
        if isinstance(scorer, TorchScorer):
            scorer.to(torch_device(settings.device))
    chosen = hydra.utils.instantiate(settings.detector)
    detector = chosen or detector_named(store.detector)
    files = hash_files(settings.detector or {})
    return Scorers(**networks, detector=detector, detector_files=files)


def hash_files(settings: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of the files named in settings, by file name."""
    paths = [Path(one).expanduser() for one in settings.values() if isinstance(one, str)]
    return {path.name: sha256(path) for path in paths if path.is_file()}
