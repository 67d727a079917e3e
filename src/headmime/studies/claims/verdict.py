"""What the paper's table claims, as relations between cells, and what is found of them.

A relation is a difference that is above 0 where the paper is right. The rule was written before any
run (docs/results/claims.md): a claim holds if the 95 % intervals of all its relations lie above 0,
does not hold if one of them lies below, and else is undecided.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.evaluation.statistics import BootstrapSample
from headmime.learning.init_embeddings import OWN, STARTS

IDENTITIES, SEEDS = 20, 2
"""Fewer of them decide nothing."""

CEILING = 0.9
"""The least `id_rank1` of real frames with which CSIM tells anything."""

SAYS = {
    "C1": "every metric of Ours-FT improves with T",
    "C2": "with the most frames, FT beats FF in FID and SSIM",
    "C3": "with one frame, FF beats FT in CSIM",
    "C4": "FF's gain from T saturates: the last step gains less than half of the first",
    "C5": "fine-tuning from the person's own embedding beats an average and a random start",
    "C6": "few-shot Ours has better CSIM than Pix2pixHD at every T",
}
OUT = {"C6": "needs a Pix2pixHD"}


class Cell(NamedTuple):
    """A row of the table: `method` ff or ft, `start` of fine-tuning, number of frames T."""

    method: str
    start: str
    T: int


Scores = Mapping[str, Mapping[Cell, BootstrapSample]]
"""Metric -> cell -> its value, in the metric's own unit."""


@dataclass(frozen=True)
class Relation:
    """A difference in units of `metric`: above 0 is what the paper says."""

    name: str
    metric: str
    difference: BootstrapSample


@dataclass(frozen=True)
class Finding:
    """What is found of a claim."""

    claim: str
    verdict: str
    relations: Sequence[Relation]


def claim_cells(Ts: Sequence[int]) -> list[Cell]:
    """All cells that the claims compare; starts of fine-tuning at the middle one of three Ts."""
    own = [Cell(method, OWN, T) for method in ("ff", "ft") for T in Ts]
    return own + [Cell("ft", start, Ts[1]) for start in STARTS if start != OWN]


def findings(
    scores: Scores, Ts: Sequence[int], ceiling: float, n: tuple[int, int]
) -> list[Finding]:
    """C1 to C6. `ceiling`: `id_rank1` of real frames; `n`: how many identities and seeds."""
    return [
        Finding(claim, f"out: {OUT[claim]}", [])
        if claim in OUT
        else Finding(claim, verdict(found, ceiling, n), found)
        for claim in SAYS
        for found in [relations(claim, scores, Ts)]
    ]


def verdict(found: Sequence[Relation], ceiling: float, n: tuple[int, int]) -> str:
    """The rule: "holds", "does not hold" or "undecided: <why>"."""
    if n[0] < IDENTITIES or n[1] < SEEDS:
        return f"undecided: n = {n[0]} identities, {n[1]} seeds (of {IDENTITIES} and {SEEDS})"
    blind = [one for one in found if one.metric == "csim" and ceiling < CEILING]
    seen = [one for one in found if one not in blind]
    if any(one.difference.interval[1] < 0 for one in seen):
        return "does not hold"
    if blind:
        return "undecided: metric"
    unclear = [one.name for one in seen if one.difference.interval[0] <= 0]
    if unclear:
        return f"undecided: no difference is shown in {'; '.join(unclear)}"
    return "holds"


def relations(claim: str, scores: Scores, Ts: Sequence[int]) -> list[Relation]:
    """The relations that a claim says, of the three numbers of frames `Ts`; none for C6."""
    metrics = {"C2": ("fid", "ssim"), "C3": ("csim",)}.get(claim, select_metrics("claims"))
    return [
        Relation(f"{metric}: {name}", metric, METRICS[metric].better * difference)
        for metric in metrics
        for name, difference in _differences(claim, scores[metric], Ts)
    ]


def _differences(
    claim: str, of: Mapping[Cell, BootstrapSample], Ts: Sequence[int]
) -> Iterator[tuple[str, BootstrapSample]]:
    """(name, difference) of one metric: above 0 where the claim is right and more is better."""
    few, some, many = Ts
    ff, ft = ({T: of[Cell(method, OWN, T)] for T in Ts} for method in ("ff", "ft"))
    if claim == "C1":
        for before, after in pairwise(Ts):
            yield f"FT, T = {after} over {before}", ft[after] - ft[before]
    elif claim == "C2":
        yield f"FT over FF, T = {many}", ft[many] - ff[many]
    elif claim == "C3":
        yield f"FF over FT, T = {few}", ff[few] - ft[few]
    elif claim == "C4":
        first, last = ff[some] - ff[few], ff[many] - ff[some]
        yield f"FF, T = {some} over {few}", first
        yield f"half of FF's gain to T = {some}, over the gain to {many}", 0.5 * first - last
    elif claim == "C5":
        for start in STARTS:
            if start != OWN:
                yield f"own over {start} start, T = {some}", ft[some] - of[Cell("ft", start, some)]
