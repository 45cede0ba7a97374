"""Prediction targets and loss weightings: conversions that must agree with the forward process."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edudiff as ed
from edudiff.nn.targets import TARGETS, scales
from edudiff.nn.weighting import WEIGHTINGS, loss_weight

SCHEDULES = (ed.schedule.cosine(), ed.schedule.log_linear(), ed.schedule.flow())
LEVELS = st.tuples(st.sampled_from(SCHEDULES), st.floats(0.02, 0.98), st.floats(0.1, 2.0))


def truth(alpha, sigma):
    """x0, x and what each target names, at one noise level."""
    x0, noise = np.random.default_rng(0).standard_normal((2, 40))
    return x0, alpha * x0 + sigma * noise, {"eps": noise, "x0": x0, "v": alpha * noise - sigma * x0}


@given(level=LEVELS)
def test_the_right_answer_to_each_target_gives_x0(level):
    schedule, t, rms = level
    alpha, sigma = schedule(t)
    x0, x, named = truth(alpha, sigma)
    for target, answer in named.items():
        skip, out, scale = (float(s[0]) for s in scales(target, np.array([alpha]), np.array([sigma]), rms))
        assert scale == 1
        np.testing.assert_allclose(skip * x + out * answer, x0, atol=1e-9 * (1 + sigma / alpha) ** 2)


@given(level=LEVELS)
def test_weighting_is_the_squared_error_of_what_it_is_named_after(level):
    schedule, t, rms = level
    alpha, sigma = schedule(t)
    x0, x, named = truth(alpha, sigma)
    x0_hat = x0 + np.random.default_rng(1).standard_normal(40)
    skip, out, _ = (float(s[0]) for s in scales("edm", np.array([alpha]), np.array([sigma]), rms))
    hats = {
        "eps": (ed.forward.noise_from_x0(x, x0_hat, alpha, sigma), named["eps"]),
        "v": (ed.forward.velocity_from_x0(x, x0_hat, alpha, sigma), named["v"]),
        "x0": (x0_hat, x0),
        "edm": ((x0_hat - skip * x) / out, (x0 - skip * x) / out),
    }
    for weighting, (hat, right) in hats.items():
        weight = float(loss_weight(np.array([alpha]), np.array([sigma]), weighting, rms)[0])
        np.testing.assert_allclose(weight * (x0_hat - x0) ** 2, (hat - right) ** 2, rtol=1e-6, atol=1e-6 * weight)


def test_hang_is_ho_up_to_5_and_ho_is_also_called_noise():
    alpha, sigma = SCHEDULES[0](np.linspace(0.01, 1, 50))
    snr, cut = (loss_weight(alpha, sigma, weighting, 0.5) for weighting in ("eps", "min_snr"))
    np.testing.assert_array_equal(cut, np.minimum(snr, 5))
    assert cut.max() == 5


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_every_weight_is_finite_and_positive_where_there_is_any_signal(weighting):
    for schedule in SCHEDULES:
        weight = loss_weight(*schedule(np.linspace(0, 0.99, 20)), weighting, 0.5)
        assert np.isfinite(weight).all()
        assert (weight > 0).all()


@pytest.mark.parametrize("target", TARGETS)
def test_no_signal_and_no_noise_are_finite(target):
    for s in scales(target, np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.5):
        assert np.isfinite(s).all()


def test_scaled_target_and_input_have_unit_size_at_every_level():
    """The point of Karras et al. 2022, table 1: Var(scale * x) = 1 and Var((x0 - skip * x) / out) = 1."""
    rms = 0.3
    for alpha, sigma in ((1.0, 0.01), (0.9, 0.5), (0.1, 0.99), (0.0, 1.0)):
        skip, out, scale = (float(s[0]) for s in scales("edm", np.array([alpha]), np.array([sigma]), rms))
        assert scale * math.hypot(alpha * rms, sigma) == pytest.approx(1)
        assert math.hypot((1 - skip * alpha) * rms, skip * sigma) / out == pytest.approx(1)
