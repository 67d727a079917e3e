"""Tables made by hand, for each of which the verdict is known."""

import numpy as np
import pytest

from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.evaluation.statistics import BootstrapDraws, BootstrapSample, mean_sample
from headmime.studies.claims.verdict import Cell, Scores, claim_cells, findings, relations

TS = (1, 8, 32)
ENOUGH = (24, 2)
PAPER = {
    "fid": {"ff": (46.1, 42.2, 40.4), "ft": (48.5, 42.2, 30.6), "average": 60, "random": 70},
    "ssim": {"ff": (0.61, 0.64, 0.65), "ft": (0.64, 0.68, 0.72), "average": 0.5, "random": 0.4},
    "csim": {"ff": (0.42, 0.47, 0.48), "ft": (0.35, 0.42, 0.45), "average": 0.2, "random": 0.1},
}
"""The paper's table (VoxCeleb2), in which C1 to C4 hold by reading; the two starts are made up."""


def table(noise: float = 0.0, **changed: dict) -> Scores:
    """PAPER with changes, as 24 persons and 2 seeds that differ from each other by `noise`, in
    units of the differences between cells.
    """
    rng, draws = np.random.default_rng(0), BootstrapDraws.of(*ENOUGH)
    scores: dict[str, dict[Cell, BootstrapSample]] = {}
    for metric in select_metrics("claims"):
        numbers = PAPER[metric] | changed.get(metric, {})
        unit = abs(numbers["ft"][2] - numbers["ft"][0]) or 1
        of_cells = {
            Cell(m, "own", T): numbers[m][k] for m in ("ff", "ft") for k, T in enumerate(TS)
        }
        of_cells |= {Cell("ft", start, 8): numbers[start] for start in ("average", "random")}
        persons = rng.normal(0, 10 * unit, (1, 24))  # shared by all cells: cancels
        scores[metric] = {
            cell: mean_sample(value + persons + noise * unit * rng.normal(size=(2, 24)), draws)
            for cell, value in of_cells.items()
        }
    return scores


def verdicts(scores: Scores, ceiling: float = 1.0, n: tuple[int, int] = ENOUGH) -> dict[str, str]:
    return {one.claim: one.verdict for one in findings(scores, TS, ceiling, n)}


def test_in_the_paper_s_own_table_the_claims_hold() -> None:
    found = verdicts(table())
    assert {found[claim] for claim in ("C1", "C2", "C3", "C4", "C5")} == {"holds"}
    assert found["C6"] == "out: needs a Pix2pixHD"


def test_the_cells_are_all_that_is_needed_and_no_more() -> None:
    assert set(claim_cells(TS)) == set(table()["ssim"])
    assert len(claim_cells(TS)) == 8


@pytest.mark.parametrize(
    ("changed", "fallen"),
    [
        ({"ssim": {"ft": (0.64, 0.63, 0.72)}}, {"C1"}),
        ({"fid": {"ft": (48.5, 42.2, 41.0)}}, {"C2"}),
        ({"csim": {"ff": (0.34, 0.47, 0.48)}}, {"C3"}),
        ({"csim": {"ff": (0.42, 0.47, 0.51)}}, {"C4"}),  # 0.04 is more than half of 0.05
        ({"ssim": {"ff": (0.66, 0.64, 0.65)}}, {"C4"}),  # no gain that could saturate
        ({"fid": {"average": 42.0}}, {"C5"}),
        ({"csim": {"random": 0.43}}, {"C5"}),
    ],
)
def test_one_relation_the_wrong_way_round_is_enough(changed: dict, fallen: set[str]) -> None:
    found = verdicts(table(**changed))
    assert {claim for claim, one in found.items() if one == "does not hold"} == fallen
    assert all(found[claim] == "holds" for claim in set(found) - fallen - {"C6"})


def test_noise_leaves_claims_undecided_and_names_the_relation() -> None:
    found = verdicts(table(noise=50.0))
    assert all(found[c].startswith("undecided: no difference is shown in ") for c in ("C2", "C3"))
    assert "csim: FF over FT, T = 1" in found["C3"]


def test_equal_cells_are_undecided() -> None:
    found = verdicts(table(csim={"ff": (0.35, 0.47, 0.48)}))
    assert found["C3"] == "undecided: no difference is shown in csim: FF over FT, T = 1"


def test_a_metric_that_cannot_tell_people_apart_decides_nothing() -> None:
    found = verdicts(table(), ceiling=0.89)
    assert found["C3"] == "undecided: metric"
    assert found["C1"] == found["C4"] == found["C5"] == "undecided: metric"
    assert found["C2"] == "holds"  # says nothing of CSIM
    assert verdicts(table(), ceiling=0.9)["C3"] == "holds"


def test_another_metric_can_refute_what_csim_cannot_confirm() -> None:
    scores = table(ssim={"ft": (0.64, 0.63, 0.72)})
    assert verdicts(scores, ceiling=0.5)["C1"] == "does not hold"


@pytest.mark.parametrize("n", [(19, 2), (24, 1)])
def test_too_few_identities_or_seeds_decide_nothing(n: tuple[int, int]) -> None:
    found = verdicts(table(), n=n)
    for claim in ("C1", "C2", "C3", "C4", "C5"):
        assert found[claim] == f"undecided: n = {n[0]} identities, {n[1]} seeds (of 20 and 2)"


def test_differences_are_in_the_metric_s_unit_and_above_0_is_the_paper_s_way() -> None:
    values = {
        one.name: one.difference.value
        for claim in ("C1", "C2", "C4")
        for one in relations(claim, table(), TS)
    }
    assert values["fid: FT, T = 8 over 1"] == pytest.approx(6.3)
    assert values["fid: FT, T = 32 over 8"] == pytest.approx(11.6)
    assert values["ssim: FT over FF, T = 32"] == pytest.approx(0.07)
    half = values["fid: half of FF's gain to T = 8, over the gain to 32"]
    assert half == pytest.approx(3.9 / 2 - 1.8)
    assert METRICS["fid"].better == -1
