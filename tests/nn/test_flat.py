"""Trained twins: gradient descent on the denoising error reaches the closed form (theory B1, B2, B3)."""

import math
from collections import deque

import numpy as np
import pytest

import edudiff as ed
from edudiff import nn
from edudiff.nn.noise_level import log_ratio, shares

ALPHA, SIGMA = 0.8, 0.6
S2 = (SIGMA / ALPHA) ** 2  # the noise's variance in x / alpha


def constant(alpha, sigma):
    """A schedule with one noise level."""
    curves = [lambda t, v=v: np.full_like(t, v) for v in (alpha, sigma)]
    return ed.schedule.Schedule("constant", *curves)


def cloud(count=2000):
    """Points (N, 4) whose components have clearly different variances, and what the formulas need of them."""
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    points = rng.uniform(-1, 1, (count, 4)) * [1.6, 1.2, 0.5, 0.2] @ turn + [0.4, -0.3, 0.2, 0.0]
    variances, basis = np.linalg.eigh(np.cov(points.T, bias=True))  # rising
    return points.astype(np.float32), points.mean(axis=0), variances, basis


def noisy(points, seed=1):
    noise = np.random.default_rng(seed).standard_normal(points.shape)
    return (ALPHA * points + SIGMA * noise).astype(np.float32)


def trained(net, points, steps=700, weighting="edm", rate=2e-2, batch=512):
    """The averaged network after training at one noise level."""
    how = {"batch": batch, "rate": rate, "ema_decay": 0.99, "weighting": weighting}
    states = nn.train(net, points, constant(ALPHA, SIGMA), np.random.default_rng(2), steps, **how)
    return deque(states, maxlen=1).pop().ema


def distance(x0_hat, expected):
    """Root mean square of the difference, in parts of that of the expected answer's deviation from its mean."""
    return math.sqrt(np.mean((x0_hat - expected) ** 2) / np.var(expected, axis=0).mean())


@pytest.mark.parametrize("target", ("edm", "eps", "x0", "v", "flow"))
def test_trained_linear_is_the_wiener_filter_whatever_its_target(target):
    """B1: mean + S (S + s^2)^-1 (x / alpha - mean)."""
    points, mean, variances, basis = cloud()
    x = noisy(points)
    expected = mean + (x / ALPHA - mean) @ basis @ np.diag(variances / (variances + S2)) @ basis.T
    weighting = {"flow": "v"}.get(target, target)
    net = trained(nn.Linear(4, levels=1, target=target, sigma_data=0.6), points, weighting=weighting)
    assert distance(net(x, ALPHA, SIGMA), expected) < 0.02
    np.testing.assert_allclose(ed.denoisers.Linear.fit(points)(x, ALPHA, SIGMA), expected, atol=1e-4)


@pytest.mark.parametrize("k", (1, 2))
def test_trained_bottleneck_for_x0_keeps_the_top_components(k):
    """B3: mean + U diag(l / (l + s^2)) U^T (x / alpha - mean), U the k components of largest variance."""
    points, mean, variances, basis = cloud()
    x = noisy(points)
    top, gain = basis[:, -k:], variances[-k:] / (variances[-k:] + S2)
    expected = mean + (x / ALPHA - mean) @ top @ np.diag(gain) @ top.T
    net = trained(nn.Bottleneck(4, k, levels=1), points, weighting="x0")
    assert distance(net(x, ALPHA, SIGMA), expected) < 0.03
    plane = net.parameters["decode.w"]
    assert np.linalg.norm(plane @ basis[:, :-k]) < 0.03 * np.linalg.norm(plane)


def test_trained_bottleneck_for_noise_keeps_the_bottom_components():
    """B3: the same bottleneck, another target; the components of smallest variance are what is kept of the noise."""
    points, _, _, basis = cloud()
    net = trained(nn.Bottleneck(4, 2, levels=1, target="eps"), points, weighting="eps")
    plane = net.parameters["decode.w"]
    assert np.linalg.norm(plane @ basis[:, 2:]) < 0.1 * np.linalg.norm(plane)


def test_trained_polynomial_is_the_regression_on_moments():
    """B2: coefficients M^-1 v, M[i, j] = m[i + j], v[i] = m[i + 1] - i s^2 m[i - 1], m the moments of x / alpha."""
    degree, atoms, mass = 3, np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    points = np.array([[-1.0], [1.0]], np.float32)
    normal_moments = [math.prod(range(1, n, 2)) if n % 2 == 0 else 0 for n in range(9)]
    m = [
        sum(math.comb(n, j) * (mass @ atoms ** (n - j)) * S2 ** (j / 2) * normal_moments[j] for j in range(n + 1))
        for n in range(2 * degree + 1)
    ]
    gram = np.array([[m[i + j] for j in range(degree + 1)] for i in range(degree + 1)])
    v = np.array([m[i + 1] - (i * S2 * m[i - 1] if i else 0) for i in range(degree + 1)])
    x = noisy(np.repeat(points, 1000, axis=0))
    expected = np.polynomial.polynomial.polyval(x / ALPHA, np.linalg.solve(gram, v))
    net = trained(nn.Polynomial(1, degree, levels=1, sigma_data=1.0), points)
    assert distance(net(x, ALPHA, SIGMA), expected) < 0.03
    line = trained(nn.Linear(1, levels=1, sigma_data=1.0), points, steps=200)
    assert distance(line(x, ALPHA, SIGMA), expected) > 0.1  # the cube is needed


