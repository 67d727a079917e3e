"""A row: what copies, ceilings and shufflers of people must score, and what is kept."""

from dataclasses import replace

import numpy as np
import pytest

from headmime.data.protocol import sample_cases
from headmime.errors import HeadmimeError
from headmime.evaluation.baselines import copy_first, copy_nearest, mean_frame
from headmime.evaluation.evaluate import Gallery, evaluate
from headmime.evaluation.results import summarise
from headmime.evaluation.trials import cross_trials, portrait_trials, self_trials


def summary(context, adapt, T=8, key="key"):
    row = evaluate(context, adapt, T, key)
    return summarise({}, row, context.scorers.origin, True, 0)


def values(result):
    return {name: one["value"] for name, one in result.metrics.items()}


def test_copying_a_static_clip_is_perfect(context, static_store):
    cases = sample_cases(static_store, split="test", held_out=12, sources=8).cases
    still = replace(context, store=static_store, trials=self_trials(static_store, cases))
    got = values(summary(still, copy_first, T=1))
    assert got["ssim"] == pytest.approx(1)
    assert got["csim"] == pytest.approx(1)
    assert (got["lpips"], got["id_rank1"]) == (0, 1)
    assert got["fid"] == pytest.approx(0, abs=1e-6)
    assert got["akd"] == pytest.approx(0, abs=1e-6)
    assert got["sharpness"] == pytest.approx(1)
    assert "mouth_correlation" not in got  # nobody moves


def test_the_ceiling_is_the_truth(context):
    got = values(summary(context, None))
    for name in ("ssim", "csim", "id_rank1", "found", "mouth_correlation", "turn_correlation"):
        assert got[name] == pytest.approx(1), name
    for name in ("lpips", "akd", "apd"):
        assert got[name] == pytest.approx(0, abs=1e-6), name
    assert got["fid"] == pytest.approx(0, abs=1e-4)


def test_the_nearest_frame_beats_the_first_and_the_mean(context):
    nearest = values(summary(context, copy_nearest, key="nearest"))
    for other in (copy_first, mean_frame):
        assert nearest["ssim"] > values(summary(context, other, key=other.__name__))["ssim"]


def test_an_animator_of_shuffled_people_falls_to_chance(context):
    """Everybody looks like somebody drawn at random, the right person included."""
    gallery = {trial.person: trial.gallery for trial in context.trials}
    frames = [np.stack([context.store.frame(*ref) for ref in refs]) for refs in gallery.values()]
    rng = np.random.default_rng(0)

    def shuffled(_frames, landmarks):
        return lambda asked: np.stack([frames[k][0] for k in rng.integers(6, size=len(asked))])

    assert values(summary(context, copy_first, key="copy"))["id_rank1"] == 1
    assert values(summary(context, shuffled, key="shuffled"))["id_rank1"] == pytest.approx(
        1 / 6, abs=0.12
    )


def test_a_row_that_stopped_goes_on_where_it_was(context):
    asked = []

    def adapt(frames, landmarks):
        asked.append(len(frames))
        if len(asked) == 4:
            raise KeyboardInterrupt
        return copy_nearest(frames, landmarks)

    with pytest.raises(KeyboardInterrupt):
        evaluate(context, adapt, 8, "key")
    resumed = evaluate(context, adapt, 8, "key")
    assert asked == [8] * 7  # four, and the three that were left
    whole = evaluate(context, adapt, 8, "another key")
    assert len(asked) == 13
    for one, other in zip(resumed.scores, whole.scores, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_animators_see_the_first_T_sources_and_no_truth(context):
    seen = []

    def adapt(frames, landmarks):
        seen.append(landmarks)
        return copy_first(frames, landmarks)

    for T in (1, 8):
        evaluate(context, adapt, T, "key")
    for one, eight in zip(seen[:6], seen[6:], strict=True):
        assert (len(one), len(eight)) == (1, 8)
        np.testing.assert_array_equal(one[0], eight[0])


def test_real_frames_are_looked_at_once_for_all_rows(context):
    identity = context.scorers.identity
    evaluate(context, copy_first, 1, "copy")
    first = identity.seen
    evaluate(context, copy_first, 8, "copy")
    assert identity.seen == first  # the copies are the same frames, too
    assert first == 6 * (8 + 12 + 1)


def test_cross_rows_ask_whom_the_output_resembles(context, store):
    cases = sample_cases(store, split="test", held_out=12, sources=8).cases
    trials = cross_trials(store, cases, drivers=2)
    assert len(trials) == 12
    assert all(trial.driver != trial.person for trial in trials)
    assert sorted(trial.driver for trial in trials) == sorted(2 * list(Gallery(context).persons))
    cross = replace(context, trials=trials)
    got = values(summary(cross, copy_first))
    assert (got["nearer"], got["id_rank1"]) == (1, 1)
    assert not {"ssim", "csim", "lpips", "fid"} & set(got)  # there is no truth

    def driver_s_face(frames, landmarks):
        """Always the last person: right only where that is the source or the driver is not."""
        return copy_first(np.stack([store.frame(store.n - 1, 0)]), landmarks)

    last = values(summary(cross, driver_s_face, key="last"))
    assert last["id_rank1"] == pytest.approx(1 / 6)
    assert last["nearer"] < 0.7


def test_single_pictures_are_driven_in_turn_by_other_people(context, store):
    cases = sample_cases(store, split="test", held_out=12, sources=8).cases
    trials = portrait_trials(store, [1, 2, 3], cases, drivers=4)
    assert [trial.person for trial in trials] == ["person-1"] * 4 + ["person-2"] * 4 + [
        "person-3"
    ] * 4
    assert all(trial.driver != trial.person for trial in trials)
    drives = [sum(trial.driver == f"person-{n}" for trial in trials) for n in range(6)]
    assert max(drives) <= 3 and min(drives) >= 1
    assert {trial.gallery for trial in trials} == {((2 * n, 0),) for n in (1, 2, 3)}
    got = values(summary(replace(context, trials=trials), copy_first, T=1))
    assert (got["nearer"], got["id_rank1"]) == (1, 1)
    with pytest.raises(HeadmimeError, match="5 videos of other people to drive person-1, fewer"):
        portrait_trials(store, [1], cases, drivers=6)


def test_relative_motion_keeps_the_source_s_place(context):
    asked = []

    def adapt(frames, landmarks):
        def animator(points):
            asked.append(points)
            return np.repeat(frames[:1], len(points), 0)

        return animator

    evaluate(replace(context, motion="relative"), adapt, 1, "relative")
    assert all(np.isfinite(points).all() for points in asked)
