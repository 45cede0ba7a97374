"""More ways back: their order (P24), their exact laws on Gaussians, where they stop, what they ask, what is refused."""

import math
from itertools import pairwise

import numpy as np
import pytest
from known import Gaussian, point

from edudiff import reverse, sampling
from edudiff import schedule as schedules
from edudiff.denoisers import Polynomial
from edudiff.sampling import churn, spacing
from edudiff.support.random import streams

COSINE, FLOW = schedules.cosine(), schedules.flow()
ALL = [COSINE, schedules.ddpm_linear(), schedules.log_linear(0.02, 20), FLOW]
every_schedule = pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
LAW = Gaussian(0.3, 0.5)


def level(schedule, t):
    return reverse.Level(*schedule(float(t)), float(t))


def flow_error(schedule, steps, **settings):
    """Distance from the exact probability flow after so many steps from t = 0.9 to 0.1."""
    x = np.array([[1.3]])
    out = sampling.sample(LAW, schedule, x, np.linspace(0.9, 0.1, steps + 1), **settings)
    return abs(out - LAW.flow(x, level(schedule, 0.9), level(schedule, 0.1))).item()


@every_schedule
def test_the_multistep_method_is_of_order_two_p24(schedule):
    errors = [flow_error(schedule, steps, method="multistep") for steps in (256, 512, 1024)]
    np.testing.assert_allclose(-np.diff(np.log2(errors)), 2, atol=0.1)


def test_two_answers_are_better_than_one_for_the_same_price():
    """20 questions on the cosine schedule: the error is less than a fifth of DDIM's."""
    assert flow_error(COSINE, 20, method="multistep") < flow_error(COSINE, 20, method="ddim") / 5


def test_the_multistep_method_asks_once_a_step():
    asked = []
    sampling.sample(lambda *a: asked.append(a[1:]) or LAW(*a), FLOW, np.ones((1, 2)), FLOW.times(5))
    assert asked == [FLOW(t) for t in FLOW.times(5)[:-1]]


@every_schedule
def test_the_multistep_method_is_exact_on_one_point(schedule):
    x = np.array([[1.0, -0.3]]) * schedule(1.0)[1]
    np.testing.assert_allclose(sampling.sample(point(0.25), schedule, x, schedule.times(7)), 0.25, atol=0.05)
    if schedule is not ALL[2]:
        np.testing.assert_allclose(sampling.sample(point(0.25), schedule, x, schedule.times(7)), 0.25, atol=1e-12)


def test_a_multistep_step_is_a_line_through_two_answers():
    """The formula of Lu et al. 2022: x' = sigma'/sigma x - alpha' (e^-h - 1) ((1 + 1/2r) D - 1/2r D_before)."""
    *_, a, b, c, d = sampling.steps(LAW, COSINE, np.array([[1.0]]), np.linspace(0.9, 0.2, 8), "multistep")
    for last, now, then in ((a, b, c), (b, c, d)):
        (a0, s0), (a1, s1), (a2, s2) = ((p.alpha, p.sigma) for p in (last, now, then))
        h, r = math.log(a2 * s1 / (s2 * a1)), math.log(a1 * s0 / (s1 * a0)) / math.log(a2 * s1 / (s2 * a1))
        ahead = (1 + 1 / (2 * r)) * now.x0_hat - last.x0_hat / (2 * r)
        np.testing.assert_allclose(now.x_next, s2 / s1 * now.x - a2 * (math.exp(-h) - 1) * ahead, rtol=1e-12)


@every_schedule
@pytest.mark.parametrize("rho", [1.0, 3.0, 7.0])
def test_times_space_the_noise_levels(schedule, rho):
    times = sampling.times(schedule, 12, rho, sigma_max=10.0)
    assert times.shape == (13,) and times[-1] == 0 and (np.diff(times) < 0).all()
    alpha, sigma = schedule(times if schedule is ALL[2] else times[:-1])
    roots = (sigma / alpha) ** (1 / rho)
    np.testing.assert_allclose(np.diff(roots), np.diff(roots).mean(), rtol=1e-6)
    assert sigma[0] / alpha[0] == pytest.approx(10, rel=1e-9)
    assert (sigma / alpha)[-1] == pytest.approx(0.02 if schedule is ALL[2] else 0.002, rel=1e-9)


def test_times_hold_themselves_to_the_schedule():
    assert sampling.times(FLOW, 4)[0] == pytest.approx(80 / 81)
    assert sampling.times(COSINE, 4, sigma_max=1e6)[0] == 1  # the schedule has no more noise
    assert sampling.times(schedules.log_linear(), 1, sigma_min=0.002).tolist() == [1, 0]


