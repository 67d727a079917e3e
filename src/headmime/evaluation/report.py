"""Result files -> one page of tables in Markdown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headmime.evaluation.cells import METHODS, heading, number, row_name, with_interval
from headmime.evaluation.compare import advantage, verdict
from headmime.evaluation.gap import METRICS as GAP_METRICS
from headmime.evaluation.gap import gaps
from headmime.evaluation.goals import outcomes
from headmime.evaluation.memory import digest
from headmime.evaluation.names import METRICS
from headmime.evaluation.paper import quoted
from headmime.evaluation.results import Result, read_result
from headmime.evaluation.unlike import unlike_newest

TABLES = (
    ("fid", "kid", "ssim", "lpips", "csim", "csim_source", "id_distance", "id_rank1", "nearer"),
    (
        "akd", "apd", "found", "mouth_correlation", "turn_correlation", "eye_correlation",
        "mouth_amplitude", "turn_amplitude", "eye_amplitude",
    ),
    ("face_sharpness", "sharpness", "colour_drift", "flicker_face", "flicker_background"),
    (
        "ssim@turned", "lpips@turned", "csim@turned", "akd@turned",
        "ssim@near", "lpips@near", "csim@near", "akd@near",
    ),
)  # fmt: skip
AGAINST_WARP = ("ssim", "lpips", "csim", "lpips@turned", "csim@turned", "lpips@near", "csim@near")
DAGGER = " †"  # not fine-tuned as the newest row is
ARROWS = {1: " ↑", -1: " ↓", 0: ""}
# What may differ between the rows of one table.
OF_A_ROW = {"method", "T", "checkpoint", "finetune", "start", "perceptual", "seed", "model_code"}


@dataclass(frozen=True)
class Entry:
    """A result and its file. `apart`: what tells it from others of the same name. `unlike`: its
    settings of fine-tuning that the newest row does not have.
    """

    file: Path
    result: Result
    unlike: str = ""
    apart: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """All settings that its numbers depend on."""
        return self.result.row

    @property
    def name(self) -> str:
        """What its lines begin with."""
        return f"{row_name(self.row)}{self.apart}{DAGGER if self.unlike else ''}"

    @property
    def order(self) -> tuple[int, int, str]:
        """Methods in the order of METHODS, within them by T."""
        return list(METHODS).index(self.row["method"]), self.row["T"], self.file.name


def report(files: Sequence[Path], command: str) -> str:
    """The page: a table for every set of rows that may be compared, and what each row is made of.

    `command` is how the page is made again.
    """
    results = [read_result(file) for file in files]
    made = zip(files, results, unlike_newest(results), strict=True)
    entries = sorted((Entry(*one) for one in made), key=lambda e: e.order)
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        shared = {key: value for key, value in entry.row.items() if key not in OF_A_ROW}
        groups.setdefault(digest(shared), []).append(entry)
    lines = [
        "# Results",
        "",
        f"Made by `{command}` from {len(entries)} result files; none of it is edited by hand.",
        "Cells are value [95 % interval by bootstrap over persons]; ↑ more is better, ↓ less is.",
        "What each metric is: [evaluation.md](evaluation.md).",
    ]
    tables = sorted(map(_told_apart, groups.values()), key=lambda table: heading(table[0].row))
    lines += _goals(tables)
    lines += _gaps(entries)
    for table in tables:
        lines += ["", *_group(table)]
    return "\n".join(lines) + "\n"


def _told_apart(entries: list[Entry]) -> list[Entry]:
    """Rows of one name, such as of several weights, have their file's hash beside it."""
    names = Counter(entry.name for entry in entries)
    return [
        entry
        if names[entry.name] == 1
        else replace(entry, apart=f" ({entry.file.stem.rpartition('-')[-1][:6]})")
        for entry in entries
    ]


def _goals(tables: Sequence[list[Entry]]) -> list[str]:
    """What the project set itself for real people, where rows are there that say it."""
    lines = [
        f"| {heading(table[0].row)} | {one.goal} | {one.measured} | {one.verdict} |"
        for table in tables
        for one in outcomes([entry.result for entry in table])
    ]
    if not lines:
        return []
    return [
        "",
        "## Goals",
        "",
        "Set for real people before they were measured. A value reaches its goal whatever its "
        "interval is; only to be better than",
        "the warp the whole interval of the difference, person by person, must say so. Margins "
        "are in the metric's unit, above 0 is the right side.",
        "",
        "| table | goal | measured | |",
        "|---|---|---|---|",
        *lines,
    ]


