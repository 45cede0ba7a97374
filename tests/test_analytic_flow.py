"""Many steps: the probability-flow ODE carries quantiles, densities and Gaussians where it must (P16, P18, P24-P26)."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from known import Atoms, Gaussian

from edudiff import reverse
from edudiff import schedule as schedules

COSINE = schedules.cosine()
ALL = [COSINE, schedules.ddpm_linear(), schedules.log_linear(0.02, 20), schedules.flow()]
every_schedule = pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
ATOMS = Atoms([-0.9, -0.5, 0.1, 0.3, 1.0])


def level(schedule, t):
    return reverse.Level(*schedule(float(t)), float(t))


def flow_error(schedule, method, steps, first=0.9, last=0.1):
    """Distance from the exact probability flow of a Gaussian after `steps` steps from t = first to last."""
    law, x = Gaussian(0.3, 0.5), np.array([[1.3]])
    out = reverse.sample(law, schedule, x, np.linspace(first, last, steps + 1), method=method)
    return abs(out - law.flow(x, level(schedule, first), level(schedule, last))).item()


@every_schedule
@pytest.mark.parametrize(("method", "order"), [("ddim", 1), ("heun", 2)])
def test_order_of_convergence_p24(schedule, method, order):
    errors = [flow_error(schedule, method, steps) for steps in (128, 256, 512)]
    slopes = -np.diff(np.log2(errors))
    np.testing.assert_allclose(slopes, order, atol=0.06)


@every_schedule
@pytest.mark.parametrize(("method", "order"), [("ddim", 1), ("heun", 2)])
def test_there_and_back_again_p25(schedule, method, order):
    """Up the grid to noise and down again returns to the start, to the order of the method."""
    law, x = Gaussian(0.3, 0.5), np.array([[0.7]])

    def defect(steps):
        y = x
        grid = [level(schedule, t) for t in np.linspace(0.2, 0.8, steps + 1)]
        for now, then in pairwise(grid):
            extra = {"denoise": law} if method == "heun" else {}
            y = getattr(reverse, method)(y, law(y, now.alpha, now.sigma), now, then, **extra)
        assert abs(y - law.flow(x, grid[0], grid[-1])).item() < 0.05 * schedule(0.8)[1]
        return abs(reverse.sample(law, schedule, y, [g.t for g in grid[::-1]], method=method) - x).item()

    coarse, fine = defect(128), defect(256)
    assert fine < 0.01
    assert math.log2(coarse / fine) > order - 0.1


@pytest.mark.parametrize("method", ["ddim", "ddpm", "heun"])
def test_only_the_noise_levels_matter_not_their_times_p25(method):
    """The same (alpha, sigma) grid under another clock, t -> t^2, is the same walk."""
    slow = dataclasses.replace(COSINE, alpha=lambda t: COSINE.alpha(t**2), sigma=lambda t: COSINE.sigma(t**2))
    x, times = np.array([[1.0, -0.3], [0.2, 2.0]]), COSINE.times(10)
    one, two = (
        reverse.sample(both_axes, schedule, x, grid, method=method, rng=np.random.default_rng(0))
        for schedule, grid in ((COSINE, times), (slow, np.sqrt(times)))
    )
    np.testing.assert_allclose(one, two, rtol=1e-9)


def both_axes(x, alpha, sigma):
    return np.hstack([ATOMS(x[:, k : k + 1], alpha, sigma) for k in range(x.shape[1])])


@every_schedule
@pytest.mark.parametrize("method", ["ddim", "heun"])
def test_the_flow_of_1d_data_is_the_quantile_map_p18(schedule, method):
    """A point at quantile q of the noisy law lands on atom floor(N q): each atom gets 1 / N of the noise."""
    alpha, sigma = schedule(0.98)
    x = np.linspace(-2.5, 2.5, 601)[:, None] * math.hypot(alpha, sigma)
    index = len(ATOMS.points) * ATOMS.distribution(x, alpha, sigma)
    clear = abs(index - np.round(index)) > 0.02  # the grid of times is not infinitely fine
    out = reverse.sample(ATOMS, schedule, x, np.linspace(0.98, 0, 1001), method=method)
    expected = ATOMS.points[np.floor(index).astype(int)][:, None]
    assert clear.mean() > 0.8
    np.testing.assert_allclose(out[clear], expected[clear], atol=1e-3 + 4 * schedule(0.0)[1])


@every_schedule
def test_the_flow_carries_the_density_p26(schedule):
    """Change of variables: log p(x0) = log p(xT) + log |dxT / dx0|, the integral of the divergence along the path."""
    first, last, h = 0.8, 0.3, 1e-4
    x = np.linspace(-1.5, 1.5, 31)[:, None] * math.hypot(*schedule(first))

    def end(x):
        return reverse.sample(ATOMS, schedule, x, np.linspace(first, last, 401), method="heun")

    stretch = (end(x + h) - end(x - h))[:, 0] / (2 * h)
    moved = ATOMS.log_density(x, *schedule(first)) - np.log(stretch)
    np.testing.assert_allclose(ATOMS.log_density(end(x), *schedule(last)), moved, atol=2e-3)


@every_schedule
@pytest.mark.parametrize("method", ["ddim", "ddpm", "euler_maruyama"])
def test_every_method_draws_from_the_data_law(schedule, method):
    """500 steps from the noisy law at t = 0.99 end at N(0.3, 0.5): within 4 standard errors and O(1 / steps)."""
    law, n = Gaussian(0.3, 0.5), 20_000
    alpha, sigma = schedule(0.99)
    rng = np.random.default_rng(0)
    x = alpha * law.mean + math.sqrt(law.variance_at(alpha, sigma)) * rng.standard_normal((1, n))
    out = reverse.sample(law, schedule, x, np.linspace(0.99, 0, 501), method=method, rng=rng)
    assert out.mean() == pytest.approx(law.mean, abs=4 * math.sqrt(law.variance / n) + 0.01)
    assert out.var() == pytest.approx(law.variance, rel=4 * math.sqrt(2 / n) + 0.03)
    z = (out - out.mean()) / out.std()
    assert abs(np.mean(z**3)) < 0.08 and abs(np.mean(z**4) - 3) < 0.2