@every_schedule
def test_a_time_is_found_from_its_noise_level(schedule):
    t = np.array([0.05, 0.3, 0.71, 0.98])
    alpha, sigma = schedule(t)
    np.testing.assert_allclose(spacing.time_of(schedule, sigma / alpha), t, rtol=1e-9)
    assert spacing.time_of(schedule, float(sigma[1] / alpha[1])) == pytest.approx(0.3)
    assert spacing.time_of(schedule, 1e9) == pytest.approx(1) and spacing.time_of(schedule, 0.0) == 0


def test_without_churn_it_is_heun():
    x, times = np.array([[1.0, -0.3]]), COSINE.times(9)
    heun = reverse.sample(LAW, COSINE, x, times, "heun")
    still = sampling.sample(LAW, COSINE, x, times, "churn", np.random.default_rng(0), churn=0)
    np.testing.assert_array_equal(still, heun)
    outside = sampling.sample(LAW, COSINE, x, times, "churn", np.random.default_rng(0), low=1e5, high=1e6)
    np.testing.assert_array_equal(outside, heun)


@every_schedule
def test_raised_noise_has_the_variance_of_its_level(schedule):
    """x / alpha gets the variance that the raised level has more than the old one."""
    now = level(schedule, 0.4)
    x = np.array([[0.7]])
    (low, up), (high, _) = (churn.raised(x, now, 1.3, schedule, np.array([[z]])) for z in (0.0, 1.0))
    assert up.sigma / up.alpha == pytest.approx(1.3 * now.sigma / now.alpha, rel=1e-9)
    assert low.item() / up.alpha == pytest.approx(0.7 / now.alpha)
    more = ((high - low) / up.alpha).item() ** 2
    assert more == pytest.approx((up.sigma / up.alpha) ** 2 - (now.sigma / now.alpha) ** 2)
    top = level(schedule, 1.0)
    assert churn.raised(x, top, 1.3, schedule, x) == (x, top)


def test_churn_draws_from_its_law_on_a_gaussian():
    """Mean and variance step by step: raised, then what a Heun step does to two points; and drawn, within 4 errors."""
    times, count, amount = sampling.times(COSINE, 12, sigma_max=20.0), 40_000, 6.0
    _, sigma = COSINE(times[0])
    mean, variance = 0.0, sigma**2
    for now, then in pairwise([level(COSINE, t) for t in times]):
        if 0.05 <= now.sigma / now.alpha <= 50:
            ratio = (1 + amount / 12) * now.sigma / now.alpha if amount / 12 < churn.MOST else None
            ratio = ratio or (1 + churn.MOST) * now.sigma / now.alpha
            t = spacing.time_of(COSINE, ratio)
            if t < 1:
                up = level(COSINE, t)
                mean *= up.alpha / now.alpha
                variance = (variance / now.alpha**2 + ratio**2 - (now.sigma / now.alpha) ** 2) * up.alpha**2
                now = up
        ends = [reverse.heun(x, LAW(x, now.alpha, now.sigma), now, then, LAW) for x in (0.0, 1.0)]
        mean, variance = ends[0] + mean * (ends[1] - ends[0]), variance * (ends[1] - ends[0]) ** 2
    x = sigma * np.random.default_rng(1).standard_normal((1, count))
    drawn = sampling.sample(LAW, COSINE, x, times, "churn", np.random.default_rng(0), churn=amount)
    assert drawn.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / count))
    assert drawn.var() == pytest.approx(variance, rel=4 * math.sqrt(2 / count))


def test_langevin_on_a_gaussian_has_a_variance_that_grows_with_the_step():
    """x' = (1 - h / V) x + (2 h)^0.5 n: a walk of order 1, so V / (1 - h / 2 V) after many steps."""
    alpha, sigma, size, count = 0.8, 0.6, 0.5, 40_000
    total, h = LAW.variance_at(alpha, sigma), size * sigma**2
    *_, x = sampling.langevin_steps(LAW, np.zeros((1, count)), alpha, sigma, 60, np.random.default_rng(0), size)
    assert x.mean() == pytest.approx(alpha * LAW.mean, abs=4 * math.sqrt(total / count))
    assert x.var() == pytest.approx(total / (1 - h / (2 * total)), rel=4 * math.sqrt(2 / count))


def test_langevin_draws_the_polynomials_own_law():
    """At one noise level the best cubic draws exp(a polynomial of degree 4), not the noisy data's law (P44)."""
    points = np.array([[-1.0], [-0.9], [0.7], [1.0], [1.1]])
    denoise = Polynomial.fit(points, 3)
    law = denoise.langevin(1.0, 0.6)
    each = lambda x, alpha, sigma: denoise(x.reshape(-1, 1), alpha, sigma).reshape(x.shape)  # noqa: E731
    *_, x = sampling.langevin_steps(each, np.zeros((1, 8000)), 1.0, 0.6, 400, np.random.default_rng(0), 0.03)
    for order in (1, 2, 3, 4):
        assert (x**order).mean() == pytest.approx(law.moment(order), abs=0.08)


