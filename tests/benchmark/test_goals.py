"""Goals and the identity gap, from results made by hand."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from headmime.benchmark.goals import gaps, outcomes
from headmime.benchmark.report import report
from headmime.evaluation.results import FORMAT, Result
from headmime.evaluation.statistics import mean_estimate


def made(method: str, T: int, mode: str = "self", /, motion: str = "absolute", **persons) -> Result:
    """A row of which only the persons' means matter: lists of them, `turned_` for `@turned`."""
    values = {
        name.replace("_at_", "@"): {str(k): v for k, v in enumerate(each)}
        for name, each in persons.items()
    }
    row = {
        **{"dataset": "real-report", "store": "5" * 64, "split": "test", "mode": mode},
        **{"motion": motion, "trials": 4, "persons": 4, "size": 32, "method": method, "T": T},
        **{"checkpoint": "c" * 64 if method in ("ff", "ft") else None, "seed": 0, "code": "0"},
    }
    metrics = {name: {**asdict(mean_estimate(v)), "n": len(v)} for name, v in values.items()}
    origin = {"command": f"headmime eval method={method}", "commit": "0", "date": "2026-01-01"}
    return Result(row, metrics, values, {}, True, 0, origin)


def told(table: list[Result]) -> dict[str, tuple[bool | None, str]]:
    """By goal, whether it is reached, and the figure."""
    return {one.goal: (one.reached, one.measured) for one in outcomes(table)}


FT = "FT (fine-tuned), T = 8"


def test_the_warp_is_beaten_only_where_the_whole_interval_says_so():
    warp = made("warp", 8, lpips_at_turned=[0.3, 0.4, 0.5, 0.6], csim_at_turned=[0.5] * 4)
    better = made(
        "ft", 8, lpips_at_turned=[0.2, 0.3, 0.4, 0.5], csim_at_turned=[0.9, 0.5, 0.4, 0.3]
    )
    got = told([better, warp])
    reached, said = got[f"{FT}: better than the warp in `lpips@turned`"]
    assert reached and said == ("FT 0.350, warp 0.450; margin 0.100 [0.100, 0.100], 4 persons")
    reached, said = got[f"{FT}: better than the warp in `csim@turned`"]
    assert reached is False and "margin 0.025 [-" in said  # better, but perhaps by chance
    assert (
        told([warp, made("ft", 8, lpips_at_turned=[0.7] * 4)])[
            f"{FT}: better than the warp in `lpips@turned`"
        ][0]
        is False
    )


@pytest.mark.parametrize(
    ("metric", "warp", "just", "too_much"),
    [("lpips", 0.2, 0.219, 0.221), ("csim", 0.8, 0.721, 0.719)],
)
def test_elsewhere_it_may_be_a_tenth_worse(metric: str, warp: float, just: float, too_much: float):
    goal = f"{FT}: at most 10% worse than the warp in `{metric}@near`"
    for value, reached in ((just, True), (too_much, False)):
        table = [
            made("ft", 8, **{f"{metric}_at_near": [value] * 4}),
            made("warp", 8, **{f"{metric}_at_near": [warp] * 4}),
        ]
        assert told(table)[goal][0] is reached


def test_only_persons_that_both_have_are_compared():
    ft = made("ft", 8, lpips_at_turned=[0.1, 0.1])
    warp = made("warp", 8, lpips_at_turned=[0.2, 0.2, 9.0])
    said = told([ft, warp])[f"{FT}: better than the warp in `lpips@turned`"][1]
    assert said == "FT 0.100, warp 0.200; margin 0.100 [0.100, 0.100], 2 persons"


def test_nobody_turned_is_not_measured():
    got = told([made("ft", 8, lpips_at_near=[0.1] * 4), made("warp", 8, lpips_at_near=[0.1] * 4)])
    assert got[f"{FT}: better than the warp in `lpips@turned`"] == (None, "no such frame")


def test_identity_has_its_ceiling_beside_it():
    table = [
        made("ff", 1, id_rank1=[0.1, 0.3, 0.4, 0.2]),
        made("ft", 1, id_rank1=[0.49] * 4),
        made("ft", 8, id_rank1=[0.9, 0.8, 0.9, 0.7]),
        made("real", 1, id_rank1=[1.0, 0.98, 1, 1]),
    ]
    got = told(table)
    reached, said = got["FF (feed-forward), T = 1: `id_rank1` at least 0.25"]
    assert reached and said.startswith("0.25 [") and said.endswith("4 persons; ceiling 0.99")
    assert got["FT (fine-tuned), T = 1: `id_rank1` at least 0.50"][0] is False
    reached, said = got["FT (fine-tuned), T = 8: `id_rank1` at least 0.80"]
    assert reached and "ceiling" not in said


