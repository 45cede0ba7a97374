"""Trained twins: networks of a class reach the closed form of that class, its answers and its generated law (B1-B3)."""

import numpy as np
import pytest

from edudiff import denoisers, nn, reverse
from edudiff import schedule as schedules
from edudiff.data import toys

COSINE = schedules.cosine()
DATA = (toys.ring(500, np.random.default_rng(0)) * [1, 0.5] + [0.2, -0.1]).astype(np.float32)
WIDE = DATA.astype(np.float64)
SCALE = {"sigma_data": float(np.sqrt((WIDE**2).mean()))}
TWINS = {
    "linear": (nn.Linear(2, **SCALE), denoisers.Linear.fit(WIDE), 1500, "edm"),
    "bottleneck": (
        nn.Bottleneck(2, 1, **SCALE, rng=np.random.default_rng(3)),
        denoisers.Bottleneck.fit(WIDE, 1),
        1500,
        "x0",
    ),
    "polynomial": (nn.Polynomial(2, 3, **SCALE), denoisers.Polynomial.fit(WIDE, 3), 1000, "edm"),
}


@pytest.fixture(scope="module", params=TWINS)
def twins(request):
    net, closed, steps, weighting = TWINS[request.param]
    rng = np.random.default_rng(2)
    how = {"batch": 512, "rate": 2e-2, "ema_decay": 0.99, "weighting": weighting}
    *_, state = nn.train(net, DATA, COSINE, rng, steps, **how)
    x = reverse.start(COSINE, (2000, 2), np.random.default_rng(5))
    drawn = [reverse.sample(denoise, COSINE, x, COSINE.times(50)) for denoise in (state.ema, closed)]
    return request.param, state.ema, closed, drawn


def distance(a, b):
    """Root mean square difference in standard deviations of the data."""
    return float(np.sqrt((((a - b) / WIDE.std(0)) ** 2).mean()))


@pytest.mark.parametrize("t", [0.15, 0.5, 0.8])
def test_the_trained_denoiser_is_the_closed_form(twins, t):
    kind, net, closed, _ = twins
    (alpha, sigma), rng = COSINE(t), np.random.default_rng(6)
    x = alpha * WIDE + sigma * rng.standard_normal(WIDE.shape)
    assert distance(net(x, alpha, sigma), closed(x, alpha, sigma)) < (0.05 if kind == "polynomial" else 0.02)


def test_the_trained_denoiser_draws_the_law_of_the_closed_form(twins):
    """From the same noise: mean and covariance of 2,000 samples, in units of the data's standard deviations."""
    kind, _, closed, (trained, exact) = twins
    limit = {"linear": 0.01, "bottleneck": 0.02, "polynomial": 0.03}[kind]
    size = WIDE.std(0)
    assert (np.abs(trained.mean(0) - exact.mean(0)) < limit * size).all()
    assert (np.abs(np.cov(trained.T) - np.cov(exact.T)) < 1.5 * limit * np.outer(size, size)).all()
    if kind != "polynomial":
        law = closed.generated_by_ddim([COSINE(t) for t in COSINE.times(50)])
        assert np.median(np.abs(trained - exact)) < limit * size.max()
        assert law.difference(trained).frechet < 5 / np.sqrt(2000)
