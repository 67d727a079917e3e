"""Markdown report of result files."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headmime.benchmark.goals import gaps, outcomes
from headmime.evaluation.formatting import (
    format_interval,
    format_metric,
    markdown_table,
    metric_label,
    row_name,
    table_heading,
)
from headmime.evaluation.method_table import METHODS
from headmime.evaluation.metric_table import REPORT, select_metrics
from headmime.evaluation.paper import paper_numbers
from headmime.evaluation.results import (
    OF_A_ROW,
    Result,
    advantage,
    group_by,
    read_result,
    verdict,
)

DAGGER = " †"  # fine-tuning settings differ from the newest row's


@dataclass(frozen=True)
class Entry:
    """A result and its file. `mark`: distinguishes results of the same name. `difference`: its
    fine-tuning settings that differ from the newest row's.
    """

    file: Path
    result: Result
    difference: str = ""
    mark: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """All settings that the numbers depend on."""
        return self.result.row

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"{row_name(self.row)}{self.mark}{DAGGER if self.difference else ''}"

    @property
    def order(self) -> tuple[int, int, str]:
        """Sort key: order of METHODS, then T."""
        return list(METHODS).index(self.row["method"]), self.row["T"], self.file.name


def report(files: Sequence[Path], command: str) -> str:
    """Write the report: a table for every set of comparable rows, and the origin of each row.

    `command` reproduces the report.
    """
    results = [read_result(file) for file in files]
    fields = zip(files, results, settings_diff(results), strict=True)
    entries = sorted((Entry(*one) for one in fields), key=lambda entry: entry.order)
    groups = map(_disambiguate, group_by(entries, OF_A_ROW))
    tables = sorted(groups, key=lambda table: table_heading(table[0].row))
    lines = [
        "# Results",
        "",
        f"Made by `{command}` from {len(entries)} result files; none of it is edited by hand.",
        "Cells are value [95 % interval by bootstrap over persons]; ↑ more is better, ↓ less is.",
        "What each metric is: [metrics.md](../reference/metrics.md).",
        *_goals(tables),
        *_gaps(entries),
    ]
    for table in tables:
        lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def settings_diff(results: Sequence[Result]) -> list[str]:
    """For each result, list fine-tuning settings that differ from the newest fine-tuned row's, such
    as "epochs=10, jitter.scale=0.1"; empty if none differ or nothing was fine-tuned.
    """
    tuned = [one for one in results if one.row.get("finetune")]
    if not tuned:
        return [""] * len(results)
    newest = dict(_flat(max(tuned, key=lambda one: one.origin["date"]).row["finetune"]))
    return [_differences(dict(_flat(one.row.get("finetune") or newest)), newest) for one in results]


def _differences(settings: Mapping[str, Any], newest: Mapping[str, Any]) -> str:
    keys = {**newest, **settings}
    return ", ".join(
        f"{key}={settings.get(key)}" for key in keys if settings.get(key) != newest.get(key)
    )


def _flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _disambiguate(entries: list[Entry]) -> list[Entry]:
    """Append the file's hash to names shared by several rows (such as of several weights)."""
    names = Counter(entry.name for entry in entries)
    return [
        entry
        if names[entry.name] == 1
        else replace(entry, mark=f" ({entry.file.stem.rpartition('-')[-1][:6]})")
        for entry in entries
    ]


def _goals(tables: Sequence[list[Entry]]) -> list[str]:
    """Section of the goals for real people, if rows measure them."""
    found = [
        (table_heading(table[0].row), one)
        for table in tables
        for one in outcomes([entry.result for entry in table])
    ]
    if not found:
        return []
    rows = [(table, one.goal, one.measured, one.verdict) for table, one in found]
    reached = sum(one.reached is True for _, one in found)
    return [
        "",
        "## Goals",
        "",
        f"{reached} of {len(found)} goals for real people were reached; they were set before the "
        "measurement. A value reaches its goal",
        "whatever its interval is; only to be better than the warp, the whole interval of the "
        "paired difference must be above 0.",
        "Margins are in the metric's unit, above 0 is the right side.",
        "",
        *markdown_table(("table", "goal", "measured", ""), rows),
    ]


def _gaps(entries: list[Entry]) -> list[str]:
    """Section of the identity gap, if it was measured."""
    measured = list(gaps([entry.result for entry in entries]))
    if not measured:
        return []
    shown = [
        name for name in select_metrics("gap") if any(name in one.differences for one in measured)
    ]
    differing = {entry.result.stem for entry in entries if entry.difference}
    rows = []
    for one in measured:
        row, costs = one.row.row, one.differences
        mark = DAGGER if one.row.stem in differing else ""
        title = f"{row['dataset']}, {row['motion']} minus own: {row_name(row)}{mark}"
        cells = [
            format_interval(costs[metric], metric) if metric in costs else "" for metric in shown
        ]
        rows.append([title, *cells])
    return [
        "",
        "## Identity gap",
        "",
        "Each row minus the same row driven by the landmarks of the true frames (`motion=own`): "
        "what the shape of the driver's face costs.",
        "",
        *_fold_lines("Differences", ["", *markdown_table(["", *map(metric_label, shown)], rows)]),
    ]


