"""Calibration finds the window that a denoiser has, at its step; the experiment reports what was drawn."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.compare import agreement, calibrate, comparison, draw, experiment, stepwise
from edudiff.denoisers import Ideal, Patch, WindowSchedule
from edudiff.support.random import streams

SCHEDULE = ed.schedule.cosine()
TIMES = SCHEDULE.times(5)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 7, 7, 1))


def noise(count, images=IMAGES):
    return ed.reverse.start(SCHEDULE, (count, *images.shape[1:]), streams(1, count), like=images)


@pytest.mark.parametrize("method", ("ddim", "heun"))
def test_calibration_finds_the_windows_of_a_patch_denoiser(method):
    """The scale of step i is read off at step i, not at i + 1: every step has its own window here."""
    ratios = [sigma / alpha for alpha, sigma in map(SCHEDULE, TIMES[:-1])]
    hidden = WindowSchedule(ratios, [7, 5, 3, 5, 3])
    secret = Patch(IMAGES, window=hidden, backend="numpy")
    found = calibrate(
        secret, Patch(IMAGES, window=3, backend="numpy"), SCHEDULE, noise(4), TIMES, [3, 5, 7], method=method
    )
    assert found == hidden


def test_calibration_uphill_finds_the_same_windows_and_tries_fewer():
    """From all sizes to both ends and far down in one step. The further from the right size, the less alike."""
    times, tried = SCHEDULE.times(6), []
    ratios = [sigma / alpha for alpha, sigma in map(SCHEDULE, times[:-1])]
    hidden = WindowSchedule(ratios, [15, 17, 11, 3, 1, 1])
    one, other = np.eye(2)[:, None, :, None]  # (1, 2, 1) each

    def turned(x, level, size):
        """x0_hat whose noise is turned by `size` / 20."""
        return ed.forward.x0_from_noise(x, np.cos(size / 20) * one + np.sin(size / 20) * other + 0 * x, *level)

    class Turned:
        def sweep(self, x, alpha, sigma, sizes):
            tried.append(tuple(sizes))
            return {size: turned(x, (alpha, sigma), size) for size in sizes}

    sizes = [9, 17, 15, 13, 11, 7, 5, 3, 1]
    found = calibrate(
        lambda x, *level: turned(x, level, hidden(*level)),
        Turned(),
        SCHEDULE,
        np.zeros((3, 1, 2, 1)),
        times,
        sizes,
        uphill=True,
    )
    assert found == hidden
    assert tried == [
        *[tuple(range(1, 18, 2)), (13, 15, 17), (15, 17), (13,), (11,), (9,)],
        *[(9, 11, 13), (7,), (5,), (3,), (1,), (1, 3, 5), (1, 3)],
    ]


def test_calibration_without_sizes_is_refused():
    with pytest.raises(ValueError, match="sizes is empty"):
        calibrate(Ideal(IMAGES), Patch(IMAGES, window=3), SCHEDULE, noise(1), TIMES, [])


def test_calibration_skips_a_level_without_signal():
    schedule = ed.schedule.flow()
    patch = Patch(IMAGES, window=3, backend="numpy")
    found = calibrate(patch, patch, schedule, noise(2), schedule.times(4), [3, 5])
    assert found.windows == (3, 3, 3)


def test_every_denoiser_gets_the_same_noise_and_times():
    seen = []

    def spy(x, alpha, sigma):
        seen.append((x.copy(), alpha, sigma))
        return Ideal(IMAGES)(x, alpha, sigma)

    x = noise(3)
    images, seconds = draw({"one": spy, "two": Ideal(IMAGES)}, SCHEDULE, x, TIMES)
    np.testing.assert_array_equal(seen[0][0], x)
    assert [level[1:] for level in seen] == [SCHEDULE(t) for t in TIMES[:-1]]
    np.testing.assert_array_equal(images["one"], images["two"])
    assert set(seconds) == {"one", "two"}


def test_agreement_is_a_median_over_seeds_and_counts_the_closer_ones():
    rng = np.random.default_rng(0)
    network = rng.standard_normal((5, 4, 4, 1))
    other = rng.standard_normal((5, 4, 4, 1))
    els = network + 0.1 * other
    els[0] = other[0]  # the ideal score is closer on one seed of five
    ideal = 0.5 * network + other
    table = agreement({"network": network, "els": els, "ideal": ideal})
    r = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(network, els, strict=True)]
    assert table["els"]["pearson_r"] == pytest.approx(np.median(r))
    assert table["els"]["r_squared"] == pytest.approx(np.median(np.square(r)))
    assert table["els"]["beats_ideal"] == 0.8
    assert table["ideal"]["beats_ideal"] == 0
    assert set(table) == {"els", "ideal"}
    np.testing.assert_allclose(table["els"]["per_seed"], r, atol=1e-6)


def test_agreement_at_every_step_is_that_of_answers_and_of_paths():
    rng = np.random.default_rng(0)
    images, schedule = rng.uniform(-1, 1, (6, 5, 5, 1)), ed.schedule.cosine()
    ideal, x, times = ed.scores.ideal(images), rng.standard_normal((4, 5, 5, 1)), schedule.times(6)
    twin = ed.scores.ideal(images.copy())
    table = stepwise({"network": ideal, "twin": twin, "els": ed.scores.els(images, 3)}, schedule, x, times)
    np.testing.assert_allclose(table["twin"]["answers"], 1.0)
    np.testing.assert_allclose(table["twin"]["paths"], 1.0)
    walk, own = (list(ed.reverse.steps(d, schedule, x, times)) for d in (ideal, ed.scores.els(images, 3)))
    for i, (mine, other) in enumerate(zip(walk, own, strict=True)):
        asked = ed.scores.els(images, 3)(mine.x, mine.alpha, mine.sigma)
        r = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(mine.x0_hat, asked, strict=True)]
        assert table["els"]["answers"][i] == pytest.approx(np.median(r))
        r = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(mine.x0_hat, other.x0_hat, strict=True)]
        assert table["els"]["paths"][i] == pytest.approx(np.median(r))
    assert table["els"]["answers"][0] == pytest.approx(table["els"]["paths"][0])


def test_a_progress_bar_is_told_how_many_steps_there_are():
    told, schedule = [], ed.schedule.cosine()

    def progress(walk, total, name):
        steps = list(walk)
        told.append((name, total, len(steps)))
        return steps

    x = np.random.default_rng(0).standard_normal((2, 3))
    draw({"half": lambda x, alpha, sigma: 0.5 * x}, schedule, x, schedule.times(7), progress=progress)
    assert told == [("half", 7, 7)]


def test_seconds_are_those_of_the_steps(monkeypatch):
    clock = iter([100.0, 103.0, 110.0, 111.0])
    monkeypatch.setattr(comparison.time, "perf_counter", lambda: next(clock))
    half = lambda x, alpha, sigma: 0.5 * x  # noqa: E731
    _, seconds = draw({"one": half, "other": half}, SCHEDULE, np.ones((2, 3)), TIMES)
    assert seconds == {"one": 3.0, "other": 1.0}


@pytest.mark.parametrize("given", [{}, {"seed": 3, "count": 5}, {"seed": 3, "count": [4, 2]}])
def test_an_experiment_draws_all_from_the_noise_of_its_seed(given):
    """32 pictures of seed 0, if nothing else is said."""
    denoisers = {"network": lambda x, alpha, sigma: 0.5 * x, "ideal": lambda x, alpha, sigma: 0.4 * x - 0.1}
    drawn, seconds, table = experiment(denoisers, SCHEDULE, TIMES, (3, 2, 1), like=np.zeros(1, "float32"), **given)
    rng = streams(given.get("seed", 0), given.get("count", 32))
    x = ed.reverse.start(SCHEDULE, (len(rng), 3, 2, 1), rng, np.zeros(1, "float32"))
    expected, _ = draw(denoisers, SCHEDULE, x, TIMES)
    for name in denoisers:
        np.testing.assert_array_equal(drawn[name], expected[name])
        assert drawn[name].dtype == np.float32
    assert table == agreement(expected)
    assert seconds.keys() == drawn.keys()
