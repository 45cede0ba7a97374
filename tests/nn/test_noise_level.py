"""Prediction targets and loss weightings: conversions that must agree with the forward process."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edudiff as ed
from edudiff.nn.noise_level import TARGETS, WEIGHTINGS, features, loss_weight, preconditioning

SCHEDULES = (ed.schedule.cosine(), ed.schedule.log_linear(), ed.schedule.flow())
LEVELS = st.tuples(st.sampled_from(SCHEDULES), st.floats(0.02, 0.98), st.floats(0.1, 2.0))


def truth(alpha, sigma):
    """x0, x and what each target names, at one noise level."""
    x0, noise = np.random.default_rng(0).standard_normal((2, 40))
    return x0, alpha * x0 + sigma * noise, {"eps": noise, "x0": x0, "v": alpha * noise - sigma * x0, "flow": noise - x0}


def at_one_level(alpha, sigma, rms, target):
    """c_skip, c_out, c_in, c_noise as numbers."""
    return [float(c[0]) for c in preconditioning(np.array([alpha]), np.array([sigma]), rms, target)]


@given(level=LEVELS)
def test_the_right_answer_to_each_target_gives_x0(level):
    schedule, t, rms = level
    alpha, sigma = schedule(t)
    x0, x, named = truth(alpha, sigma)
    for target, answer in named.items():
        c_skip, c_out, c_in, _ = at_one_level(alpha, sigma, rms, target)
        assert c_in == 1
        np.testing.assert_allclose(c_skip * x + c_out * answer, x0, atol=1e-9 * (1 + sigma / alpha) ** 2)


@given(level=LEVELS)
def test_weighting_is_the_squared_error_of_what_it_is_named_after(level):
    schedule, t, rms = level
    alpha, sigma = schedule(t)
    x0, x, named = truth(alpha, sigma)
    x0_hat = x0 + np.random.default_rng(1).standard_normal(40)
    c_skip, c_out, _, _ = at_one_level(alpha, sigma, rms, "edm")
    hats = {
        "eps": (ed.forward.noise_from_x0(x, x0_hat, alpha, sigma), named["eps"]),
        "v": (ed.forward.velocity_from_x0(x, x0_hat, alpha, sigma), named["v"]),
        "x0": (x0_hat, x0),
        "edm": ((x0_hat - c_skip * x) / c_out, (x0 - c_skip * x) / c_out),
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
    for c in preconditioning(np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.5, target):
        assert np.isfinite(c).all()


def test_scaled_target_and_input_have_unit_size_at_every_level():
    """The point of Karras et al. 2022, table 1: Var(c_in * x) = 1 and Var((x0 - c_skip * x) / c_out) = 1."""
    rms = 0.3
    for alpha, sigma in ((1.0, 0.01), (0.9, 0.5), (0.1, 0.99), (0.0, 1.0)):
        c_skip, c_out, c_in, _ = at_one_level(alpha, sigma, rms, "edm")
        assert c_in * math.hypot(alpha * rms, sigma) == pytest.approx(1)
        assert math.hypot((1 - c_skip * alpha) * rms, c_skip * sigma) / c_out == pytest.approx(1)


@given(level=LEVELS)
def test_what_a_network_of_each_target_must_answer_comes_back_from_x0_hat(level):
    """Round trip: F -> x0_hat -> F, by c_skip and c_out alone."""
    schedule, t, rms = level
    alpha, sigma = schedule(t)
    _, x, named = truth(alpha, sigma)
    for target, answer in named.items():
        c_skip, c_out, _, _ = at_one_level(alpha, sigma, rms, target)
        x0_hat = c_skip * x + c_out * answer
        np.testing.assert_allclose((x0_hat - c_skip * x) / c_out, answer, atol=1e-9 * (1 + 1 / abs(c_out)))


def test_flow_on_the_straight_path_is_its_velocity():
    """x(t) = (1 - t) x0 + t noise, so dx/dt = noise - x0, and x0 = x - t dx/dt."""
    schedule = ed.schedule.flow()
    alpha, sigma = schedule(0.3)
    c_skip, c_out, _, _ = at_one_level(alpha, sigma, 0.5, "flow")
    assert (c_skip, c_out) == pytest.approx((1, -0.3))


@pytest.mark.parametrize("target", TARGETS)
def test_training_step_for_each_target_lowers_the_error(target):
    images = np.random.default_rng(0).uniform(-1, 1, (4, 5, 5, 1)).astype(np.float32)
    net = ed.nn.ResNet(8, 1, target=target, rng=np.random.default_rng(1))
    assert net.config.target == target
    states = ed.nn.train(
        net, images, ed.schedule.flow(), np.random.default_rng(2), 30, batch=16, weighting="x0", warmup=5
    )
    losses = [state.loss for state in states]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_embedding_hears_the_noise_level_through_c_noise():
    """c_noise = log(sigma / alpha), whatever the target, with no signal and no noise at the ends."""
    alpha, sigma = np.array([0.0, 0.6, 1.0]), np.array([1.0, 0.8, 0.0])
    for target in TARGETS:
        *_, c_noise = preconditioning(alpha, sigma, 0.5, target)
        np.testing.assert_allclose(c_noise, [10, math.log(0.8 / 0.6), -10])


@pytest.mark.parametrize("size", [2, 8, 64])
def test_the_angles_of_the_published_embedding_are_those_of_word_positions(size):
    """Vaswani et al. 2017, section 3.5: position / 10,000^(2i / d); the position is a time, between 0 and 1."""
    schedule, t = ed.schedule.cosine(), np.linspace(0.01, 0.99, 9)
    alpha, sigma = np.array([schedule(v) for v in t]).T
    sine, cosine = np.split(features(np.log(sigma / alpha), size, "time"), 2, axis=1)  # (T, size / 2) each
    angle = np.arctan2(sine, cosine)
    np.testing.assert_allclose(angle[:, 0], np.arctan2(sigma, alpha) * 2 / math.pi * 1.008, rtol=1e-9)
    np.testing.assert_allclose(angle, angle[:, :1] / 10_000 ** (2 * np.arange(size // 2) / size), rtol=1e-7)


def test_the_angles_of_the_usual_embedding_are_multiples_of_a_quarter_period():
    """Over the whole range, c_noise from -10 to 10, the slowest goes through half a period."""
    sine, cosine = np.split(features(np.array([-10.0, 5.0, 10.0]), 8, "log_snr"), 2, axis=1)  # (3, 4) each
    angle = np.array([[-1], [0.5], [1]]) * math.pi / 2 * [1, 2, 3, 4]
    np.testing.assert_allclose(sine, np.sin(angle), atol=1e-12)
    np.testing.assert_allclose(cosine, np.cos(angle), atol=1e-12)


def test_the_noise_tells_x0_down_to_a_ten_thousandth_of_signal_and_no_further():
    alpha = np.array([0.5, 1e-4, 0.5e-4, 0.0])
    c_skip, c_out, *_ = preconditioning(alpha, np.ones(4), 0.5, "eps")
    np.testing.assert_allclose(c_skip, [2, 1e4, 1e4, 1e4])
    np.testing.assert_allclose(c_out, -c_skip)


def test_an_error_weighs_more_with_less_noise_down_to_a_ten_thousandth():
    weight = loss_weight(np.ones(4), np.array([0.5, 1e-4, 0.5e-4, 0.0]), "eps", 0.5)
    np.testing.assert_allclose(weight, [4, 1e8, 1e8, 1e8])


def test_random_frequencies_have_the_deviation_of_two_periods_over_half_the_range():
    """c_noise goes from -10 to 10; where it is small, the sine is its angle."""
    angle = features(np.array([1e-3]), 4000, "fourier")[0, :2000]
    periods = angle / 1e-4 / (2 * math.pi)
    assert periods.std() == pytest.approx(2, rel=5 / math.sqrt(2 * 2000))
    assert abs(periods.mean()) < 5 * 2 / math.sqrt(2000)
