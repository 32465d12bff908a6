"""Statistics: every interval covers, every comparison errs as rarely as it says, and the order of runs says nothing.

Simulated claims use fixed seeds. `beyond` gives the false-alarm rate: 1e-6 per claim, two-sided, by the normal limit of
the binomial (z = 4.89); the claims here are about 40, so 4e-5 for the whole file with fresh seeds.
"""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.aggregate import iqm, iqm_interval, performance_profile
from rlsoftmax.stats.best import pairwise, set_of_best
from rlsoftmax.stats.compare import compare
from rlsoftmax.stats.distribution import distribution
from rlsoftmax.stats.evidence import holm, permutation_test
from rlsoftmax.stats.improvement import paired_improvement, probability_of_improvement
from rlsoftmax.stats.intervals import band, interval
from rlsoftmax.stats.power import detectable_effect, power_of, runs_needed
from rlsoftmax.stats.resampling import counts, generator
from rlsoftmax.stats.selection import selection_uncertainty, two_stage
from rlsoftmax.stats.sensitivity import sensitivity
from rlsoftmax.stats.tolerance import tolerance_interval

NAN = math.nan
Z = 4.89  # 1e-6 two-sided


def beyond(hits: int, trials: int, rate: float) -> float:
    """Return by how many standard errors a frequency lies above the rate."""
    return (hits - trials * rate) / math.sqrt(trials * rate * (1.0 - rate))


def rng_of(number: int) -> np.random.Generator:
    return np.random.default_rng([20_260_101, number])


# --- intervals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [3, 5, 30])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_students_interval_covers_the_mean_of_normal_runs_as_often_as_it_says(n: int, level: float) -> None:
    """Exact coverage; 4000 samples also notice a coverage off by 2.5 points at 0.95 (miss under 1e-3)."""
    samples = rng_of(n).normal(1.0, 2.0, (4000, n))
    covered = sum(1.0 in interval(sample, level=level) for sample in samples)
    assert abs(beyond(covered, 4000, level)) < Z


@pytest.mark.parametrize(
    ("method", "n", "low", "high"),
    [  # coverage of 95 % intervals for exponential runs (skewness 2), in shares; measured ranges
        ("t", 10, 0.88, 0.92),
        ("studentised", 10, 0.93, 0.98),
        ("percentile", 5, 0.72, 0.82),  # the peers' default, kept honest by its name
        ("bca", 10, 0.85, 0.92),
    ],
)
def test_the_bootstraps_cover_skewed_runs_as_the_documentation_says(
    method: str, n: int, low: float, high: float
) -> None:
    """600 samples; a coverage at the edge of its range alarms by chance with less than 1e-3 (z > 3)."""
    samples = rng_of(10 * n + len(method)).exponential(1.0, (600, n))
    covered = np.mean([1.0 in interval(sample, method) for sample in samples])
    assert low < covered < high


def test_students_interval_is_scipys() -> None:
    sample = rng_of(1).normal(size=17)
    for level in (0.8, 0.95, 0.999):
        expected = scipy.stats.ttest_1samp(sample, 0.0).confidence_interval(level)
        ours = interval(sample, level=level)
        np.testing.assert_allclose([ours.low, ours.high], [expected.low, expected.high], rtol=1e-12)
        assert (ours.n, ours.level, ours.method, ours.dropped) == (17, level, "t", 0)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_the_plain_bootstraps_are_scipys(method: str) -> None:
    sample = np.sort(rng_of(2).normal(size=30))
    name = {"bca": "BCa"}.get(method, method)
    expected = scipy.stats.bootstrap((sample,), np.mean, method=name, rng=np.random.default_rng(5)).confidence_interval
    ours = interval(sample, method)  # other resamples: Monte Carlo error of a 2.5 % quantile, 5 standard errors
    np.testing.assert_allclose([ours.low, ours.high], [expected.low, expected.high], atol=0.03)


def test_the_studentised_interval_is_the_textbooks() -> None:
    """A plain loop over the same resamples (Efron and Tibshirani 1993, section 12.5)."""
    sample = np.sort(rng_of(3).exponential(size=8))
    rng, t = generator(), []
    for _ in range(9999):
        again = sample[rng.integers(0, 8, 8)]
        if np.ptp(again) > 0.0:
            t.append((again.mean() - sample.mean()) / (again.std(ddof=1) / math.sqrt(8)))
    error = sample.std(ddof=1) / math.sqrt(8)
    ours = interval(sample, "studentised")
    np.testing.assert_allclose(ours.low, sample.mean() - np.quantile(t, 0.975) * error, rtol=1e-9)
    np.testing.assert_allclose(ours.high, sample.mean() - np.quantile(t, 0.025) * error, rtol=1e-9)


