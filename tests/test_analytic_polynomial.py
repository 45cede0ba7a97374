"""The best polynomial denoiser: its coefficients from exact moments, and what its samples can and cannot know (P44)."""

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import KOLMOGOROV, kolmogorov

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.denoisers import Linear, Mixture, Polynomial, hermite
from edudiff.denoisers.law import Gaussian

seeds = st.integers(0, 2**32)
degrees = st.integers(1, 5)
WIDE = schedules.log_linear(1e-3, 80.0)
THREE, SHARES = np.array([[-math.sqrt(3)], [0.0], [math.sqrt(3)]]), np.array([1, 4, 1]) / 6
PAIR = np.array([[-1.0], [1.0]])


def nodes(mean, variance, count=12):
    """Points and weights that have the moments of a normal law up to 2 count - 1."""
    at, weights = np.polynomial.hermite_e.hermegauss(count)
    return mean + math.sqrt(variance) * at, weights / weights.sum()


def noisy_moment(points, weights, k, alpha, sigma):
    """E (alpha x0 + sigma noise)^k by the binomial theorem."""
    odd = lambda n: 0 if n % 2 else math.prod(range(1, n, 2))  # noqa: E731
    terms = (math.comb(k, j) * alpha**j * (weights @ points**j) * sigma ** (k - j) * odd(k - j) for j in range(k + 1))
    return sum(terms)


@given(seed=seeds, degree=degrees, angle=st.floats(0.3, 1.4))
def test_coefficients_solve_the_normal_equations_of_plain_moments_p44(seed, degree, angle):
    """c = M^-1 v with M_ij = m_(i+j) and, by Stein, alpha v_i = m_(i+1) - i sigma^2 m_(i-1)."""
    alpha, sigma = math.cos(angle), math.sin(angle)
    rng = np.random.default_rng(seed)
    points, weights = rng.uniform(-1, 1, 6), rng.uniform(0.1, 1, 6)
    weights /= weights.sum()
    m = [noisy_moment(points, weights, k, alpha, sigma) for k in range(2 * degree + 2)]
    matrix = np.array([[m[i + j] for j in range(degree + 1)] for i in range(degree + 1)])
    right = [(m[i + 1] - (i * sigma**2 * m[i - 1] if i else 0)) / alpha for i in range(degree + 1)]
    fitted = Polynomial.fit(points[:, None], degree, weights).in_powers(alpha, sigma)
    np.testing.assert_allclose(fitted, np.linalg.solve(matrix, right), rtol=1e-6, atol=1e-7)


@given(seed=seeds, degree=st.integers(1, 3), width=st.integers(1, 3))
def test_no_polynomial_of_the_degree_does_better_in_any_dimension_p44(seed, degree, width):
    """The error is orthogonal to every monomial, by exact integration over atoms and Gauss-Hermite noise."""
    rng = np.random.default_rng(seed)
    points, alpha, sigma = rng.uniform(-1, 1, (5, width)), 0.8, 0.6
    at, weights = nodes(0, 1, degree + 2)
    grid = np.stack([a.ravel() for a in np.meshgrid(*[at] * width)], axis=1)  # (Q, D)
    share = np.prod(np.stack([a.ravel() for a in np.meshgrid(*[weights] * width)]), axis=0)  # (Q,)
    x = (alpha * points[:, None] + sigma * grid).reshape(-1, width)  # (5 Q, D)
    x0, share = np.repeat(points, len(grid), 0), np.tile(share, 5) / 5
    x0_hat = Polynomial.fit(points, degree)(x, alpha, sigma)
    for power in hermite.exponents(width, degree):
        monomial = (x ** np.array(power)).prod(1)
        assert np.abs((share * monomial) @ (x0 - x0_hat)).max() < 1e-9


def test_degree_one_is_linear_and_error_falls_with_the_degree_p44():
    rng = np.random.default_rng(0)
    points, x = rng.uniform(-1, 1, (40, 2)) ** 3, rng.standard_normal((10, 2))
    np.testing.assert_allclose(Polynomial.fit(points, 1)(x, 0.6, 0.8), Linear.fit(points)(x, 0.6, 0.8), atol=1e-10)
    at, weights = nodes(0, 1, 30)
    noisy = (0.9 * PAIR[:, :, None] + 0.43 * at).reshape(-1, 1)
    error = [
        np.tile(weights, 2) @ (np.repeat(PAIR, 30, 0) - Polynomial.fit(PAIR, d)(noisy, 0.9, 0.43))[:, 0] ** 2
        for d in range(1, 7)
    ]
    assert (np.diff(error) < 1e-12).all()
    np.testing.assert_allclose(error[1::2], error[0::2], rtol=1e-9)  # symmetric data: degree 2 m is degree 2 m - 1
    assert error[4] < 0.9 * error[2] < 0.8 * error[0]


