"""What makes a schedule a schedule: less signal and more noise as t grows, and an SDE with exactly these marginals."""

import dataclasses
import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff import schedule as schedules
from edudiff.forward import sde

ALL = {
    "cosine": schedules.cosine(),
    "cosine without offset": schedules.cosine(stretch=1),
    "ddpm_linear": schedules.ddpm_linear(),
    "log_linear": schedules.log_linear(),
    "flow": schedules.flow(),
}
every_schedule = pytest.mark.parametrize("schedule", ALL.values(), ids=ALL)
inside = st.floats(0.01, 0.99)


def slope(curve, t, h=1e-5):
    return (curve(t + h) - curve(t - h)) / (2 * h)


@every_schedule
@given(t=st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda t: abs(t[0] - t[1]) > 1e-4))
def test_log_snr_falls(schedule, t):
    assert schedule.log_snr(min(t)) > schedule.log_snr(max(t))


@every_schedule
@given(t=inside)
def test_log_snr_is_the_log_of_signal_power_over_noise_power(schedule, t):
    alpha, sigma = schedule(t)
    assert math.exp(schedule.log_snr(t)) == pytest.approx(alpha**2 / sigma**2)


@every_schedule
@given(t=inside)
def test_sde_moves_the_mean_as_alpha_does(schedule, t):
    """E[x | x0] = alpha x0 follows dm = f m dt, so alpha' = f alpha."""
    f, _ = sde(schedule, t)
    assert f * schedule(t)[0] == pytest.approx(slope(lambda s: schedule(s)[0], t), rel=1e-6, abs=1e-8)