def _fold_lines(summary: str, lines: Iterable[str]) -> list[str]:
    """Lines that a page shows after a click; the first is empty, as Markdown needs."""
    return [f"<details><summary>{summary}</summary>", *lines, "", "</details>"]


def _table(entries: list[Entry]) -> Iterator[str]:
    first = entries[0]
    row = first.row
    yield f"## {table_heading(row)}"
    yield ""
    yield (
        f"Store {row['store'][:12]}, split {row['split']}, {row['trials']} trials of "
        f"{row['persons']} persons, {row['size']}x{row['size']} pixels. {_scorers(first.result)}"
    )
    if first.result.left_out:
        yield f"{first.result.left_out} videos of the split have too few frames for it."
    yield ""
    yield from _fold_lines("Metrics, differences and commands", _details(entries))


def _details(entries: list[Entry]) -> Iterator[str]:
    """All metrics of a table, its comparisons, and what each row was made of."""
    for part in REPORT:
        shown = [
            name for name in select_metrics(part) if any(name in e.result.metrics for e in entries)
        ]
        if shown:
            cells = ([e.name, *(format_metric(e.result, name) for name in shown)] for e in entries)
            yield ""
            yield from markdown_table(["", *map(metric_label, shown)], cells)
    yield from _notes(entries)
    yield from _against_warp(entries)
    yield from _compare_with_paper(entries)
    yield from ("", "Made of:", "")
    for entry in entries:
        origin = entry.result.origin
        checkpoint = entry.row["checkpoint"]
        weights = f", weights {checkpoint[:12]}" if checkpoint else ""
        other = f";{DAGGER} fine-tuning differs from the newest row's: {entry.difference}"
        yield (
            f"- {entry.name}: `{origin['command']}`, seed {entry.row['seed']}{weights}, "
            f"commit {origin['commit']}, {origin['date'][:10]}, file `{entry.file.name}`"
            f"{other if entry.difference else ''}"
        )


def _scorers(result: Result) -> str:
    named = ", ".join(
        f"{use}: {one['name']}{' (a stand-in)' if one.get('stand_in') else ''}"
        for use, one in result.scorers.items()
    )
    other = " Not comparable with numbers of the literature." if result.stand_in else ""
    return f"Scored by {named}.{other}"


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
    """Compare every model, and frames of other systems, with the warp of the same T, by person."""
    warps = {e.row["T"]: e for e in entries if e.row["method"] == "warp"}
    lines = [
        f"- {entry.name}: {sentence}"
        for entry in entries
        if (METHODS[entry.row["method"]].learned or entry.row["method"] == "frames")
        and entry.row["T"] in warps
        for sentence in _compare(entry, warps[entry.row["T"]])
    ]
    if lines:
        yield ""
        yield "Against the warp (difference in the metric's own unit, above 0 is better than it):"
        yield ""
        yield from lines


def _compare(entry: Entry, warp: Entry) -> Iterator[str]:
    verdicts: dict[str, list[str]] = {"better": [], "worse": [], "undecided": []}
    for name in select_metrics("warp"):
        difference = advantage(entry.file, warp.file, name)
        if difference is not None:
            interval = f"[{difference.low:+.3f}, {difference.high:+.3f}]"
            sure = interval if difference.identities > 1 else "(one person)"
            verdicts[verdict(difference)].append(f"{name} {difference.value:+.3f} {sure}")
    if verdicts["better"]:
        yield f"beats the warp in {', '.join(verdicts['better'])}."
    if verdicts["worse"]:
        yield f"**does not beat the warp** in {', '.join(verdicts['worse'])}."
    if verdicts["undecided"]:
        yield f"no difference to the warp is shown in {', '.join(verdicts['undecided'])}."


def _compare_with_paper(entries: list[Entry]) -> Iterator[str]:
    """Our cells beside the paper's, if data set and scoring networks are the paper's."""
    rows = []
    for entry in entries:
        row, result = entry.row, entry.result
        numbers = paper_numbers(row["dataset"].lower(), row["method"], row["T"])
        like_the_paper = not result.stand_in and row["mode"] == "self" and row["size"] == 256
        if numbers is not None and like_the_paper:
            pairs = zip(("fid", "ssim", "csim"), numbers, strict=True)
            cells = [(format_metric(result, name), paper) for name, paper in pairs]
            rows.append([entry.name, *(cell for pair in cells for cell in pair)])
    if rows:
        heads = ("", "FID, ours", "paper", "SSIM, ours", "paper", "CSIM, ours", "paper")
        yield from ("", 'Beside the paper ("?": quoted from memory):', "")
        yield from markdown_table(heads, rows)