@given(seed=seeds, degree=degrees)
def test_only_moments_up_to_twice_the_degree_matter_p44(seed, degree):
    """A Gauss rule has the moments of the law that it stands for, and so the same denoiser."""
    rng = np.random.default_rng(seed)
    a, b = nodes(-0.5, 0.04, 16), nodes(0.7, 0.09, 16)
    points, weights = np.append(a[0], b[0]), np.append(0.4 * a[1], 0.6 * b[1])
    moments = [weights @ points**k for k in range(2 * degree + 2)]
    few, shares = gauss_rule(moments, degree + 1)
    x = rng.standard_normal((6, 1))
    full = Polynomial.fit(points[:, None], degree, weights)(x, 0.8, 0.6)
    np.testing.assert_allclose(Polynomial.fit(few[:, None], degree, shares)(x, 0.8, 0.6), full, atol=1e-4)


def gauss_rule(moments, count):
    """`count` points and weights with the given moments, 0 to 2 count - 1, by Golub & Welsch."""
    hankel = np.array([[moments[i + j] for j in range(count + 1)] for i in range(count)])
    lower = np.linalg.cholesky(hankel[:, :count])
    r = np.linalg.solve(lower, hankel)  # (count, count + 1)
    ratio = [r[j, j + 1] / r[j, j] for j in range(count)]
    diagonal = np.array([ratio[0], *np.diff(ratio)])
    beside = [r[j + 1, j + 1] / r[j, j] for j in range(count - 1)]
    at, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return at, vectors[0] ** 2


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_three_atoms_that_look_normal_up_to_degree_four_p44(degree):
    """The three-point Gauss-Hermite rule: degrees 1 to 4 draw a standard normal, degree 5 the atoms."""
    denoise = Polynomial.fit(THREE, degree, SHARES)
    x = 80 * np.random.default_rng(0).standard_normal((1000, 1))
    out = reverse.sample(denoise, WIDE, x, WIDE.times(200), method="heun")
    near = (np.abs(out - THREE.T).min(1) < 0.1).mean()
    if degree < 5:
        assert isinstance(denoise.generated(), Gaussian)
        np.testing.assert_allclose(denoise.in_powers(0.8, 0.6), [0, 0.8, 0, 0, 0][: degree + 1], atol=1e-12)
        normal = lambda v: (1 + np.vectorize(math.erf)(v / math.sqrt(2))) / 2  # noqa: E731
        assert kolmogorov(out[:, 0], normal) < KOLMOGOROV
        assert near < 0.2
    else:
        assert not denoise.is_linear()
        assert near > 0.97


def test_even_coefficients_of_symmetric_data_vanish_p44():
    found = Polynomial.fit(np.array([[-0.9], [-0.2], [0.2], [0.9]]), 6).in_powers(0.7, 0.7)
    np.testing.assert_allclose(found[::2], 0, atol=1e-10)
    assert np.abs(found[1::2]).min() > 1e-3


def test_what_ddim_draws_on_the_line_is_carried_by_quantiles():
    """Samples against `generated`, at a false alarm of 1e-4; a plus-minus pair becomes bimodal at degree 3."""
    denoise, grid = Polynomial.fit(PAIR, 3), [WIDE(t) for t in WIDE.times(60)]
    law = denoise.generated(grid)
    x = 80 * np.random.default_rng(1).standard_normal((3000, 1))
    out = reverse.sample(denoise, WIDE, x, WIDE.times(60))
    assert kolmogorov(out[:, 0], lambda v: np.interp(v, law.points, law.cdf)) < KOLMOGOROV
    drawn = law.sample(np.random.default_rng(2), 3000)
    assert kolmogorov(drawn[:, 0], lambda v: np.interp(v, law.points, law.cdf)) < KOLMOGOROV
    assert (np.abs(np.abs(out) - 1) < 0.1).mean() > 0.9
    assert law.moment(2) == pytest.approx(np.mean(out**2), abs=0.02)
    assert np.exp(law.log_density(np.array([[1.0]]))).item() > 5 * np.exp(law.log_density(np.array([[0.0]]))).item()


