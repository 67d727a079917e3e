"""Images and plots of a table's rows, for people to look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from headmime.animate.media_writer import write_media
from headmime.benchmark.methods import Methods
from headmime.benchmark.rows import make_trials
from headmime.benchmark.settings import RowGrid, RowSettings, check
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.plots import require_matplotlib
from headmime.evaluation.plots.scene import (
    FigureContext,
    clip_of,
    draw_grid,
    sample_trials,
    side_by_side,
)
from headmime.evaluation.plots.worst import as_csv, circumstances, draw_worst, worst_scores
from headmime.evaluation.results import OF_A_ROW, Result, group_by, read_result
from headmime.files import write_text
from headmime.progress import progress
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import (
    Ingredient,
    Kind,
    ProvenanceOptions,
    ProvenanceStatement,
    required_consent,
)

STILL = Fraction(1)


@dataclass
class Figures(RowGrid):
    """What `headmime figures` draws, into `out`."""

    people: int = MISSING
    videos: int = MISSING
    worst: str = MISSING
    tile: int = MISSING
    seed: int = MISSING
    consent: str | None = None
    out: str = MISSING


@dataclass
class FiguresSettings(RowSettings):
    """A row's keys, and those of figures; conf/study/figures.yaml says what they mean."""

    figures: Figures = field(default_factory=Figures)
    provenance: ProvenanceOptions = field(default_factory=ProvenanceOptions)


def draw_figures(settings: FiguresSettings) -> Iterator[Path]:
    """Check what can be checked, then plots, the grid, the worst frames, videos: their files."""
    figures = settings.figures
    check(settings, [settings.method, *figures.methods], [settings.T, *figures.Ts])
    required_consent(figures.consent)
    prepare_marking(settings.provenance)
    chosen = {*figures.methods, settings.method}
    if "real" in chosen:
        raise HeadmimeError("method=real is the column Target: leave it out of figures.methods.")
    if "frames" in chosen:
        raise HeadmimeError("method=frames is scored (eval, table), not drawn: leave it out.")
    out = Path(figures.out).expanduser()
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(settings.results).expanduser()
    found = {file: read_result(file) for file in sorted(folder.glob("*.json"))}
    yield from draw_plots(list(found.values()), out)
    drawn = _Images(settings, out)
    yield drawn.grid()
    row = next((file for file, result in reversed(found.items()) if drawn.is_row(result)), None)
    if row is None:
        method, T = settings.method, settings.T
        print(f"The worst frames are left out: `headmime eval` has not run method={method} T={T}.")
    else:
        yield from drawn.worst(row)
    yield from drawn.videos()


def draw_plots(results: Sequence[Result], out: Path) -> Iterator[Path]:
    """Quality against T, of every table of which there are results for several T."""
    require_matplotlib()
    from headmime.evaluation.plots.quality import draw_quality, write_figure

    for table in group_by(results, OF_A_ROW):
        row = table[0].row
        if len({one.row["T"] for one in table}) > 1:
            name = f"quality-{row['dataset']}-{row['mode']}-{row['store'][:6]}-{row['code'][:6]}"
            yield from write_figure(draw_quality(table), out / name)


class _Images:
    """The figures that show people; every one is written as other outputs for people are."""

    def __init__(self, settings: FiguresSettings, out: Path) -> None:
        self.settings, self.figures, self.out = settings, settings.figures, out
        self.store = Store(Path(settings.store).expanduser())
        self.methods = Methods(settings, self.store)
        self.trials, _ = make_trials(settings, self.store)
        made_of = [self.methods.origin_of(method) for method in self.figures.methods]
        self.making = ProvenanceStatement(
            consent=required_consent(self.figures.consent),
            model_sha256=next((one["checkpoint"] for one in made_of if one["checkpoint"]), None),
            ingredients=(Ingredient("source", "store", self.store.hash),),
            settings={"methods": " ".join(self.figures.methods)},
            kind=Kind.COMPOSITE,
        )

    def grid(self) -> Path:
        """People x T x methods."""
        figures = self.figures
        chosen = sample_trials(self.trials, figures.people, figures.seed)
        with progress("Grid") as on_line:
            stage = self._stage(figures.methods)
            page = draw_grid(stage, chosen, figures.Ts, figures.tile, figures.seed, on_line)
        return write_media(
            self.out / "grid.png", [page], STILL, self.making, self.settings.provenance
        )

    def worst(self, file: Path) -> Iterator[Path]:
        """Of the row method=, T=, from its result file: images, and what sets them apart."""
        s, metric = self.settings, self.figures.worst
        scores, of = worst_scores(file, metric)
        stage, trials = self._stage([s.method]), {trial.name: trial for trial in self.trials}
        found = circumstances(stage, trials, scores, s.T)
        reasons = [one.reason for one in found]
        page = draw_worst(stage, trials, scores, reasons, s.T, metric, self.figures.tile)
        out = self.out / f"worst-{s.method}-T{s.T}-{metric}.png"
        print(f"{out.name}: {len(scores)} of {of} frames")
        yield write_media(out, [page], STILL, self.making, s.provenance)
        write_text(out.with_suffix(".csv"), as_csv(stage, trials, scores, found, metric))
        yield out.with_suffix(".csv")

    def videos(self) -> Iterator[Path]:
        """Methods side by side in motion."""
        figures = self.figures
        T, stage = figures.Ts[-1], self._stage(figures.methods)
        for trial in sample_trials(self.trials, figures.videos, figures.seed):
            shown, fps = clip_of(self.store, trial, self.settings.mode)
            frames = side_by_side(stage, shown, T, figures.tile)
            name = "".join(c if c.isalnum() or c in "-_" else "-" for c in trial.name)
            file = self.out / f"video-T{T}-{name}.mp4"
            yield write_media(file, frames, fps, self.making, self.settings.provenance)

    def is_row(self, result: Result) -> bool:
        """Whether a result is of the row method=, T= of these settings, whoever scored it."""
        s = self.settings
        wanted: dict[str, Any] = {
            **s.data(),
            "store": self.store.hash,
            "size": self.methods.size,
            "method": s.method,
            "T": s.T,
            **self.methods.origin_of(s.method),
        }
        return all(result.row.get(key) == value for key, value in wanted.items())

    def _stage(self, methods: Sequence[str]) -> FigureContext:
        adapts = {method: self.methods.adapt(method) for method in methods}
        return FigureContext(self.store, self.methods.size, self.settings.motion, adapts)
