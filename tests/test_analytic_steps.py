"""One step at a time: what each method does to a Gaussian, for which every factor has a formula (P17, P19-P23)."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import Gaussian, point

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.forward import sde

COSINE = schedules.cosine()
ALL = [COSINE, schedules.ddpm_linear(), schedules.log_linear(), schedules.flow()]
every_schedule = pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
step_counts = st.integers(1, 40)
variances = st.floats(0.01, 4)
falling = st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98)).filter(lambda t: t[0] - t[1] > 0.01)


def levels(schedule, times):
    return [reverse.Level(*schedule(float(t)), float(t)) for t in times]


def zeros():
    return 0.0


def ones():
    return 1.0


@every_schedule
@given(steps=step_counts, m=st.floats(-1, 1))
def test_ddim_is_exact_on_one_point_for_any_number_of_steps_p17(schedule, steps, m):
    """(x - alpha m) / sigma, the noise in x, never changes."""
    x = np.array([[0.3, -2.0]]) * schedule(1.0)[1]
    alpha, sigma = schedule(1.0)
    noise = (x - alpha * m) / sigma
    for step in reverse.steps(point(m), schedule, x, schedule.times(steps)):
        alpha, sigma = schedule(step.t_next)
        np.testing.assert_allclose(step.x_next, alpha * m + sigma * noise, rtol=1e-9, atol=1e-9)


@every_schedule
@given(steps=step_counts, variance=variances, mean=st.floats(-1, 1))
def test_ddim_scales_a_gaussian_mode_by_its_factor_p19(schedule, steps, variance, mean):
    """Away from the mean, one step multiplies by f = (a a' l + b b') / (a^2 l + b^2)."""
    x = np.array([[1.0, -0.5]]) * schedule(1.0)[1]
    for s in reverse.steps(Gaussian(mean, variance), schedule, x, schedule.times(steps)):
        (a, b), (a2, b2) = schedule(s.t), schedule(s.t_next)
        f = (a * a2 * variance + b * b2) / (a**2 * variance + b**2)
        np.testing.assert_allclose(s.x_next - a2 * mean, f * (s.x - a * mean), rtol=1e-9, atol=1e-12)


@every_schedule
@given(steps=step_counts, variance=variances)
def test_ddim_shrinks_by_the_angles_between_noise_levels_p20(schedule, steps, variance):
    """With u = (a sqrt(l), b): the variance after the walk is the exact one times prod cos^2(angle(u_i, u_i+1))."""
    times = schedule.times(steps)
    u = np.array([(a * math.sqrt(variance), b) for a, b in map(schedule, times)])
    length = np.linalg.norm(u, axis=1)
    cosines = np.sum(u[1:] * u[:-1], axis=1) / (length[1:] * length[:-1])
    x = np.array([[length[0]]])  # one standard deviation of the noisy law
    deviation = reverse.sample(Gaussian(0, variance), schedule, x, times).item()
    exact = length[-1]
    assert deviation**2 == pytest.approx(exact**2 * np.prod(cosines**2), rel=1e-9)
    assert deviation < exact


@pytest.mark.parametrize(("steps", "variance"), [(10, 0.7805), (20, 0.8838), (50, 0.9518), (1000, 0.9975)])
def test_ddim_variance_on_the_pure_cosine_p21(steps, variance):
    """Unit variance in, cos(pi / 2N)^2N out."""
    schedule = schedules.cosine(stretch=1)
    out = reverse.sample(Gaussian(0, 1), schedule, np.ones((1, 1)), schedule.times(steps)).item()
    assert out**2 == pytest.approx(math.cos(math.pi / 2 / steps) ** (2 * steps), rel=1e-10)
    assert out**2 == pytest.approx(variance, abs=1e-4)


@every_schedule
@given(t=falling, x=st.floats(-3, 3), x0=st.floats(-1, 1))
def test_ddpm_draws_from_the_posterior(schedule, t, x, x0):
    """q(x_then | x_now, x0) by conditioning the Gaussian pair (x_then, x_now) given x0: cov = (a / a') b'^2."""
    now, then = levels(schedule, t)
    cov = now.alpha / then.alpha * then.sigma**2
    mean = then.alpha * x0 + cov / now.sigma**2 * (x - now.alpha * x0)
    deviation = math.sqrt(then.sigma**2 - cov**2 / now.sigma**2)
    assert reverse.posterior_sigma(now, then) == pytest.approx(deviation, rel=1e-6)
    assert reverse.ddpm(x, x0, now, then, zeros) == pytest.approx(mean, abs=1e-9)
    assert reverse.ddpm(x, x0, now, then, ones) == pytest.approx(mean + deviation, abs=1e-7)


@every_schedule
@given(t=falling, eta=st.floats(0, 1))
def test_eta_trades_seen_noise_for_fresh_noise(schedule, t, eta):
    """Given the true x0, every eta keeps the noisy law's variance: (b' / b)^2-scaled kept part + fresh part = b'^2."""
    now, then = levels(schedule, t)
    kept = reverse.ddim(now.sigma, 0.0, now, then, zeros, eta)
    fresh = reverse.ddim(0.0, 0.0, now, then, ones, eta)
    assert fresh == pytest.approx(eta * reverse.posterior_sigma(now, then))
    assert kept**2 + fresh**2 == pytest.approx(then.sigma**2)