def test_flow_and_langevin_draw_two_laws_of_one_polynomial_p44():
    """Two normal humps at degree 3: m2, m4, m6 of the flow and of Langevin dynamics at sigma = 0.02 differ."""
    humps, weights = zip(*(nodes(m, 0.35**2, 20) for m in (-1, 1)), strict=True)
    denoise = Polynomial.fit(np.concatenate(humps)[:, None], 3, np.concatenate(weights))
    langevin = denoise.langevin(1.0, 0.02)
    flow = denoise.generated([WIDE(t) for t in WIDE.times(400)])
    np.testing.assert_allclose([langevin.moment(k) for k in (2, 4, 6)], [1.0249, 1.6624, 3.2844], rtol=1e-3)
    np.testing.assert_allclose([flow.moment(k) for k in (2, 4, 6)], [1.066, 1.865, 3.80], rtol=0.02)


def test_langevin_of_degree_one_is_the_noisy_normal_law():
    law = Polynomial.fit(np.array([[0.1], [0.5], [1.2]]), 1).langevin(0.8, 0.3)
    variance = 0.64 * np.var([0.1, 0.5, 1.2]) + 0.09
    assert law.mean == pytest.approx(0.8 * 0.6, abs=1e-4)
    assert law.covariance == pytest.approx(variance, rel=1e-4)
    x = np.array([[0.2], [0.9]])
    same = Mixture(np.ones(1), np.array([[0.48]]), np.array([[[variance]]]))
    np.testing.assert_allclose(law.log_density(x), same.log_density(x), atol=1e-3)


def test_langevin_of_moved_data_draws_the_moved_law():
    """By alpha times as much; far from zero, where the grid must follow."""
    here, there = (Polynomial.fit(PAIR + shift, 3).langevin(0.8, 0.5) for shift in (0.0, 30.0))
    assert there.mean == pytest.approx(here.mean + 24, abs=1e-6)
    assert there.covariance == pytest.approx(here.covariance, rel=1e-6)


def test_improper_and_diverging_cases_are_said():
    five = Polynomial.fit(PAIR, 5)
    with pytest.raises(ValueError, match="improper law"):
        five.langevin(1.0, 0.3)
    with pytest.raises(ValueError, match="improper law"):
        Polynomial.fit(np.array([[0.0], [0.2], [1.0]]), 2).langevin(1.0, 0.3)
    x = 80 * np.linspace(-4, 4, 401)[:, None]
    with pytest.raises(FloatingPointError, match=r"degree 5 diverges at \d+ of 401 points .* stop=10"):
        reverse.sample(five, WIDE, x, WIDE.times(100))
    held = Polynomial.fit(PAIR, 5, stop=10)
    out = reverse.sample(held, WIDE, x, WIDE.times(100))
    stopped = held.stopped(out)
    assert 0 < stopped.sum() < 100
    assert np.median(np.abs(out[stopped])) == pytest.approx(10, rel=0.02)
    assert np.abs(out).max() < 10.1
    assert np.abs(out[~stopped]).max() < 3
    with pytest.raises(ValueError, match="no stop"):
        five.stopped(out)
    with pytest.raises(ValueError, match="draw samples here"):
        Polynomial.fit(np.random.default_rng(0).uniform(-1, 1, (9, 2)), 3).generated([(0.1, 1.0), (1.0, 0.0)])


def test_a_law_is_improper_however_slowly_its_density_grows():
    """A pair of points at degree 5: the coefficient of the score's highest power is 0.003 at sigma 1."""
    five = Polynomial.fit(PAIR, 5)
    assert 0 < five.in_powers(1.0, 1.0)[5] < 0.01
    with pytest.raises(ValueError, match=r"grows at infinity as the exponential of 0\.000493 x\^6"):
        five.langevin(1.0, 1.0)


def test_paths_that_cross_have_no_quantiles():
    """One step from sigma 1 to the end is x0_hat itself, which falls again far out."""
    with pytest.raises(ValueError, match="paths of the reverse process cross"):
        Polynomial.fit(PAIR, 3).generated([(1.0, 1.0), (1.0, 0.0)])


def test_hermite_polynomials_are_orthonormal_and_multiply():
    at, weights = nodes(0, 1, 10)
    powers = hermite.exponents(1, 6)
    table = hermite.values(at[:, None], powers)
    np.testing.assert_allclose(table.T @ (weights[:, None] * table), np.eye(7), atol=1e-12)
    np.testing.assert_allclose(table, np.vander(at, 7, increasing=True) @ hermite.monomials(6).T, atol=1e-9)
    w = np.random.default_rng(0).standard_normal((5, 2))
    for i, j in (((2, 1), (1, 3)), ((0, 0), (2, 2)), ((3, 0), (3, 1))):
        left = hermite.values(w, [i]) * hermite.values(w, [j])
        right = sum(factor * hermite.values(w, [k]) for k, factor in hermite.linearization(i, j))
        np.testing.assert_allclose(left, right, atol=1e-10)
    assert len(hermite.exponents(3, 4)) == math.comb(7, 3)


