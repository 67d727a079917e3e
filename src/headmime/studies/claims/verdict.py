"""The claims of the paper's table as relations between cells, and their verdicts.

A relation is a difference that is positive if the paper is right. The rule was written before any
run (docs/results/claims.md): a claim holds if the 95 % intervals of all its relations lie above 0,
does not hold if one of them lies below, and is undecided otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.evaluation.statistics import BootstrapSample
from headmime.learning.init_embeddings import OWN, STARTS

IDENTITIES, SEEDS = 20, 2
"""Minimum sample sizes for a verdict."""

CEILING = 0.9
"""Minimum `id_rank1` of real frames for CSIM to be informative."""

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
"""Metric -> cell -> value, in the metric's unit."""


@dataclass(frozen=True)
class Relation:
    """A difference in units of `metric`; positive supports the paper."""

    name: str
    metric: str
    difference: BootstrapSample


@dataclass(frozen=True)
class Finding:
    """Verdict and relations of a claim."""

    claim: str
    verdict: str
    relations: Sequence[Relation]


def claim_cells(Ts: Sequence[int]) -> list[Cell]:
    """All cells that the claims compare; initial embeddings are compared at the middle T."""
    own = [Cell(method, OWN, T) for method in ("ff", "ft") for T in Ts]
    return own + [Cell("ft", start, Ts[1]) for start in STARTS if start != OWN]


def findings(
    scores: Scores, Ts: Sequence[int], ceiling: float, n: tuple[int, int]
) -> list[Finding]:
    """Decide C1 to C6. `ceiling`: `id_rank1` of real frames; `n`: numbers of identities and
    seeds.
    """
    return [
        Finding(claim, f"out: {OUT[claim]}", [])
        if claim in OUT
        else Finding(claim, verdict(tested, ceiling, n), tested)
        for claim in SAYS
        for tested in [relations(claim, scores, Ts)]
    ]


def verdict(tested: Sequence[Relation], ceiling: float, n: tuple[int, int]) -> str:
    """Apply the rule: "holds", "does not hold" or "undecided: <why>"."""
    if n[0] < IDENTITIES or n[1] < SEEDS:
        return f"undecided: n = {n[0]} identities, {n[1]} seeds (of {IDENTITIES} and {SEEDS})"
    uninformative = [one for one in tested if one.metric == "csim" and ceiling < CEILING]
    informative = [one for one in tested if one not in uninformative]
    if any(one.difference.interval[1] < 0 for one in informative):
        return "does not hold"
    if uninformative:
        return "undecided: metric"
    unclear = [one.name for one in informative if one.difference.interval[0] <= 0]
    if unclear:
        return f"undecided: no difference is shown in {'; '.join(unclear)}"
    return "holds"


def relations(claim: str, scores: Scores, Ts: Sequence[int]) -> list[Relation]:
    """Return the relations of a claim for the three numbers of frames `Ts`; none for C6."""
    metrics = {"C2": ("fid", "ssim"), "C3": ("csim",)}.get(claim, select_metrics("claims"))
    return [
        Relation(f"{metric}: {name}", metric, METRICS[metric].better * difference)
        for metric in metrics
        for name, difference in _differences(claim, scores[metric], Ts)
    ]


def _differences(
    claim: str, of: Mapping[Cell, BootstrapSample], Ts: Sequence[int]
) -> Iterator[tuple[str, BootstrapSample]]:
    """Yield (name, difference) for a metric of which higher is better; positive supports the
    claim.
    """
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