@pytest.mark.parametrize("method", ["t", "studentised", "bca", "percentile"])
def test_equal_scores_have_an_interval_of_no_width(method: str) -> None:
    one = interval([0.1, 0.1, 0.1, 0.1], method)
    assert (one.low, one.mean, one.high) == (0.1, 0.1, 0.1)


def test_scores_that_are_missing_are_dropped_and_counted() -> None:
    assert interval([1.0, NAN, 2.0, 4.0, NAN]).dropped == 2
    assert interval([1.0, NAN, 2.0, 4.0]) == interval([1.0, 2.0, 4.0, NAN])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: interval([1.0, 2.0]), "at least 3 runs with a number, got 2"),
        (lambda: interval([1.0, 2.0, NAN]), "got 2"),
        (lambda: interval([]), "got 0"),
        (lambda: interval([1.0, 2.0, math.inf]), "finite"),
        (lambda: interval([[1.0, 2.0, 3.0]]), "one number per run"),
        (lambda: interval([1.0, 2.0, 3.0], "bootstrap"), "method"),
        (lambda: interval([1.0, 2.0, 3.0], "studentized"), "Did you mean 'studentised'"),
        (lambda: interval([1.0, 2.0, 3.0], level=95), "level must be > 0 and < 1, got 95"),
        (lambda: interval(([0, 1, 1], [1.0, 2.0, 3.0])), "run 1 twice"),
        (lambda: interval(([0, 1], [1.0, 2.0, 3.0])), "one run number per score"),
        (lambda: compare([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]), "paired=False for independent runs"),
        (lambda: compare(([0, 1, 2], [1.0] * 3), ([2, 3, 4], [1.0] * 3)), "at least 3"),
        (lambda: compare([1.0, 2.0], [1.0, 2.0, 3.0], paired=False), "at least 3"),
        (lambda: permutation_test([1.0, 2.0], [1.0, 2.0]), "at least 3"),
        (lambda: holm([0.5, 1.5]), "probabilities"),
        (lambda: set_of_best([[1.0, 2.0, 3.0], [1.0, NAN, 2.0]]), r"scores\[1\]"),
        (lambda: set_of_best([]), "at least one cell"),
        (lambda: iqm([]), "at least one environment"),
        (lambda: iqm([[1.0, 2.0, 3.0], [1.0]]), r"scores\[1\]"),
        (lambda: performance_profile([1.0, 2.0, 3.0], [[1.0]]), "thresholds"),
        (lambda: probability_of_improvement([[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]] * 2), "same environments"),
        (lambda: tolerance_interval(range(45)), "at least 46 runs"),
        (lambda: tolerance_interval(range(45), share=90), "share"),
        (lambda: runs_needed(0.0, 1.0), "effect"),
        (lambda: runs_needed(0.1, 0.0), "deviation"),
        (lambda: runs_needed(0.1, 1.0, power=80), "power"),
        (lambda: detectable_effect(2, 1.0), "runs"),
        (lambda: sensitivity([1.0, 1.0], [[1.0, 2.0, 3.0]] * 2), "2 different positive"),
        (lambda: sensitivity([0.0, 1.0, math.inf], [[1.0, 2.0, 3.0]] * 3), "2 different positive"),
        (lambda: sensitivity([1.0], [[1.0, 2.0, 3.0]] * 3), "one per row"),
        (lambda: two_stage([[1.0] * 6], choose=0), "choose"),
        (lambda: two_stage([[1.0] * 6], choose=4), "fresh runs of"),
        (lambda: selection_uncertainty([[1.0, 2.0, NAN], [1.0, 2.0, 3.0]]), "together"),
        (lambda: distribution([1.0, 2.0]), "at least 3"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(ask: Callable[[], Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_a_band_is_the_interval_of_every_bin() -> None:
    curve = rng_of(4).normal(size=(12, 5))
    curve[3:, 2], curve[:, 3], curve[2, 4] = NAN, NAN, NAN
    ours = band(curve, level=0.9)
    assert ours.n.tolist() == [12, 12, 3, 0, 11]
    for at in (0, 1, 2, 4):
        one = interval(curve[:, at], level=0.9)
        np.testing.assert_allclose([ours.mean[at], ours.low[at], ours.high[at]], [one.mean, one.low, one.high])
    assert np.isnan([ours.mean[3], ours.low[3], ours.high[3]]).all()
    few = band(curve[:2])
    assert np.isnan(few.low).all()
    assert few.mean[0] == curve[:2, 0].mean()


# --- comparisons ---------------------------------------------------------------------------------------------------


def test_comparisons_are_scipys() -> None:
    a, b = rng_of(5).normal(size=(2, 14))
    b += 0.8 * a
    for ours, theirs in [
        (compare(a, b), scipy.stats.ttest_rel(a, b)),
        (compare(a, b[:9], paired=False), scipy.stats.ttest_ind(a, b[:9], equal_var=False)),
    ]:
        expected = theirs.confidence_interval(0.95)
        np.testing.assert_allclose([ours.low, ours.high, ours.p], [expected.low, expected.high, theirs.pvalue])
    assert compare(a, b[:9], paired=False).n == 9


def test_only_runs_of_both_are_paired() -> None:
    a, b = ([5, 1, 2, 3, 9], [50.0, 10.0, NAN, 31.0, 90.5]), ([1, 2, 3, 5, 7, 9], [9.0, 9.0, 29.0, 47.0, 0.0, 86.5])
    ours = compare(a, b)
    assert (ours.n, ours.dropped, ours.difference) == (4, 2, 2.5)
    np.testing.assert_allclose(ours.difference, np.mean([50 - 47, 10 - 9, 31 - 29, 90.5 - 86.5]))
    by_hand = 1.0 - np.var([3, 1, 2, 4], ddof=1) / sum(
        np.var(x, ddof=1) for x in ([50, 10, 31, 90.5], [47, 9, 29, 86.5])
    )
    np.testing.assert_allclose(ours.pairing_saved, by_hand)


def test_what_pairing_saved_is_the_share_of_variance() -> None:
    """Differences of N(0,1) scores with correlation r have 1 - r of the variance: standard error 0.003 here."""
    luck, a, b = rng_of(6).normal(size=(3, 20_000))
    for r in (0.9, 0.0, -0.5):
        x = math.sqrt(abs(r)) * luck + math.sqrt(1 - abs(r)) * a
        y = math.copysign(math.sqrt(abs(r)), r) * luck + math.sqrt(1 - abs(r)) * b
        assert abs(compare(x, y).pairing_saved - r) < 0.03
    assert math.isnan(compare(a, b, paired=False).pairing_saved)


def test_cells_that_differ_by_a_constant_or_not_at_all() -> None:
    a = np.array([0.5, 1.0, 4.0])
    same, other = compare(a, a), compare(a + 1.0, a)
    assert (same.difference, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    assert (other.difference, other.low, other.high, other.p) == (1.0, 1.0, 1.0, 0.0)
    assert compare([1.0] * 3, [1.0] * 4, paired=False).p == 1.0
    assert math.isnan(compare([1.0] * 3, [1.0] * 3).pairing_saved)


@pytest.mark.parametrize("paired", [True, False])
def test_equal_cells_are_called_different_as_rarely_as_stated(paired: bool) -> None:
    """4000 studies of 8 runs: 5 % false alarms of the interval and of p alike; Welch with other spreads, to 1 point."""
    rng, trials, alarms, outside = rng_of(7), 4000, 0, 0
    for _ in range(trials):
        luck = rng.normal(size=8)
        a, b = luck + rng.normal(size=8), (luck if paired else 0.0) + 2.0 * rng.normal(size=8)
        found = compare(a, b, paired=paired)
        alarms += found.p < 0.05
        outside += not found.low <= 0.0 <= found.high
    assert alarms == outside
    slack = 0.0 if paired else 0.01
    assert beyond(alarms, trials, 0.05 + slack) < Z
    assert beyond(alarms, trials, 0.05 - slack) > -Z


def test_the_permutation_test_counts_all_sign_flips_and_all_splits() -> None:
    a, b = np.array([1.0, 2.5, 3.0, 4.5]), np.array([0.5, 2.75, 2.0, 1.0])
    flips = [np.mean((a - b) * signs) for signs in itertools.product((1, -1), repeat=4)]
    assert permutation_test(a, b) == np.mean(np.abs(flips) >= abs(np.mean(a - b)) - 1e-12)
    pool, splits = np.concatenate([a, b]), []
    for chosen in itertools.combinations(range(8), 4):
        rest = [i for i in range(8) if i not in chosen]
        splits.append(pool[list(chosen)].mean() - pool[rest].mean())
    assert permutation_test(a, b, paired=False) == np.mean(np.abs(splits) >= abs(a.mean() - b.mean()) - 1e-12)


def test_the_permutation_test_keeps_its_level_for_skewed_runs() -> None:
    """Exact under symmetry of differences: at most 5 % of 400 studies, exponential runs of 12 (false alarm 1e-6)."""
    rng = rng_of(8)
    alarms = sum(permutation_test(*rng.exponential(size=(2, 12))) < 0.05 for _ in range(400))
    assert beyond(alarms, 400, 0.05) < Z
    assert permutation_test(np.arange(12.0) + 3.0, np.zeros(12)) < 0.001


def test_holm_is_the_textbooks() -> None:
    np.testing.assert_allclose(holm([0.01, 0.02, 0.03, 0.005]), [0.03, 0.04, 0.04, 0.02])
    np.testing.assert_array_equal(holm([0.9, 0.8]), [1.0, 1.0])
    assert holm([]).shape == (0,)


@given(p=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_rejects_what_the_step_down_procedure_rejects(p: list[float]) -> None:
    corrected, level, rejected = holm(p), 0.05, set[int]()
    for step, at in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if not p[at] * (len(p) - step) <= level:
            break
        rejected.add(at)
    assert set(np.flatnonzero(corrected <= level).tolist()) == rejected
    assert np.all(corrected >= np.asarray(p))


def test_holm_holds_the_error_of_the_whole_family() -> None:
    """8 cells equal to one control, 1500 studies: any false alarm in at most 5 % of them; without Holm in over 15 %."""
    rng, any_holm, any_raw, trials = rng_of(9), 0, 0, 1500
    for _ in range(trials):
        control, *others = rng.normal(size=(9, 10))
        p = [compare(other, control).p for other in others]
        any_holm += min(holm(p)) < 0.05
        any_raw += min(p) < 0.05
    assert beyond(any_holm, trials, 0.05) < Z
    assert any_raw > 0.15 * trials


# --- the set of best -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [0.0, 0.9])
@pytest.mark.parametrize("cells", [2, 10])
def test_the_truly_best_cell_is_kept(cells: int, shared: float) -> None:
    """Least favourable: all equal. Cell 0 is lost in at most 5 % of 1500 studies of 6 runs (false alarm 1e-6)."""
    rng, lost, trials = rng_of(10 + cells), 0, 1500
    for _ in range(trials):
        luck, own = rng.normal(size=6), rng.normal(size=(cells, 6))
        lost += not set_of_best(math.sqrt(shared) * luck + math.sqrt(1 - shared) * own).members[0]
    assert beyond(lost, trials, 0.05) < Z
    assert lost > 0.005 * trials  # it screens, it does not keep everything


def test_screening_compares_with_every_cell_and_not_only_with_the_best_mean() -> None:
    """A noisy best proves nothing against cell 2, but the quiet cell 1 does (Nelson et al. 2001, section 3)."""
    rng = rng_of(11)
    quiet = rng.normal(size=20) * 0.01
    noisy = 1.05 + 50.0 * (quiet - quiet.mean()) + rng.normal(size=20)
    scores = np.array([noisy - noisy.mean() + 1.05, 1.0 + quiet, 0.9 + quiet])
    assert set_of_best(scores[[0, 2]]).members.tolist() == [True, True]
    assert set_of_best(scores).members.tolist() == [True, True, False]


def test_pairing_screens_what_independent_runs_could_not() -> None:
    luck = 10.0 * rng_of(12).normal(size=50)
    scores = luck + np.array([[0.5], [0.0]]) + 0.1 * rng_of(13).normal(size=(2, 50))
    assert set_of_best(scores).members.tolist() == [True, False]
    shuffled = np.array([scores[0], rng_of(14).permutation(scores[1])])
    assert set_of_best(shuffled).members.all()


def by_hand(rows: Sequence[tuple[Sequence[int], Sequence[float]]], level: float = 0.95) -> list[bool]:
    """The definition, pair by pair."""
    tables = [dict(zip(runs, scores, strict=True)) for runs, scores in rows]
    kept = []
    for mine in tables:
        good = True
        for other in tables:
            d = np.array([mine[r] - other[r] for r in mine if r in other])
            d = d[~np.isnan(d)]
            if other is mine or len(d) < 3:
                continue
            t = scipy.stats.t.ppf(1 - (1 - level) / (len(tables) - 1), len(d) - 1)
            good &= bool(d.mean() >= -t * d.std(ddof=1) / math.sqrt(len(d)) - 1e-9)
        kept.append(good)
    return kept


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_set_is_its_definition_with_runs_missing_anywhere(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = []
    for number in range(data.draw(st.integers(2, 5))):
        runs = rng.choice(12, size=rng.integers(4, 12), replace=False)
        scores = rng.normal(size=len(runs)) + 0.7 * number
        scores[rng.random(len(runs)) < 0.1] = NAN
        if np.count_nonzero(~np.isnan(scores)) < 3:
            scores = np.arange(len(runs), dtype=float)
        rows.append((runs.tolist(), scores.tolist()))
    found = set_of_best(rows)
    assert found.members.tolist() == by_hand(rows)
    assert found.members[found.best] or not found.members.any()


def test_the_set_says_how_far_behind_the_best_each_cell_is() -> None:
    a, b, c = rng_of(15).normal(size=(3, 9)) + np.array([[1.0], [0.0], [-2.0]])
    found = set_of_best([a, b, c], level=0.9)
    assert found.best == 0
    assert (found.behind[0].mean, found.behind[0].low, found.behind[0].high) == (0.0, 0.0, 0.0)
    shared = set_of_best([a, (range(6, 15), b), (range(7, 16), c)])
    assert [one.n for one in shared.behind] == [9, 3, 2]
    assert [math.isnan(one.low) for one in shared.behind] == [False, False, True]
    for one, row in zip(found.behind[1:], (b, c), strict=True):
        expected = compare(row, a, level=0.9)
        np.testing.assert_allclose(
            [one.mean, one.low, one.high, one.n], [expected.difference, expected.low, expected.high, 9]
        )


def test_equal_cells_and_lone_cells_are_all_best() -> None:
    row = rng_of(16).normal(size=1000) * 1e3
    for count in (1, 2, 7, 33):
        assert set_of_best(np.tile(row, (count, 1))).members.all()
    apart = set_of_best(np.array([row, row - 1e-3]))  # a constant difference is no noise
    assert apart.members.tolist() == [True, False]


def test_more_runs_of_one_cell_do_not_make_it_the_best() -> None:
    """Fresh runs of a chosen cell were luckier: only shared runs decide which mean is the highest."""
    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.1, 2.1, 3.2])
    assert set_of_best([(range(6), [*a, 9.0, 9.0, 9.0]), (range(3), b)]).best == 1


def test_the_pairs_are_those_of_a_loop() -> None:
    values = rng_of(17).normal(size=(4, 30)) + 1e6
    values[rng_of(18).random((4, 30)) < 0.2] = NAN
    difference, error, n = pairwise(values)
    for i, j in itertools.product(range(4), repeat=2):
        d = values[i] - values[j]
        d = d[~np.isnan(d)]
        np.testing.assert_allclose(difference[i, j], d.mean(), atol=1e-9)
        np.testing.assert_allclose(error[i, j], d.std(ddof=1) / math.sqrt(len(d)), atol=1e-7)
        assert n[i, j] == len(d)


# --- many environments ---------------------------------------------------------------------------------------------


def test_the_iqm_is_scipys_trimmed_mean() -> None:
    rows = rng_of(19).normal(size=(5, 13))
    np.testing.assert_allclose(iqm(rows), scipy.stats.trim_mean(rows, 0.25, axis=None))
    assert iqm([[1.0, 2.0, 3.0, NAN], [4.0, 5.0, 6.0, 7.0, 8.0]]) == np.mean([3, 4, 5, 6])


def test_the_stratified_bootstrap_is_a_loop_over_the_same_resamples() -> None:
    """rliable's definition, one replicate after the other."""
    rows = [np.sort(row) for row in rng_of(20).exponential(size=(3, 7))]
    rng = generator()
    drawn = [row[rng.integers(0, 7, (400, 7))] for row in rows]
    replicates = [scipy.stats.trim_mean([each[b] for each in drawn], 0.25, axis=None) for b in range(400)]
    ours = iqm_interval(rows, resamples=400)
    np.testing.assert_allclose([ours.low, ours.high], np.quantile(replicates, [0.025, 0.975]))
    assert (ours.n, ours.method) == (21, "stratified bootstrap")


def test_the_iqm_interval_covers() -> None:
    """400 studies of 4 environments x 15 uniform runs: 95 % to within 4 points (false alarm of each end below 1e-3)."""
    rng = rng_of(21)
    covered = sum(0.5 in iqm_interval(rng.random((4, 15)), resamples=600) for _ in range(400))
    assert 0.91 * 400 < covered < 0.985 * 400


def test_the_profile_is_the_share_above_each_threshold() -> None:
    rows = [[0.0, 1.0, 2.0, 3.0], [1.0, 1.0, 5.0]]
    found = performance_profile(rows, [-1.0, 1.0, 4.0, 9.0])
    np.testing.assert_allclose(found.share, [1.0, (1 / 2 + 1 / 3) / 2, (0 + 1 / 3) / 2, 0.0])
    assert np.all((found.low <= found.share) & (found.share <= found.high))
    rng = generator()
    drawn = [np.sort(row)[rng.integers(0, len(row), (2000, len(row)))] for row in rows]
    replicates = np.mean([np.mean(each > 1.0, axis=1) for each in drawn], axis=0)
    np.testing.assert_allclose([found.low[1], found.high[1]], np.quantile(replicates, [0.025, 0.975]))


def test_improvement_is_mann_and_whitneys_u() -> None:
    x, y = rng_of(22).integers(0, 5, size=(2, 12)).astype(float)
    expected = scipy.stats.mannwhitneyu(x, y[:9]).statistic / (12 * 9)
    np.testing.assert_allclose(probability_of_improvement(x, y[:9]).mean, expected)
    two = probability_of_improvement([x, x], [y[:9], x])
    np.testing.assert_allclose(two.mean, (expected + 0.5) / 2)


def test_the_improvement_bootstrap_is_a_loop_over_the_same_resamples() -> None:
    x, y = np.sort(rng_of(23).normal(size=(2, 8)), axis=1)
    rng = generator()
    a, b = x[rng.integers(0, 8, (300, 8))], y[rng.integers(0, 8, (300, 8))]
    replicates = [scipy.stats.mannwhitneyu(u, v).statistic / 64 for u, v in zip(a, b, strict=True)]
    ours = probability_of_improvement(x, y, resamples=300)
    np.testing.assert_allclose([ours.low, ours.high], np.quantile(replicates, [0.025, 0.975]))


def test_the_intervals_of_improvement_and_profiles_cover() -> None:
    """400 studies of 20 normal runs: 95 % to within 5 points (each end by chance with less than 1e-3)."""
    rng, trials, hits = rng_of(32), 400, np.zeros(3)
    truth = scipy.stats.norm.cdf(1.0 / math.sqrt(2.0))
    for _ in range(trials):
        x, y = rng.normal(size=(2, 20)) + np.array([[1.0], [0.0]])
        profile = performance_profile(x, [1.5], resamples=400)
        hits += [
            truth in probability_of_improvement(x, y, resamples=400),
            truth in paired_improvement(x, y),
            profile.low[0] <= scipy.stats.norm.sf(0.5) <= profile.high[0],
        ]
    assert np.all((hits > 0.90 * trials) & (hits < 0.99 * trials)), hits / trials


def test_paired_improvement_is_wilsons_interval() -> None:
    ours = paired_improvement([1.0, 2.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 2.0])
    expected = scipy.stats.binomtest(3, 5).proportion_ci(method="wilson")
    np.testing.assert_allclose([ours.low, ours.high], [expected.low, expected.high])
    assert paired_improvement([1.0] * 4, [1.0] * 4).mean == 0.5


# --- one run, and how many -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "level", "least"), [(0.9, 0.95, 46), (0.95, 0.95, 93), (0.99, 0.95, 473), (0.5, 0.5, 3)]
)
def test_the_range_is_a_tolerance_interval_from_the_published_number_of_runs_on(
    share: float, level: float, least: int
) -> None:
    """Wilks (1941): n * share^(n - 1) - (n - 1) * share^n <= 1 - level."""
    assert least * share ** (least - 1) - (least - 1) * share**least <= 1 - level
    found = tolerance_interval(range(least), share, level)
    assert (found.low, found.high) == (0.0, least - 1.0)
    with pytest.raises(ArgumentError, match=f"at least {least} runs"):
        tolerance_interval(range(least - 1), share, level)


def test_tolerance_intervals_hold_their_share_as_often_as_they_say() -> None:
    """2000 studies of 100 exponential runs: 90 % of all runs inside with confidence 95 % or more (false alarm 1e-6)."""
    rng, held = rng_of(24), 0
    for _ in range(2000):
        found = tolerance_interval(rng.exponential(size=100))
        held += math.exp(-found.low) - math.exp(-found.high) >= 0.9
    assert beyond(held, 2000, 0.95) > -Z
    assert held < 0.995 * 2000  # no wider than needed


@pytest.mark.parametrize(
    ("effect", "paired", "runs"),
    [(0.2, True, 199), (0.5, True, 34), (0.8, True, 15), (0.2, False, 394), (0.5, False, 64), (0.8, False, 26)],
)
def test_runs_needed_are_those_of_cohens_tables(effect: float, paired: bool, runs: int) -> None:
    """Cohen (1988), alpha = .05 two-sided, power .80 (as printed by G*Power)."""
    assert runs_needed(effect, 1.0, paired=paired) == runs
    assert runs_needed(-3 * effect, 3.0, paired=paired) == runs


@pytest.mark.parametrize(("runs", "paired", "freedom", "share"), [(5, True, 4, 1.0), (5, False, 8, 0.5)])
def test_power_is_that_of_the_noncentral_t_distribution(runs: int, paired: bool, freedom: int, share: float) -> None:
    edge, shift = scipy.stats.t.ppf(0.975, freedom), 0.4 * math.sqrt(runs * share)
    expected = scipy.stats.nct.sf(edge, freedom, shift) + scipy.stats.nct.cdf(-edge, freedom, shift)
    assert math.isclose(power_of(0.8, 2.0, runs, paired=paired), expected, rel_tol=1e-9)


def test_the_detectable_effect_is_the_inverse_of_runs_needed() -> None:
    for runs, paired in itertools.product((3, 10, 100, 5000), (True, False)):
        effect = detectable_effect(runs, 2.0, paired=paired)
        assert math.isclose(power_of(effect, 2.0, runs, paired=paired), 0.8, rel_tol=1e-9)
        assert runs_needed(effect * 1.0001, 2.0, paired=paired) <= runs


def test_power_is_how_often_a_comparison_finds_the_effect() -> None:
    """2000 studies of 12 pairs with an effect of 0.9 deviations (false alarm 1e-6)."""
    differences = rng_of(25).normal(0.9, 1.0, (2000, 12))
    found = sum(compare(d, np.zeros(12)).p < 0.05 for d in differences)
    assert abs(beyond(found, 2000, power_of(0.9, 1.0, 12))) < Z


def test_power_has_no_step_where_the_normal_limit_takes_over() -> None:
    assert abs(power_of(0.08, 1.0, 1001) - power_of(0.08, 1.0, 1002)) < 2e-3


def test_the_width_of_a_sensitivity_curve_is_measured_in_octaves() -> None:
    """A tent on the log axis: 10 at tau = 1, falling by 1 per octave on both sides."""
    tau = np.exp2(np.arange(-4, 5))
    means = 10.0 - np.abs(np.log2(tau))
    rows = means[:, None] + np.array([-1.0, 0.0, 1.0])
    found = sensitivity(tau, rows, share=0.15)
    assert (found.best, found.width) == (1.0, 3.0)
    np.testing.assert_allclose([found.low, found.high], [2**-1.5, 2**1.5])
    np.testing.assert_allclose(found.area.mean, 8.0)
    order = np.array([3, 1, 0, 2, 8, 7, 6, 5, 4])
    assert sensitivity(tau[order], rows[order], share=0.15) == found
    with_ends = sensitivity([0.0, *tau, math.inf], [rows[0] * 0, *rows, rows[0] * 0], share=0.15)
    assert with_ends == found


def test_the_area_is_an_interval_over_runs() -> None:
    rows = rng_of(26).normal(size=(4, 9))
    found = sensitivity([1.0, 2.0, 4.0, 8.0], rows)
    per_run = [(r[0] / 2 + r[1] + r[2] + r[3] / 2) / 3 for r in rows.T]
    expected = interval(per_run)
    np.testing.assert_allclose([found.area.low, found.area.high], [expected.low, expected.high])


def test_a_curve_at_the_edge_is_as_wide_as_it_was_swept() -> None:
    flat = sensitivity([1.0, 2.0, 4.0], [[1.0, 1.0, 1.0]] * 3)
    assert (flat.low, flat.high, flat.width) == (1.0, 4.0, 2.0)


# --- choosing ------------------------------------------------------------------------------------------------------


def test_selection_uncertainty_is_a_loop_over_the_same_resamples() -> None:
    rows = rng_of(27).normal(size=(4, 10))
    rows = rows[:, np.lexsort(rows)]
    wins = np.zeros(4)
    for drawn in counts(10, 500, generator()):
        wins[np.argmax(rows @ drawn)] += 1
    np.testing.assert_allclose(selection_uncertainty(rows, resamples=500), wins / 500)


def test_a_cell_that_always_loses_never_wins_and_equal_cells_share() -> None:
    a = rng_of(28).normal(size=20)
    shares = selection_uncertainty([a, a - 1.0, a, (range(1, 20), a[1:])])
    np.testing.assert_allclose(shares, [1 / 3, 0.0, 1 / 3, 1 / 3])


def test_cells_that_tie_in_a_resample_share_it() -> None:
    """Whole numbers tie exactly; by symmetry each of the two wins half, to Monte Carlo error (5 standard errors)."""
    shares = selection_uncertainty([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0], [-1.0, -1.0, -1.0]])
    assert shares.sum() == 1.0
    assert abs(shares[0] - 0.5) < 5 * 0.5 / math.sqrt(2000)


def test_the_chosen_score_is_too_high_and_the_fresh_one_is_not() -> None:
    """20 equal cells, 5 runs to choose on, 5 fresh, 1500 studies: the fresh mean is unbiased (z < 4.89)."""
    rng, chosen, fresh = rng_of(29), [], []
    for _ in range(1500):
        found = two_stage(rng.normal(size=(20, 10)), choose=5)
        chosen.append(found.chosen.mean)
        fresh.append(found.fresh.mean)
    assert abs(np.mean(fresh)) < Z / math.sqrt(5 * 1500)
    assert np.mean(chosen) > 0.7  # the mean of the highest of 20 means of 5: 1.87 / sqrt(5) = 0.835


def test_two_stages_look_at_their_own_runs_only() -> None:
    rows = [(range(10), [5.0, 6, 7, 8, 9, 1, 2, 3, 4, 5]), (range(5), [0.0, 1, 2, 3, 4])]
    found = two_stage(rows, choose=5)
    assert (found.best, found.chosen.mean, found.fresh.mean) == (0, 7.0, 3.0)
    assert (found.optimism.difference, found.optimism.n) == (4.0, 5)


def test_the_shape_of_scores() -> None:
    assert distribution([0.0, 1.0, 2.0, 3.0, 100.0]).median == 2.0
    lock_in = distribution([11.0] * 60 + [900.0] * 40)
    assert lock_in.bimodal
    exponential = distribution(rng_of(30).exponential(size=500))
    assert exponential.skewed
    np.testing.assert_allclose(exponential.skewness, scipy.stats.skew(rng_of(30).exponential(size=500)))
    assert math.isnan(distribution([1.0, 1.0, 1.0]).skewness)
    assert not distribution([1.0] * 50).skewed
    tail = [0.0] * 16 + [1.0, 2.0, 3.0, 4.0]  # skewness 1.88, of 20 runs
    assert distribution(tail).skewed
    assert not distribution(tail[2:]).skewed  # of 18 runs nothing is said


@pytest.mark.parametrize("n", [20, 50, 1000])
def test_ordinary_scores_are_seldom_called_skewed_or_bimodal(n: int) -> None:
    """At most 1 % each of 2000 samples (false alarm 1e-6 per claim)."""
    rng = rng_of(n)
    normal, uniform, long = (
        [distribution(sample) for sample in draw(size=(2000, n))] for draw in (rng.normal, rng.random, rng.exponential)
    )
    assert beyond(sum(shape.skewed for shape in normal), 2000, 0.01) < Z
    for shapes in (normal, uniform, long):
        assert beyond(sum(shape.bimodal for shape in shapes), 2000, 0.01) < Z


def test_two_heaps_are_found() -> None:
    """Two normal heaps 8 deviations apart, 30 % in one, 50 runs: 9 of 10 are found (measured 99 %)."""
    rng = rng_of(33)
    heaps = rng.normal(size=(500, 50)) + 8.0 * (rng.random((500, 50)) < 0.3)
    assert np.mean([distribution(sample).bimodal for sample in heaps]) > 0.9


def test_bimodality_is_the_best_split_into_two() -> None:
    sample = rng_of(34).exponential(size=23)
    ascending, shares = np.sort(sample), []
    for k in range(3, 21):  # a tenth of 23 runs is 2.3
        one, other = ascending[:k], ascending[k:]
        within = np.sum((one - one.mean()) ** 2) + np.sum((other - other.mean()) ** 2)
        shares.append(1.0 - within / np.sum((sample - sample.mean()) ** 2))
    np.testing.assert_allclose(distribution(sample).bimodality, max(shares))


# --- order, and imports --------------------------------------------------------------------------------------------

ANSWERS: dict[str, Callable[[list[tuple[Any, Any]]], Any]] = {
    "t": lambda rows: interval(rows[0]),
    "studentised": lambda rows: interval(rows[0], "studentised"),
    "bca": lambda rows: interval(rows[0], "bca"),
    "paired": lambda rows: compare(rows[0], rows[1]),
    "welch": lambda rows: compare(rows[0], rows[1], paired=False),
    "permutation": lambda rows: permutation_test(rows[0], rows[1]),
    "best": lambda rows: (lambda s: (s.best, s.members.tolist(), s.behind))(set_of_best(rows)),
    "iqm": lambda rows: iqm_interval(rows, resamples=50),
    "improvement": lambda rows: probability_of_improvement(rows[0], rows[1], resamples=50),
    "paired improvement": lambda rows: paired_improvement(rows[0], rows[1]),
    "selection": lambda rows: selection_uncertainty(rows, resamples=50).tolist(),
    "two stages": lambda rows: two_stage(rows, choose=6),
    "sensitivity": lambda rows: sensitivity([1.0, 2.0, 4.0], rows),
    "shape": lambda rows: distribution(rows[0]),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_order_of_runs_does_not_matter_to_the_last_bit(answer: str) -> None:
    rows = rng_of(31).normal(size=(3, 12))
    straight = [(np.arange(12), row) for row in rows]
    for seed in range(3):
        orders = [np.random.default_rng([seed, i]).permutation(12) for i in range(3)]
        shuffled = [(order, row[order]) for order, row in zip(orders, rows, strict=True)]
        assert repr(ANSWERS[answer](shuffled)) == repr(ANSWERS[answer](straight))  # every digit, and NaN like NaN


@given(order=st.permutations(range(9)))
@settings(max_examples=15, deadline=None)
def test_without_run_numbers_the_order_of_one_cell_does_not_matter_either(order: list[int]) -> None:
    sample = np.array([0.1, 0.7, 1e-9, 3.3, 1e5, -2.0, 0.1, 5.5, 0.30000000000000004])
    assert interval(sample[order]) == interval(sample)
    assert interval(sample[order], "studentised") == interval(sample, "studentised")
    assert iqm(sample[order]) == iqm(sample)
    assert repr(compare(sample[order], sample[::-1], paired=False)) == repr(compare(sample, sample, paired=False))


def test_importing_the_room_does_not_import_scipy() -> None:
    script = """
import pkgutil, importlib, sys, rlsoftmax.stats
for module in pkgutil.iter_modules(rlsoftmax.stats.__path__): importlib.import_module(f"rlsoftmax.stats.{module.name}")
found = sorted({name.split(".")[0] for name in sys.modules} & {"scipy", "numba", "matplotlib", "hydra", "gymnasium"})
assert not found, found
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