@every_schedule
@given(t=inside, variance=st.floats(0, 4))
def test_sde_moves_the_variance_as_the_marginals_do(schedule, t, variance):
    """Var x = alpha^2 l + sigma^2 follows v' = 2 f v + g^2 (Ito), for every variance l of the data."""

    def v(s):
        alpha, sigma = schedule(s)
        return alpha**2 * variance + sigma**2

    f, g2 = sde(schedule, t)
    assert g2 > 0
    assert 2 * f * v(t) + g2 == pytest.approx(slope(v, t), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", ["cosine", "cosine without offset", "ddpm_linear"])
@given(t=st.floats(0, 1))
def test_variance_preserving(name, t):
    alpha, sigma = ALL[name](t)
    assert alpha**2 + sigma**2 == pytest.approx(1, abs=1e-12)


def test_cosine_is_the_published_one():
    """sigma / alpha at t = i / 20, as read from Kamb & Ganguli's code."""
    published = ".078 .157 .238 .322 .411 .505 .607 .719 .844 .988 1.16 1.36 1.60 1.92 2.35 2.98 3.98 5.89 11.0 80.2"
    alpha, sigma = schedules.cosine()(np.arange(1, 21) / 20)
    np.testing.assert_allclose(sigma / alpha, np.array(published.split(), dtype=float), rtol=8e-3)


def test_ddpm_linear_is_the_limit_of_the_thousand_steps():
    """Ho et al. 2020: the product of 1 - b_i with b_i from 1e-4 to 0.02."""
    log_signal_power = np.cumsum(np.log1p(-np.linspace(1e-4, 0.02, 1000)))
    alpha, _ = schedules.ddpm_linear()(np.arange(1, 1001) / 1000)
    np.testing.assert_allclose(2 * np.log(alpha)[99:], log_signal_power[99:], rtol=0.01)


def test_log_linear_is_geometric():
    schedule = schedules.log_linear(0.01, 10)
    alpha, sigma = schedule(schedule.times(3))
    np.testing.assert_allclose(sigma, [10, 1, 0.1, 0.01])
    assert (alpha == 1).all()


def test_flow_is_the_straight_line():
    x0, noise = 3.0, -1.0
    path = [alpha * x0 + sigma * noise for alpha, sigma in map(schedules.flow(), [0, 0.25, 0.5, 1])]
    assert path == [3.0, 2.0, 1.0, -1.0]


@pytest.mark.parametrize(
    ("name", "alpha", "sigma"),
    [
        ("cosine", 0.01247, 0.99992),
        ("cosine without offset", 0.0, 1.0),
        ("ddpm_linear", math.sqrt(4.32e-5), 0.99998),
        ("log_linear", 1.0, 80.0),
        ("flow", 0.0, 1.0),
    ],
)
def test_terminal_signal(name, alpha, sigma):
    assert ALL[name](1.0) == pytest.approx((alpha, sigma), rel=1e-3)


@pytest.mark.parametrize("name", ["cosine without offset", "flow"])
def test_no_signal_is_exactly_none_and_has_no_drift(name):
    schedule = ALL[name]
    assert schedule(1.0)[0] == 0.0
    assert schedule.log_snr(1.0) == -math.inf
    with pytest.raises(ValueError, match=r"alpha = 0 at t = 1.*start below"):
        sde(schedule, 1.0)


@every_schedule
def test_starts_at_the_picture(schedule):
    alpha, sigma = schedule(0.0)
    assert alpha == 1.0
    assert sigma == (0.002 if schedule.name == "log_linear" else 0.0)
    assert schedule.log_snr(0.0) == (math.inf if sigma == 0 else pytest.approx(-2 * math.log(sigma)))


@every_schedule
def test_numbers_and_arrays_agree(schedule):
    t = np.linspace(0.1, 0.9, 6).reshape(2, 3)
    pairs = [
        (schedule(t), schedule),
        (sde(schedule, t), partial(sde, schedule)),
        ([schedule.log_snr(t)], schedule.log_snr),
    ]
    for values, function in pairs:
        for k, value in enumerate(values):
            assert value.shape == t.shape and value.dtype == np.float64
            for index in np.ndindex(t.shape):
                one = function(float(t[index]))
                one = one if isinstance(one, tuple) else (one,)
                assert type(one[k]) is float  # so that it never changes the dtype of a float32 picture
                assert one[k] == pytest.approx(value[index], rel=1e-12)


@every_schedule
@given(steps=st.integers(1, 200))
def test_times_fall_from_noise_to_picture(schedule, steps):
    times = schedule.times(steps)
    assert times.shape == (steps + 1,) and times.dtype == np.float64
    assert times[0] == 1.0 and times[-1] == 0.0
    np.testing.assert_allclose(np.diff(times), -1 / steps)


@pytest.mark.parametrize("steps", [0, -3])
def test_a_grid_needs_a_step(steps):
    with pytest.raises(ValueError, match=rf"steps is {steps}, expected an integer >= 1"):
        schedules.flow().times(steps)


@pytest.mark.parametrize("steps", [2.0, "20", None, True])
def test_a_grid_needs_a_whole_number(steps):
    with pytest.raises(TypeError, match="expected an integer"):
        schedules.flow().times(steps)


@pytest.mark.parametrize("t", [-0.1, 1.0001, math.nan, math.inf, np.array([0.5, 2.0])])
def test_time_outside_0_1_is_refused(t):
    for function in (schedules.cosine(), schedules.cosine().log_snr, partial(sde, schedules.cosine())):
        with pytest.raises(ValueError, match=r"expected times in \[0, 1\]"):
            function(t)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: schedules.cosine(0.9), "stretch is 0.9"),
        (lambda: schedules.cosine(math.nan), "stretch is nan"),
        (lambda: schedules.cosine(math.inf), "stretch is inf"),
        (lambda: schedules.ddpm_linear(-1, 20), "rate_min"),
        (lambda: schedules.ddpm_linear(20, 1), "rate_min"),
        (lambda: schedules.log_linear(0, 80), "sigma_min"),
        (lambda: schedules.log_linear(1, 1), "sigma_min"),
        (lambda: schedules.log_linear(0.1, math.inf), "sigma_min"),
    ],
)
def test_impossible_parameters_are_refused(make, says):
    with pytest.raises(ValueError, match=rf"{says}.*expected"):
        make()


def test_a_schedule_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedules.flow().name = "other"


def test_flow_returns_arrays_of_its_own():
    times = np.linspace(0, 1, 5)
    _, sigma = schedules.flow()(times)
    assert not np.shares_memory(times, sigma)


def test_a_name_says_which_settings():
    assert schedules.cosine().name == "cosine"
    assert schedules.cosine(2.0).name == "cosine(2.0)"
    assert schedules.log_linear(0.01).name == "log_linear(0.01, 80.0)"
    assert schedules.ddpm_linear().name == "ddpm_linear"