@pytest.mark.parametrize("mode", ["cross", "portrait"])
def test_with_another_driver(mode: str):
    row = made(
        *("ft", 1, mode),
        mouth_correlation=[0.8, 0.85, 0.9, 0.95],
        turn_amplitude=[1.1, 1.1, 1.2, 1.3],
        id_distance=[0.3, 0.4, 0.3, 0.4],
        nearer=[1, 1, 1, 0.5],
    )
    got = told([row])
    alone = told([made("ft", 1, mode, nearer=[1.0])])
    assert alone["FT (fine-tuned), T = 1: `nearer` at least 0.90"][1] == "1.00 [-, -], 1 person"
    name = "FT (fine-tuned), T = 1"
    assert got[f"{name}: `mouth_correlation` at least 0.85"][0] is True
    assert got[f"{name}: `turn_amplitude` at least 0.75, at most 1.15"][0] is False
    assert got[f"{name}: `id_distance` at most 0.400"][0] is True
    assert got[f"{name}: `nearer` at least 0.90"][0] is False
    assert got[f"{name}: `turn_correlation` at least 0.80"][0] is None


def test_rendered_people_have_no_goals():
    row = made("ft", 1, id_rank1=[1.0])
    row.row["dataset"] = "sitters"
    assert not told([row])


def test_the_gap_is_paired_and_needs_the_same_row():
    own = made("ft", 1, "truth", motion="own", lpips=[0.1, 0.5, 0.9], csim=[0.5, 0.6, 0.7])
    absolute = made("ft", 1, "truth", lpips=[0.2, 0.6, 1.0], csim=[0.4, 0.5, 0.6])
    alone = made("ft", 8, "truth", lpips=[0.2, 0.6, 1.0])
    still = [made("copy", 1, "truth", motion=m, lpips=[0.1] * 3) for m in ("own", "absolute")]
    (gap,) = gaps([own, absolute, alone, *still])
    assert gap.row is absolute and set(gap.differences) == {"lpips", "csim"}
    one = gap.differences["lpips"]
    np.testing.assert_allclose([one.value, one.low, one.high], 0.1)
    assert gap.differences["csim"].value == pytest.approx(-0.1)


def test_rows_of_one_name_are_told_apart_by_their_files(tmp_path: Path):
    files = []
    for checkpoint, name in (("a", "self-ft-T8-0123456789ab"), ("b", "self-ft-T8-ba9876543210")):
        one = made("ft", 8, ssim=[0.5, 0.5])
        one.row["checkpoint"] = 64 * checkpoint
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps({"format": FORMAT, **asdict(one)}))
    said = report(files, "headmime report")
    assert f"| {FT} (012345) |" in said and f"| {FT} (ba9876) |" in said
    assert f"- {FT} (ba9876): `headmime eval method=ft`, seed 0, weights bbbbbbbbbbbb" in said
    assert f"| {FT} |" in report(files[:1], "headmime report")


def test_the_page_has_both_sections_only_where_rows_say_something(tmp_path: Path):
    def page(*results: Result) -> str:
        files = []
        for n, one in enumerate(results):
            files.append(tmp_path / f"{n}.json")
            files[-1].write_text(json.dumps({"format": FORMAT, **asdict(one)}))
        return report(files, "headmime report")

    ft = made("ft", 1, "truth", lpips=[0.2, 0.4])
    own = made("ft", 1, "truth", motion="own", lpips=[0.1, 0.3])
    said = page(ft, own, made("ft", 1, "cross", nearer=[1, 1]))
    assert (
        "real-report, absolute minus own: FT (fine-tuned), T = 1 | 0.100 [0.100, 0.100] |" in said
    )
    assert (
        "| real-report: cross-reenactment of other people, absolute motion | FT (fine-tuned), "
        "T = 1: `nearer` at least 0.90 | 1.00 [1.00, 1.00], 2 persons | **reached** |"
    ) in said
    assert said.index("## Goals") < said.index("## Identity gap") < said.index("## real-report")
    said = page(made("ft", 1, "truth", lpips=[0.2, 0.4]))
    assert "## Goals" not in said and "## Identity gap" not in said