def test_trained_mlp_is_the_posterior_mean():
    """P5: of two points {-1, 1}, tanh(alpha x / sigma^2)."""
    points = np.array([[-1.0], [1.0]], np.float32)
    net = trained(nn.MLP(1, 32, 1, sigma_data=1.0, rng=np.random.default_rng(0)), points, 400, rate=1e-2, batch=256)
    x = noisy(np.repeat(points, 1000, axis=0))
    assert distance(net(x, ALPHA, SIGMA), np.tanh(ALPHA * x / SIGMA**2)) < 0.06


def test_linear_reaches_the_wiener_filter_at_every_level():
    """B1 on a whole schedule: one matrix at each of 16 levels, and straight lines between them."""
    points, *_ = cloud()
    schedule, rms = ed.schedule.cosine(), math.sqrt((points**2).mean())
    net = nn.Linear(4, levels=16, sigma_data=rms)
    how = {"batch": 512, "rate": 2e-2, "ema_decay": 0.99}
    net = deque(nn.train(net, points, schedule, np.random.default_rng(0), 1000, **how), maxlen=1).pop().ema
    wiener = ed.denoisers.Linear.fit(points)
    for t in (0.1, 0.3, 0.5, 0.7):
        alpha, sigma = schedule(t)
        x = alpha * points + sigma * np.random.default_rng(3).standard_normal(points.shape).astype(np.float32)
        error = np.mean((net(x, alpha, sigma) - wiener(x, alpha, sigma)) ** 2)
        assert math.sqrt(error) < 0.05 * points.std()


@pytest.mark.parametrize(
    "net",
    (
        nn.Linear(3, levels=4),
        nn.Polynomial(2, 4, levels=3),
        nn.Bottleneck(3, 2, levels=3, target="eps"),
        nn.MLP(3, 8, 2, classes=2, activation="gelu"),
        nn.MLP(2, 6, 0, embedding="fourier", target="v"),
    ),
    ids=lambda net: type(net).__name__,
)
def test_gradient_of_every_flat_architecture_p47(net):
    nn.check_gradients(net)


def test_polynomial_of_degree_one_is_linear():
    x = noisy(cloud(5)[0])
    line, polynomial = nn.Linear(4, levels=3), nn.Polynomial(4, 1, levels=3)
    for name, value in line.parameters.items():
        value += np.random.default_rng(0).standard_normal(value.shape).astype(np.float32)
        polynomial.parameters[name] = value
    np.testing.assert_allclose(line(x, 0.5, 0.5), polynomial(x, 0.5, 0.5), rtol=1e-6)


def test_shares_of_the_levels_sum_to_one_and_a_level_has_itself():
    ratio = np.exp(np.linspace(-8, 8, 101))
    alpha, sigma = 1 / np.sqrt(1 + ratio**2), ratio / np.sqrt(1 + ratio**2)
    share = shares(log_ratio(alpha, sigma), 6)
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert ((share > 0).sum(axis=1) <= 2).all()
    knots = np.exp(np.linspace(-5, 5, 6))
    np.testing.assert_allclose(shares(log_ratio(np.ones(6), knots), 6), np.eye(6), atol=1e-12)
    ends = shares(log_ratio(np.array([0.0, 1.0]), np.array([1.0, 0.0])), 6)  # no signal, no noise
    np.testing.assert_allclose(ends, np.eye(6)[[5, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    (
        (lambda: nn.Linear(0), "dimensions is 0"),
        (lambda: nn.Linear(2, levels=0), "levels is 0"),
        (lambda: nn.Polynomial(2, 0), "degree is 0"),
        (lambda: nn.Polynomial(100, 4), "monomials, expected at most"),
        (lambda: nn.Bottleneck(2, 3), "k is 3, expected at most the 2 dimensions"),
        (lambda: nn.Bottleneck(2, 1, target="score"), "target is 'score'"),
        (lambda: nn.MLP(2, dropout=1.0), "dropout is 1.0"),
        (lambda: nn.MLP(2, classes=0), "classes is 0"),
    ),
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_images_for_a_flat_network_are_named():
    with pytest.raises(ValueError, match=r"\(1, 4, 4, 1\), expected \(B, 16\); images need"):
        nn.Linear(16)(np.zeros((1, 4, 4, 1)), 0.5, 0.5)


@pytest.mark.parametrize("make", (nn.Linear, lambda d: nn.Polynomial(d, 3), lambda d: nn.Bottleneck(d, 1), nn.MLP))
def test_flat_network_runs_on_the_device(make, any_cupy):
    points = cloud(6)[0]
    runs = []
    for images in (points, any_cupy.asarray(points)):
        states = nn.train(make(4).to(images), images, ed.schedule.cosine(), np.random.default_rng(0), 3, batch=8)
        runs.append(deque(states, maxlen=1).pop())
    assert runs[1].losses == pytest.approx(runs[0].losses, rel=1e-4)
    out = runs[1].net(any_cupy.asarray(points), 0.5, 0.5)
    np.testing.assert_allclose(out.get(), runs[0].net(points, 0.5, 0.5), atol=1e-4)