@pytest.mark.parametrize(("eta", "variance"), [(0.0, 0.8838), (1.0, 0.8109)])
def test_ancestral_variance_on_a_gaussian_p22(eta, variance):
    """v' = A^2 v + s^2, A = (a' a l + sqrt(b'^2 - s^2) b) / V, V = a^2 l + b^2, here l = 1; the formula, and drawn."""
    schedule, v = schedules.cosine(stretch=1), 1.0
    for (a, b, _), (a2, b2, _) in pairwise(levels(schedule, schedule.times(20))):
        s = eta * math.sqrt(b2**2 - (a / a2 * b2**2 / b) ** 2)
        total = a**2 + b**2
        v = (a2 * a / total + math.sqrt(b2**2 - s**2) * b / total) ** 2 * v + s**2
    assert v == pytest.approx(variance, abs=1e-4)

    rng = np.random.default_rng(0)
    n = 40_000
    x = reverse.start(schedule, (1, n), rng)
    drawn = reverse.sample(Gaussian(0, 1), schedule, x, schedule.times(20), eta=eta, rng=rng)
    assert drawn.var() == pytest.approx(v, rel=4 * math.sqrt(2 / n))


@given(steps=step_counts, variance=variances, mean=st.floats(-1, 1))
@every_schedule
def test_ddim_over_alpha_is_euler_in_the_noise_ratio_p23(schedule, steps, variance, mean):
    """y = x / alpha, s = sigma / alpha, dy/ds = (y - D(y, s)) / s: the loop of the variance-exploding papers."""
    law, times = Gaussian(mean, variance), np.linspace(0.95, 0.05, steps + 1)
    alpha, sigma = schedule(times)
    s = sigma / alpha
    x = np.array([[1.0, -0.5]]) * sigma[0]
    y = x / alpha[0]
    for i, step in enumerate(reverse.steps(law, schedule, x, times)):
        y = y + (s[i + 1] - s[i]) * (y - law(y, 1.0, s[i])) / s[i]
        np.testing.assert_allclose(step.x_next / alpha[i + 1], y, rtol=1e-9, atol=1e-9)


@every_schedule
@given(t=falling, x=st.floats(-3, 3))
def test_euler_maruyama_is_the_reversed_drift_and_diffusion(schedule, t, x):
    """Anderson's reverse SDE, its drift and diffusion from finite differences of alpha and sigma (dt < 0)."""
    law = Gaussian(0.3, 0.5)
    now, then = levels(schedule, t)
    h = 1e-6
    a, b2 = (lambda s: schedule(s)[0]), (lambda s: schedule(s)[1] ** 2)
    f = (math.log(a(now.t + h)) - math.log(a(now.t - h))) / (2 * h)
    g2 = (b2(now.t + h) - b2(now.t - h)) / (2 * h) - 2 * f * b2(now.t)
    dt = then.t - now.t
    mean = x + (f * x - g2 * law.score(x, now.alpha, now.sigma)) * dt
    x0_hat = law(x, now.alpha, now.sigma)
    drift_only = reverse.euler_maruyama(x, x0_hat, now, then, zeros, partial(sde, schedule))
    assert drift_only == pytest.approx(mean, rel=1e-4, abs=1e-4)
    noisy = reverse.euler_maruyama(x, x0_hat, now, then, ones, partial(sde, schedule))
    assert noisy - drift_only == pytest.approx(math.sqrt(g2 * -dt), rel=1e-4, abs=1e-4)