def test_annealed_langevin_on_a_gaussian_is_a_recursion():
    """A walk at each level, v' = (1 - h / V)^2 v + 2 h, and the scale of the next; then drawn, within 4 errors."""
    times, size, count = np.linspace(0.95, 0.02, 15), 0.3, 20_000
    x = reverse.start(COSINE, (1, count), np.random.default_rng(1))
    mean, variance = x.mean(), x.var()
    for now, then in pairwise([level(COSINE, t) for t in times]):
        total, h = LAW.variance_at(now.alpha, now.sigma), size * now.sigma**2
        for _ in range(8):
            mean = mean + h / total * (now.alpha * LAW.mean - mean)
            variance = (1 - h / total) ** 2 * variance + 2 * h
        mean, variance = mean * then.alpha / now.alpha, variance * (then.alpha / now.alpha) ** 2
    drawn = sampling.sample(LAW, COSINE, x, times, "langevin", np.random.default_rng(0), steps=8, size=size)
    assert drawn.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / count))
    assert drawn.var() == pytest.approx(variance, rel=4 * math.sqrt(2 / count))
    *_, last = sampling.steps(LAW, COSINE, x[:, :5], COSINE.times(6)[1:], "langevin", np.random.default_rng(0))
    np.testing.assert_array_equal(last.x_next, last.x0_hat)


@pytest.mark.parametrize(
    ("method", "name"), [("churn", "noise"), ("churn", "churn"), ("langevin", "size"), ("ddim", "eta")]
)
def test_a_number_of_numpys_among_the_settings_leaves_float32_as_it_is(method, name):
    x = np.random.default_rng(0).standard_normal((2, 3)).astype("f4")
    walk = sampling.steps(LAW, COSINE, x, np.linspace(0.9, 0, 4), method, streams(1, 2), **{name: np.float64(0.5)})
    assert {s.x_next.dtype for s in walk} == {np.dtype("f4")}
    for walked in sampling.langevin_steps(LAW, x, 0.6, 0.8, 1, streams(1, 2), size=np.float64(0.5)):
        assert walked.dtype == np.float32


@pytest.mark.parametrize("method", sampling.METHODS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_method_keeps_dtype_and_streams(method, dtype):
    """And item 2 is the same in a batch of its own; inputs are not written to."""
    x = np.random.default_rng(0).standard_normal((3, 4, 5, 1)).astype(dtype)
    x.flags.writeable = False
    times = np.linspace(0.9, 0, 7)
    walk = list(sampling.steps(LAW, COSINE, x, times, method, streams(1, 3)))
    assert [s.i for s in walk] == list(range(6))
    assert all(a.dtype == dtype for s in walk for a in (s.x, s.x0_hat, s.x_next))
    alone = sampling.sample(LAW, COSINE, x[2:], times, method, streams(1, [2]))
    np.testing.assert_allclose(walk[-1].x_next[2:], alone, atol=1e-5 if dtype == "f4" else 1e-12)


@pytest.mark.parametrize("method", sampling.METHODS)
def test_every_method_runs_on_the_device(method, standin_cupy):
    x = np.random.default_rng(0).standard_normal((2, 3))
    times = np.linspace(0.9, 0, 5)
    host = sampling.sample(LAW, COSINE, x, times, method, streams(1, 2))
    device = sampling.sample(LAW, COSINE, standin_cupy.asarray(x), times, method, streams(1, 2))
    np.testing.assert_array_equal(device.get(), host)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: sampling.steps(LAW, COSINE, x, [1, 0], "heum"), "method is 'heum', .*did you mean heun"),
        (lambda x: sampling.steps(LAW, COSINE, x, [1, 0], "churn"), "method 'churn' draws noise: pass rng="),
        (lambda x: sampling.steps(LAW, COSINE, x, [0, 1]), "fall strictly"),
        (lambda x: sampling.steps(LAW, COSINE, x, [1, 0], "churn", 1, churn=-1), "expected churn >= 0"),
        (lambda x: sampling.langevin_steps(LAW, x, 0.6, 0.8, 5, 1, size=2.0), "size is 2.0, expected 0 < size <= 1"),
        (lambda x: sampling.steps(LAW, FLOW, x, [1, 0.5], "langevin", 1), "alpha = 0 at t = 1.0"),
        (lambda x: sampling.times(COSINE, 5, rho=0), "rho is 0"),
        (lambda x: sampling.times(COSINE, 5, sigma_min=3.0, sigma_max=2.0), "expected 0 < sigma_min < sigma_max"),
        (lambda x: sampling.times(schedules.log_linear(0.1, 1.0), 5, sigma_min=2.0), "sigma_min is 2.0, expected less"),
    ],
)
def test_bad_settings_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call(np.ones((1, 2)))