def test_data_on_a_plane_have_polynomials_too():
    """A direction without extent, and a single point."""
    flat = np.random.default_rng(0).uniform(-1, 1, (30, 1)) * [1.0, 2.0]
    x0_hat = Polynomial.fit(flat, 3)(np.random.default_rng(1).standard_normal((9, 2)), 0.8, 0.3)
    np.testing.assert_allclose(x0_hat[:, 1], 2 * x0_hat[:, 0], atol=1e-6)
    np.testing.assert_allclose(Polynomial.fit(np.array([[0.5]]), 3)(np.array([[2.0]]), 0.8, 0.6), 0.5, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"degree": 0}, ValueError, "degree is 0"),
        ({"degree": 2.0}, TypeError, "expected an integer"),
        ({"degree": 100}, ValueError, "20,301 moments, at most 20,000"),
        ({"degree": 10_000, "points": np.zeros((9, 1))}, ValueError, "20,001 moments"),
        ({"degree": 3, "stop": 1001}, ValueError, "stop is 1001, expected 1 < stop <= 1000"),
        ({"degree": 3, "stop": 0.5}, ValueError, "stop is 0.5"),
        ({"degree": 3, "stop": 1.0}, ValueError, "stop is 1.0, expected 1 < stop"),
        ({"degree": 3, "weights": np.ones(2)}, ValueError, "weights have shape"),
        ({"degree": 3, "weights": -np.ones(9)}, ValueError, "none negative"),
    ],
)
def test_bad_polynomials(arguments, error, says):
    with pytest.raises(error, match=says):
        Polynomial.fit(**{"points": np.zeros((9, 2))} | arguments)


def test_moments_are_counted_up_to_twice_the_degree():
    """The monomials in 13 variables of degree 4 or less: (17 over 4). A third more of a degree would be too many."""
    assert len(Polynomial.fit(np.random.default_rng(0).uniform(-1, 1, (30, 13)), 2, stop=1000).moments) == 2380


def test_pictures_are_refused_and_powers_are_for_the_line():
    with pytest.raises(ValueError, match="flatten"):
        Polynomial.fit(np.zeros((2, 4, 4, 1)), 2)
    with pytest.raises(ValueError, match="2 dimensions"):
        Polynomial.fit(np.random.default_rng(0).uniform(-1, 1, (9, 2)), 2).in_powers(0.8, 0.6)


@pytest.mark.parametrize("weights", [[0.5, -0.1, 0.6], [2.0, 2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0]])
def test_weights_are_a_law(weights):
    points = np.array([[0.0], [0.5], [1.0]])
    with pytest.raises(ValueError, match="weights have shape"):
        Polynomial.fit(points, 2, np.array(weights))
    known, tripled = (Polynomial.fit(points, 2, scale * np.array([0.2, 0.0, 0.8])) for scale in (1, 3))
    np.testing.assert_allclose(known.in_powers(0.8, 0.6), tripled.in_powers(0.8, 0.6))
    np.testing.assert_allclose(tripled.mean, [0.8])
    np.testing.assert_allclose(tripled.covariance, [[0.16]])
    assert tripled.moments == pytest.approx(known.moments)


def test_an_answer_is_held_at_any_stop_above_one():
    points = np.random.default_rng(0).standard_normal((50, 1))
    held = Polynomial.fit(points, 3, stop=1.2)(np.linspace(-9, 9, 41)[:, None], 0.8, 0.6)
    assert np.abs(held - points.mean()).max() == pytest.approx(1.2 * points.std(), rel=1e-9)


def test_a_path_has_diverged_beyond_half_of_the_stop():
    """In standard deviations from the mean, along every axis: data of two very different widths."""
    points = np.random.default_rng(0).standard_normal((50, 2)) * [3.0, 0.1]
    denoise = Polynomial.fit(points, 3, stop=8)
    scale, directions = np.linalg.eigh(np.cov(points.T, bias=True))
    for deviation, direction in zip(np.sqrt(scale), directions.T, strict=True):
        for share, beyond in ((0.49, False), (0.51, True)):
            x = points.mean(0) + share * 8 * deviation * direction
            assert denoise.stopped(x[None]).item() == beyond


