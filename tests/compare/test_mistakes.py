"""The mistakes that `diagnose` is held to, each by its formula."""

import numpy as np
import pytest

import edudiff as ed
from edudiff import forward
from edudiff.compare import mistakes, repairs

X = np.random.default_rng(0).uniform(-1, 1, (3, 4, 4, 1))
LEVEL = ALPHA, SIGMA = 0.8, 0.5
X0 = np.tanh(X + 0.8 - 0.5)  # what `right` answers there


def right(x, alpha, sigma):
    return np.tanh(x + alpha - sigma)


FORMULAS = {
    "noise instead of x0": forward.noise_from_x0(X, X0, *LEVEL),
    "score instead of x0": forward.score_from_x0(X, X0, *LEVEL),
    "velocity instead of x0": forward.velocity_from_x0(X, X0, *LEVEL),
    "wrong sign": -X0,
    "signal not divided out": 0.8 * X0,
    "missing square root of sigma": np.tanh(X + 0.8 - 0.25),
    "time reversed": np.tanh(X + 0.5 - 0.8),
    "noise level ignored": np.tanh(X),
    "images in [0, 1]": (np.tanh(2 * X - 0.8 + 0.8 - 1.0) + 1) / 2,
    "input scaled twice": np.tanh(X / np.sqrt(0.16 + 0.25) + 0.8 - 0.5),
    "axes swapped": X0.swapaxes(1, 2),
    "batch mixed": (X0 + X0.mean(0)) / 2,
    "answers clipped": np.clip(X0, 0, 1),
    "random answers": X0 + 0.1 * np.random.default_rng(0).standard_normal(X.shape),
    "wrong dtype": X0,
    "wrong shape": X0[..., 0],
}


@pytest.mark.parametrize("name", mistakes.DENOISERS)
def test_a_wrong_denoiser_is_what_its_name_says(name):
    np.testing.assert_allclose(mistakes.DENOISERS[name](right)(X, *LEVEL), FORMULAS[name], atol=1e-12)


def test_a_wrong_schedule_is_what_its_name_says():
    t, (alpha, sigma) = np.linspace(0.1, 1, 7), ed.schedule.ddpm_linear()(np.linspace(0.1, 1, 7))
    cosine, sine = ed.schedule.cosine()(t)
    for name, expected in {
        "missing square root of sigma": (alpha, sigma**2),
        "missing square root of alpha": (alpha**2, sigma),
        "beta for 1 - alpha_bar": (alpha, np.sqrt(1e-4 + (0.02 - 1e-4) * t)),
        "time reversed": (sine, cosine),
    }.items():
        np.testing.assert_allclose(mistakes.SCHEDULES[name](t), expected, rtol=1e-12)


def asked(sampler, steps=5):
    """The steps whose levels a loop asks about, and what it ends at, for a denoiser that answers 1."""
    schedule, levels = ed.schedule.cosine(), []
    times = schedule.times(steps)
    known = [schedule(t) for t in times.tolist()]
    end = sampler(lambda x, *level: levels.append(known.index(level)) or 0 * x + 1, schedule, 0 * X, times)
    return levels, end


def test_a_wrong_loop_asks_about_other_steps_or_adds_noise():
    assert asked(mistakes._loop)[0] == [0, 1, 2, 3, 4]
    assert asked(mistakes.SAMPLERS["level of another step"])[0] == [1, 2, 3, 4, 4]
    assert asked(mistakes.SAMPLERS["loop ends too early"])[0] == [0, 1, 2, 3]
    assert asked(mistakes.SAMPLERS["steps in the wrong order"])[0] == [4, 3, 2, 1]
    levels, end = asked(mistakes.SAMPLERS["noise in the last step"])
    assert levels == [0, 1, 2, 3, 4]
    clean = asked(ed.reverse.sample)[1]
    np.testing.assert_allclose(asked(mistakes._loop)[1], clean, atol=1e-12)
    assert 0.05 < (end - clean).std() < 0.2


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5, 1), (3, 5, 4, 1), (3, 4, 4, 1), (3, 3, 3, 3)])
def test_axes_are_swapped_back_where_rows_are_as_many_as_columns(shape):
    (repair,) = [mistake.repair for mistake in repairs.MISTAKES if mistake.cause == "axes swapped"]
    x = np.random.default_rng(1).standard_normal(shape)
    square = len(shape) == 4 and shape[1] == shape[2]
    found = repair(right, x, *LEVEL, 0.5)
    np.testing.assert_array_equal(found, right(x.swapaxes(1, 2) if square else x, *LEVEL))


def test_an_input_that_is_not_scaled_is_scaled():
    (repair,) = [mistake.repair for mistake in repairs.MISTAKES if mistake.cause == "input not scaled"]
    np.testing.assert_allclose(repair(right, X, *LEVEL, 0.5), right(X / np.sqrt(0.16 + 0.25), *LEVEL), atol=1e-12)
