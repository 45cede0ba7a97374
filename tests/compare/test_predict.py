"""Windows from training images alone: what each rule must give where the answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

import edudiff as ed
from edudiff.compare import predict
from edudiff.denoisers import Patch
from edudiff.denoisers.window_schedule import mix, split

SCHEDULE = ed.schedule.cosine()
TIMES = SCHEDULE.times(12)
LEVELS = [SCHEDULE(t) for t in TIMES[:-1].tolist()]


def noise_like(x0, seed=9):
    return np.random.default_rng(seed).standard_normal(x0.shape)


def hands():
    images = ed.data.shapes.hands(40, size=14, rng=np.random.default_rng(0)).astype("float64")
    return Patch(images[:36], 1), images[36:]


def entropy_by_hand(patch, x0, alpha, sigma, k, seed=9):
    found = Patch(patch.images, k).posterior(alpha * x0 + sigma * noise_like(x0, seed), alpha, sigma)
    r, total, weights = k // 2 if k <= min(x0.shape[1:3]) else 0, 0.0, 0.0
    for b in range(len(x0)):
        for i in range(r, x0.shape[1] - r):
            for j in range(r, x0.shape[2] - r):
                total += float(found.variance[b, i, j] * found.entropy[b, i, j])
                weights += float(found.variance[b, i, j])
    return total / weights


def test_the_entropy_at_the_window_is_what_was_asked_for():
    patch, x0 = hands()
    table = predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES, 9, nats=4.0)
    inner = 0
    for alpha, sigma in LEVELS:
        narrow, share = split(table(alpha, sigma))
        at = [entropy_by_hand(patch, x0, alpha, sigma, k) for k in (narrow, min(narrow + 2, 9))]
        if share:
            assert (1 - share) * at[0] + share * at[1] == pytest.approx(4.0, abs=0.05)
            inner += 1
        else:
            assert (narrow == 9 and at[0] >= 4.0) or (narrow == 1 and at[0] < 4.0)
    assert inner >= 3


def test_a_window_of_constant_images_grows_with_the_noise():
    """Pixels of one color tell nothing but its mean: k x k of them see noise k times smaller, so k follows sigma."""
    values = np.linspace(-1, 1, 400)[np.random.default_rng(0).permutation(400)]
    images = np.ones((400, 25, 25, 1)) * values[:, None, None, None]
    patch, x0 = Patch(images[:390], 1, shifts=False), images[390:]
    times = np.array([0.5, 0.35, 0.25, 0.0])
    table = predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, times, 25, nats=3.8)
    sides = [table(*SCHEDULE(t)) for t in times[:-1]]
    ratios = [sigma / alpha for alpha, sigma in map(SCHEDULE, times[:-1])]
    assert 3 < sides[-1] < sides[0] < 25
    # 390 levels over a range of 2, posterior of width s = ratio / k: entropy log(195 s sqrt(2 pi e)).
    expected = [195 * ratio * np.sqrt(2 * np.pi * np.e) / np.exp(3.8) for ratio in ratios]
    np.testing.assert_allclose(sides, expected, rtol=0.08)


def test_the_window_may_grow_again_where_the_noise_falls():
    class Patch:
        def posteriors(self, x, alpha, sigma, windows):
            assert all(k % 2 for k in windows)
            entropy = {k: 8.5 - k if sigma < alpha else 3.5 - k for k in windows}
            return {
                k: SimpleNamespace(entropy=np.full((1, 9, 9), v), variance=np.ones((1, 9, 9)))
                for k, v in entropy.items()
            }

    x0 = np.zeros((1, 9, 9, 1))
    table = predict.by_entropy(Patch(), x0, noise_like(x0), SCHEDULE, np.array([0.7, 0.3, 0.0]), 9, nats=2.0)
    assert table.windows == (6.5, 1.5)


def test_no_demand_takes_the_largest_window_and_an_impossible_one_the_smallest():
    patch, x0 = hands()
    for nats, side in ((0.0, 7), (50.0, 1)):
        table = predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES, 7, nats)
        assert set(table.windows) == {side}


def test_no_demand_takes_the_largest_window_where_all_is_certain_too():
    """A single training image: there is no entropy at all, and none is asked for."""
    images = np.random.default_rng(0).uniform(-1, 1, (3, 9, 9, 1))
    patch, x0 = Patch(images[:1], 1, shifts=False), images[1:]
    assert patch.posterior(x0, *SCHEDULE(0.5)).entropy.max() == 0
    for nats, side in ((0.0, 7), (1e-9, 1)):
        assert set(predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES, 7, nats).windows) == {side}


def test_windows_that_lie_inside_nowhere_compete_too():
    """Those of the pixels on all sides reach over the border of an image of 14 pixels; all pixels are asked."""
    patch, x0 = hands()
    assert set(predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES[-3:], 27, 0.0).windows) == {27}
    table = predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES, 27, nats=3.0)
    larger = [(alpha, sigma, *split(table(alpha, sigma))) for alpha, sigma in LEVELS if 13 < table(alpha, sigma) < 27]
    assert larger
    for alpha, sigma, narrow, share in larger:
        at = [entropy_by_hand(patch, x0, alpha, sigma, k) for k in (narrow, narrow + 2)]
        assert (1 - share) * at[0] + share * at[1] == pytest.approx(3.0, abs=0.05)


def test_the_smallest_error_is_found_among_all_sizes_and_mixes():
    patch, x0 = hands()
    table = predict.by_error(patch, x0, noise_like(x0), SCHEDULE, TIMES, 9)
    for alpha, sigma in LEVELS:
        x = alpha * x0 + sigma * noise_like(x0)
        answers = patch.sweep(x, alpha, sigma, [1, 3, 5, 7, 9])

        def error(side, answers=answers):
            return float(((mix(answers, *split(side)) - x0) ** 2).mean())

        best = error(table(alpha, sigma))
        assert best <= min(error(side) for side in np.arange(1, 9.01, 0.1).round(3)) + 1e-6


def test_the_best_size_is_found_beyond_sizes_that_do_worse():
    """A pixel and the whole image know the answer, what lies between does not: once from either side."""

    class Patch:
        def __init__(self, errors):
            self.errors, self.asked = errors, []

        def sweep(self, x, alpha, sigma, windows):
            self.asked += windows
            return {k: np.full_like(x, self.errors[sigma > alpha][k // 2]) for k in windows}

    x0, noise = np.zeros((2, 9, 9, 1)), np.ones((2, 9, 9, 1))
    times = np.array([0.8, 0.7, 0.3, 0.2, 0.0])
    little, much = (0.1, 0.3, 0.5, 0.3, 0.2), (0.5, 0.4, 0.3, 0.2, 0.1)
    patch = Patch((little, much))
    assert predict.by_error(patch, x0, noise, SCHEDULE, times, 9).windows == (1, 1, 9, 9)
    assert len(patch.asked) <= 4 * 5  # no window is asked twice
    little, much = (0.5, 0.4, 0.3, 0.2, 0.1), (0.2, 0.3, 0.5, 0.3, 0.1)
    assert set(predict.by_error(Patch((little, much)), x0, noise, SCHEDULE, times, 9).windows) == {9}


def test_where_pixels_know_nothing_of_each_other_one_pixel_is_best():
    images = np.random.default_rng(1).choice([-1.0, 1.0], (30, 9, 9, 1))
    table = predict.by_error(Patch(images[:24], 1), images[24:], noise_like(images[24:]), SCHEDULE, TIMES, 7)
    assert max(table(*level) for level in LEVELS[4:]) < 1.7


def test_where_the_images_asked_about_are_known_the_whole_is_best():
    images = np.random.default_rng(2).choice([-1.0, 1.0], (6, 9, 9, 1))
    table = predict.by_error(
        Patch(images, 1, shifts=False), images[:3], noise_like(images[:3]), SCHEDULE, TIMES[3:9], 9
    )
    assert min(table.windows) > 6


def test_levels_without_signal_have_no_entry():
    patch, x0 = hands()
    schedule = ed.schedule.cosine(1.0)
    assert len(predict.by_error(patch, x0, noise_like(x0), schedule, schedule.times(4), 5).ratios) == 3


def test_bad_arguments_are_named():
    patch, x0 = hands()
    with pytest.raises(ValueError, match="nats is -1, expected an entropy >= 0"):
        predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES, 5, -1)
    for rule in (predict.by_entropy, predict.by_error):
        with pytest.raises(ValueError, match="window"):
            rule(patch, x0, noise_like(x0), SCHEDULE, TIMES, 4)


def test_five_nats_are_asked_for_if_no_other_number_is_given():
    """And sides are told in hundredths."""
    patch, x0 = hands()
    table = predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES[6:9], 9)
    assert table == predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES[6:9], 9, 5.0)
    assert table != predict.by_entropy(patch, x0, noise_like(x0), SCHEDULE, TIMES[6:9], 9, 5.2)
    assert all(side == round(side, 2) for side in table.windows) and any(
        side != round(side, 1) for side in table.windows
    )


def test_entropies_are_weighed_by_variance_however_small_it_is():
    entropy = np.arange(9.0).reshape(1, 3, 3)
    for scale in (1e-6, 1.0, 1e6):
        posterior = SimpleNamespace(entropy=entropy, variance=scale * (entropy == 4) + 3 * scale * (entropy == 8))
        assert predict._entropy(posterior, 1) == pytest.approx(7)
        assert predict._entropy(posterior, 3) == 4  # the only window that lies inside
        assert predict._entropy(posterior, 5) == pytest.approx(7)  # none does: all
        low = SimpleNamespace(entropy=entropy[:, :2], variance=np.ones((1, 2, 3)))
        assert predict._entropy(low, 3) == pytest.approx(2.5)  # none does, of the rows: all