def test_the_quantiles_of_a_normal_law_are_carried_step_by_step():
    """4,001 of them, from -5.5 to 5.5 standard deviations, each by the DDIM step."""
    denoise, levels = Polynomial.fit(np.array([[-1.0], [0.5], [1.0]]), 3), [(0.1, 2.0), (0.5, 0.9), (0.8, 0.7)]
    law = denoise.generated(levels)
    z = np.linspace(-5.5, 5.5, 4001)
    x = 2.0 * z[:, None]
    for (alpha, sigma), (then, noise) in itertools.pairwise(levels):
        x0_hat = denoise(x, alpha, sigma)
        x = then * x0_hat + noise * (x - alpha * x0_hat) / sigma
    np.testing.assert_allclose(law.points, x[:, 0], atol=1e-12)
    np.testing.assert_allclose(law.cdf, [NormalDist().cdf(v) for v in z], atol=1e-7)
    with pytest.raises(ValueError, match="draw samples here"):
        denoise.generated()


def test_langevin_is_read_on_twelve_deviations_of_the_noisy_data():
    points = np.array([[-1.0], [0.5], [3.0]])
    law = Polynomial.fit(points, 1).langevin(0.8, 2.0)
    deviation = math.sqrt(0.64 * points.var() + 4)
    np.testing.assert_allclose(np.diff(law.points), 24 * deviation / 200_000, rtol=1e-6)
    np.testing.assert_allclose(law.points[[0, -1]], 0.8 * points.mean() + 12 * deviation * np.array([-1, 1]))
    assert law.covariance == pytest.approx(deviation**2, rel=1e-6)


@pytest.mark.parametrize(("share", "improper"), [(0.9, False), (1.1, True)])
@pytest.mark.parametrize("largest", [-0.5, -20.0])
def test_a_highest_power_counts_from_a_billionth_of_the_largest_coefficient_on(monkeypatch, largest, share, improper):
    denoise = Polynomial.fit(PAIR, 3)
    powers = np.array([0.0, 1 + largest, 0.0, share * 1e-9 * abs(largest)])  # the score is alpha x0_hat - x, sigma 1
    monkeypatch.setattr(denoise, "in_powers", lambda alpha, sigma: powers)
    if improper:
        with pytest.raises(ValueError, match=r"improper law here.* x\^4"):
            denoise.langevin(1.0, 1.0)
    else:
        assert denoise.langevin(1.0, 1.0).points.shape == (200_001,)


@pytest.mark.parametrize(("moment", "linear"), [(0.9e-9, True), (1.1e-9, False), (-1.1e-9, False)])
@pytest.mark.parametrize("order", [3, 4, 5])
def test_moments_are_those_of_a_normal_law_up_to_a_billionth(moment, linear, order):
    """All that the best polynomial of degree 4 asks beyond those that it is standardised by."""
    normal = {(k,): float(k == 0) for k in range(9)}
    denoise = Polynomial(np.zeros(1), np.eye(1), 4, normal | {(order,): moment})
    assert denoise.is_linear() == linear
    assert Polynomial(np.zeros(1), np.eye(1), 1, normal | {(order,): 1.0}).is_linear()
    assert Polynomial(np.zeros(1), np.eye(1), 4, normal | {(6,): 1.0}).is_linear()


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_polynomial_scales_with_its_data(scale):
    """Also where one direction is narrow, and another has no extent: that one is measured in units of 1."""
    points = np.random.default_rng(0).standard_normal((30, 2)) * [1.0, 1e-4]
    x = points[:5] + 0.3
    small = Polynomial.fit(points, 3)(x, 0.8, 0.6)
    large = Polynomial.fit(scale * points, 3)(scale * x, 0.8, scale * 0.6)
    np.testing.assert_allclose(large / scale, small, atol=1e-7)
    flat = Polynomial.fit(scale * points * [1, 0], 2, stop=8.0)
    np.testing.assert_allclose(np.sort(flat.scale), np.sort([1.0, scale * points[:, 0].std()]))
    off = scale * points.mean(0) * [1, 0] + np.array([[0, 3.9], [0, 4.1]])
    assert flat.stopped(off).tolist() == [False, True]


def test_a_path_diverges_a_thousand_deviations_from_the_mean():
    points = np.array([[-1.0], [3.0]])  # of mean 1 and deviation 2
    line = Polynomial.fit(points, 1)
    gain = 0.8 * 4 / (0.64 * 4 + 0.36)
    x = 0.8 + np.array([[-999.0], [0.0], [999.0], [1001.0], [-1500.0]]) * 2 / gain
    np.testing.assert_allclose(line(x[:3], 0.8, 0.6), 1 + 2 * np.array([[-999.0], [0.0], [999.0]]))
    with pytest.raises(FloatingPointError, match=r"degree 1 diverges at 2 of 5 points \(alpha = 0.8, sigma = 0.6\)"):
        line(x, 0.8, 0.6)