def _gaps(entries: list[Entry]) -> list[str]:
    """What the shape of the driver's face costs, where it was measured."""
    found = list(gaps([entry.result for entry in entries]))
    if not found:
        return []
    present = [name for name in GAP_METRICS if any(name in one.differences for one in found)]
    lines = [
        "",
        "## Identity gap",
        "",
        "Each row minus the same row driven by the landmarks of the true frames (`motion=own`): "
        "what the shape of the driver's face costs.",
        "",
        f"| | {' | '.join(name + ARROWS[METRICS[name].better] for name in present)} |",
        "|---|" + "---|" * len(present),
    ]
    unlike = {entry.result.stem for entry in entries if entry.unlike}
    for one in found:
        cells = [
            with_interval(one.differences[name], name) if name in one.differences else ""
            for name in present
        ]
        row = one.row.row
        name = f"{row['dataset']}, {row['motion']} minus own: {row_name(row)}"
        name += DAGGER if one.row.stem in unlike else ""
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _group(entries: list[Entry]) -> Iterator[str]:
    first = entries[0]
    row = first.row
    yield f"## {heading(row)}"
    yield ""
    yield (
        f"Store {row['store'][:12]}, split {row['split']}, {row['trials']} trials of "
        f"{row['persons']} persons, {row['size']}x{row['size']} pixels. {_scorers(first.result)}"
    )
    if first.result.left_out:
        yield f"{first.result.left_out} videos of the split have too few frames for it."
    for metrics in TABLES:
        present = [name for name in metrics if any(name in e.result.metrics for e in entries)]
        if present:
            yield ""
            yield from _table(entries, present)
    yield from _notes(entries)
    yield from _against_warp(entries)
    yield from _beside_paper(entries)
    yield ""
    yield "Made of:"
    yield ""
    for entry in entries:
        origin = entry.result.origin
        checkpoint = entry.row["checkpoint"]
        weights = f", weights {checkpoint[:12]}" if checkpoint else ""
        other = f";{DAGGER} not fine-tuned as the newest row is: {entry.unlike}"
        yield (
            f"- {entry.name}: `{origin['command']}`, seed {entry.row['seed']}{weights}, "
            f"commit {origin['commit']}, {origin['date'][:10]}, file `{entry.file.name}`"
            f"{other if entry.unlike else ''}"
        )


def _scorers(result: Result) -> str:
    named = ", ".join(
        f"{use}: {one['name']}{' (a stand-in)' if one.get('stand_in') else ''}"
        for use, one in result.scorers.items()
    )
    if result.stand_in:
        return f"Scored by {named}. Not comparable with numbers of the literature."
    return f"Scored by {named}."


def _table(entries: list[Entry], metrics: Sequence[str]) -> Iterator[str]:
    heads = [f"{name}{ARROWS[METRICS[name].better]}" for name in metrics]
    yield f"| | {' | '.join(heads)} |"
    yield "|---|" + "---|" * len(heads)
    for entry in entries:
        cells = [_cell(entry.result, name) for name in metrics]
        yield f"| {entry.name} | {' | '.join(cells)} |"


def _cell(result: Result, name: str) -> str:
    if name not in result.metrics:
        return ""
    one = result.metrics[name]
    value, low, high = (number(one[key], name) for key in ("value", "low", "high"))
    star = "*" if "note" in one else ""
    return f"{value}{star} [{low}, {high}]"


def _notes(entries: list[Entry]) -> Iterator[str]:
    notes = {
        f"{name}: {one['note']}"
        for entry in entries
        for name, one in entry.result.metrics.items()
        if "note" in one
    }
    if notes:
        yield ""
        yield f"(*) {'; '.join(sorted(notes))}: comparable within this table only."


def _against_warp(entries: list[Entry]) -> Iterator[str]:
    """Every model beside the warp of the same T, person by person."""
    warps = {e.row["T"]: e for e in entries if e.row["method"] == "warp"}
    lines = []
    for entry in entries:
        warp = warps.get(entry.row["T"])
        if entry.row["method"] in ("ff", "ft") and warp is not None:
            lines += [f"- {entry.name}: {sentence}" for sentence in _beside(entry, warp)]
    if lines:
        yield ""
        yield "Against the warp (difference in the metric's own unit, above 0 is better than it):"
        yield ""
        yield from lines


def _beside(entry: Entry, warp: Entry) -> Iterator[str]:
    said: dict[str, list[str]] = {"better": [], "worse": [], "undecided": []}
    for name in AGAINST_WARP:
        difference = advantage(entry.file, warp.file, name)
        if difference is not None:
            interval = f"[{difference.low:+.3f}, {difference.high:+.3f}]"
            sure = interval if difference.identities > 1 else "(one person)"
            said[verdict(difference)].append(f"{name} {difference.value:+.3f} {sure}")
    if said["better"]:
        yield f"beats the warp in {', '.join(said['better'])}."
    if said["worse"]:
        yield f"**does not beat the warp** in {', '.join(said['worse'])}."
    if said["undecided"]:
        yield f"no difference to the warp is shown in {', '.join(said['undecided'])}."


def _beside_paper(entries: list[Entry]) -> Iterator[str]:
    """The paper's cells, where the data set and the networks are the paper's."""
    lines = []
    for entry in entries:
        row, metrics = entry.row, entry.result.metrics
        numbers = quoted(row["dataset"].lower(), row["method"], row["T"])
        like_the_paper = not entry.result.stand_in and row["mode"] == "self" and row["size"] == 256
        if numbers is not None and like_the_paper:
            pairs = [
                f"{_cell(entry.result, name)} | {number}"
                for name, number in zip(("fid", "ssim", "csim"), numbers, strict=True)
                if name in metrics
            ]
            lines.append(f"| {entry.name} | {' | '.join(pairs)} |")
    if lines:
        yield ""
        yield 'Beside the paper ("?": quoted from memory):'
        yield ""
        yield "| | FID, ours | paper | SSIM, ours | paper | CSIM, ours | paper |"
        yield "|---|---|---|---|---|---|---|"
        yield from lines
