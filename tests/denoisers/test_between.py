"""Windows between the odd numbers: what they mix, where calibration finds them, and what they are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edudiff as ed
from edudiff.compare import calibrate
from edudiff.denoisers import Between, ByLabel, Patch, WindowSchedule
from edudiff.denoisers.window_schedule import split
from edudiff.support.random import streams

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 7, 7, 1))
X = np.random.default_rng(1).standard_normal((3, 7, 7, 1))
LEVEL = (0.8, 0.6)


@given(st.floats(1, 99))
def test_a_size_is_split_into_an_odd_side_and_a_share_of_the_next(size):
    narrow, share = split(size)
    assert narrow % 2 == 1
    assert 0 <= share < 1
    assert narrow + 2 * share == pytest.approx(size)


def test_the_answers_of_both_sides_are_mixed():
    three, five = (Patch(IMAGES, k)(X, *LEVEL) for k in (3, 5))
    mixed = Between(Patch(IMAGES, 1), lambda alpha, sigma: 4.5)(X, *LEVEL)
    np.testing.assert_allclose(mixed, 0.25 * three + 0.75 * five, atol=1e-12)


@pytest.mark.parametrize("size", (1, 3, 5))
def test_an_odd_side_is_that_window(size):
    np.testing.assert_allclose(
        Between(Patch(IMAGES, 1), lambda alpha, sigma: size)(X, *LEVEL), Patch(IMAGES, size)(X, *LEVEL), atol=1e-12
    )


def test_a_size_that_numpy_computed_leaves_float32_as_it_is():
    denoise = Between(Patch(IMAGES.astype("f4"), 1), lambda alpha, sigma: np.interp(sigma, [0, 1], [1, 5]))
    assert denoise(X.astype("f4"), *LEVEL).dtype == np.float32


@pytest.mark.parametrize("uphill", (False, True))
def test_calibration_finds_windows_between_the_odd_numbers(uphill):
    schedule = ed.schedule.cosine()
    times = schedule.times(6)
    hidden = WindowSchedule([sigma / alpha for alpha, sigma in map(schedule, times[:-1])], [5.8, 5, 4.2, 3.4, 3, 1.8])
    x = ed.reverse.start(schedule, X.shape, streams(1, 3), like=X)
    secret, labels = Between(Patch(IMAGES, 1), hidden), np.array([0, 0, 1, 1, 0, 1])
    found = calibrate(secret, Patch(IMAGES, 1), schedule, x, times, [1, 3, 5, 7], parts=5, uphill=uphill)
    np.testing.assert_allclose(found.windows, hidden.windows)
    by_class = ByLabel(Patch(IMAGES, 1, labels=labels).conditional, [0, 1, 1])
    found = calibrate(Between(by_class, hidden), by_class, schedule, x, times, [1, 3, 5, 7], parts=5, uphill=uphill)
    np.testing.assert_allclose(found.windows, hidden.windows)


def test_a_table_keeps_sizes_between_and_rounds_them_when_asked():
    table = WindowSchedule([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 3.9, 4.0, 6.1, 7])
    assert WindowSchedule.from_dict(table.to_dict()) == table
    assert table.odd().windows == (1, 3, 5, 7, 7)
    for wrong in ({"ratios": [1.0]}, {"ratios": [1.0], "windows": [3], "sizes": [3]}):
        with pytest.raises(ValueError, match="expected 'ratios' and 'windows'"):
            WindowSchedule.from_dict(wrong)


@pytest.mark.parametrize("size", (0.5, float("nan"), float("inf"), -3.0))
def test_sides_below_one_and_no_numbers_are_refused(size):
    with pytest.raises(ValueError, match="expected a finite number >= 1"):
        Between(Patch(IMAGES, 1), lambda alpha, sigma: size)(X, *LEVEL)
    with pytest.raises(ValueError, match="window size is"):
        WindowSchedule([1.0], [size])


def test_calibration_between_sizes_with_a_gap_is_refused():
    patch, schedule = Patch(IMAGES, 3), ed.schedule.cosine()
    for sizes, parts in (([3, 7], 2), ([3, 5], 0)):
        with pytest.raises(ValueError, match=r"expected parts >= 1, and above 1 sizes without a gap"):
            calibrate(patch, patch, schedule, X, schedule.times(3), sizes, parts=parts)
