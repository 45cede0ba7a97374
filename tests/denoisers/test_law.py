"""Laws by themselves, where every number can be written down: on a line, on a plane, on points."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from edudiff.denoisers.law import FLAT, Atoms, FixedPoints, Gaussian, Law, Line, condition, frechet, moments

LINE = Line(np.array([-1.0, 0.0, 0.5, 2.5]), np.array([2.0, 3.0, 3.0, 6.0]))  # shares 1/4, 0, 3/4 of its cells
BASIS = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]  # (3, 3), orthonormal


@pytest.mark.filterwarnings("error")
def test_the_density_on_a_line_is_the_share_of_a_cell_over_its_width():
    at = {-0.99: 0.25, -0.01: 0.25, 0.01: 0.0, 0.49: 0.0, 0.51: 0.375, 2.49: 0.375, -1.01: 0.0, 2.51: 0.0, 9.0: 0.0}
    x = np.array(list(at))[:, None]
    np.testing.assert_allclose(np.exp(LINE.log_density(x)), list(at.values()), atol=1e-12)
    away = [max(0, -1 - v, v - 2.5) for v in at]
    np.testing.assert_allclose(LINE.distance(x), away, atol=1e-12)


def test_moments_on_a_line_are_those_of_the_middles_of_its_cells():
    for order, known in ((0, 1.0), (1, 0.25 * -0.5 + 0.75 * 1.5), (2, 0.25 * 0.25 + 0.75 * 2.25)):
        assert LINE.moment(order) == pytest.approx(known, abs=1e-12)
    np.testing.assert_allclose(LINE.mean, [1.0], atol=1e-12)
    np.testing.assert_allclose(LINE.covariance, [[0.75]], atol=1e-12)


def test_a_sample_on_a_line_is_where_its_distribution_reaches_the_number_drawn():
    drawn = np.array([0.0, 0.125, 0.2499, 0.25, 0.625, 1.0])
    x = LINE.sample(SimpleNamespace(random=lambda count: drawn[:count]), 6)
    np.testing.assert_allclose(x[[0, 1, 2, 4, 5]], np.array([[-1.0, -0.5, -0.0004, 1.5, 2.5]]).T, atol=1e-12)
    assert 0 <= x[3, 0] <= 0.5


@pytest.mark.parametrize("rest", [0.0, 0.4])
@pytest.mark.parametrize("shape", [(3,), (1, 3, 1)])
def test_a_normal_law_stretches_noise_along_its_basis(rest, shape):
    """By its deviations, and by the root of `rest` across them."""
    law = Gaussian(np.arange(3.0).reshape(shape), np.array([0.7, 1.5]), BASIS[:, :2], rest)
    x = law.sample(SimpleNamespace(standard_normal=lambda shape: BASIS.T if shape == (3, 3) else None), 3)
    assert x.shape == (3, *shape)
    stretched = np.sqrt([0.7, 1.5, rest])[:, None] * BASIS.T
    np.testing.assert_allclose(x.reshape(3, 3), np.arange(3) + stretched, atol=1e-12)
    np.testing.assert_allclose(law.covariance, stretched.T @ stretched, atol=1e-12)


@pytest.mark.parametrize(("rest", "off"), [(0.0, 1), (0.4, 0)])
@pytest.mark.parametrize(("share", "flat"), [(0.9, 1), (1.1, 0)])
def test_the_distance_to_a_normal_law_is_that_to_its_plane(share, flat, rest, off):
    """Across it lie directions without variance, up to rounding of the largest, and all others if `rest` is 0."""
    law = Gaussian(np.ones(3), np.array([4.0, 4.0 * share * FLAT]), BASIS[:, :2], rest)
    x = 1 + np.array([[5.0, 3.0, 4.0], [7.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 0.0, 2.0]]) @ BASIS.T
    known = [math.hypot(3 * flat, 4 * off), 0, 2 * flat, 2 * off]
    np.testing.assert_allclose(law.distance(x), known, atol=1e-12)
    if flat or off:
        with pytest.raises(ValueError, match="lies on a plane and has no density"):
            law.log_density(x)
    else:
        assert np.isfinite(law.log_density(x)).all()


def test_a_normal_law_without_any_variance_is_a_point():
    law = Gaussian(np.ones(3), np.zeros(2), BASIS[:, :2])
    np.testing.assert_allclose(law.distance(np.array([[3.0, 1.0, 1.0]])), [2], atol=1e-12)
    with pytest.raises(ValueError, match="lies on a plane"):
        law.log_density(np.ones((1, 3)))
    for ask in (law.distance, law.log_density):
        with pytest.raises(ValueError, match=r"x has shape \(1, 2\), expected \(B, 3\)"):
            ask(np.ones((1, 2)))


def test_a_normal_law_has_a_density_in_all_directions_without_any_rest():
    law = Gaussian(np.zeros(3), np.array([4.0, 1.0, 0.25]), BASIS)
    x = np.array([[2.0, 3.0, 0.5]]) @ BASIS.T
    known = -(1 + 9 + 1) / 2 - 3 / 2 * math.log(2 * math.pi)  # the variances multiply to 1
    np.testing.assert_allclose(law.log_density(x), known)


def test_a_conditioned_normal_law_keeps_its_shape_and_has_no_negative_variance():
    law = Gaussian(np.arange(3.0).reshape(1, 3, 1), np.array([2.0, 1.0, 0.5]), BASIS)
    matrix, y = np.array([[1.0, 2.0, -1.0]]), np.array([0.3])
    found = law.conditioned(matrix, y)
    assert found.mean.shape == (1, 3, 1)
    assert found.variances.min() == 0 and found.rest == 0
    np.testing.assert_allclose(matrix @ found.mean.ravel(), y, atol=1e-12)
    gain = law.covariance @ matrix[0] / (matrix[0] @ law.covariance @ matrix[0])
    np.testing.assert_allclose(found.mean.ravel(), np.arange(3) + gain * (0.3 - matrix[0] @ np.arange(3)), atol=1e-12)
    np.testing.assert_allclose(
        found.covariance, law.covariance - np.outer(gain, matrix[0] @ law.covariance), atol=1e-12
    )


@pytest.mark.parametrize("small", [1.2e-12, 1e-5])
def test_what_is_measured_twice_counts_once_and_what_varies_little_counts(small):
    """A direction of a measurement with less than a trillionth of the largest variance is none."""
    covariance = np.diag([1.0, small])
    mean, left = condition(np.zeros(2), covariance, np.eye(2), np.array([2.0, 3.0]), 0.0)
    np.testing.assert_allclose(mean, [2, 3])
    np.testing.assert_allclose(left, 0, atol=1e-15)
    mean, left = condition(np.zeros(2), np.diag([1.0, 0.8e-12]), np.eye(2), np.array([2.0, 3.0]), 0.0)
    np.testing.assert_allclose(mean, [2, 0])
    twice = np.array([[1.0, 0.0], [1.0, 0.0]])
    mean, left = condition(np.zeros(2), covariance, twice, np.array([2.0, 2.0]), 0.0)
    np.testing.assert_allclose(mean, [2, 0], atol=1e-12)
    np.testing.assert_allclose(left, np.diag([0, small]), atol=1e-15)


def test_weighted_atoms_have_their_moments_and_samples():
    items, weights = np.array([[1.0, 0.0], [3.0, 2.0], [-1.0, 4.0]]), np.array([0.5, 0.2, 0.3])
    law = Atoms(items, weights)
    np.testing.assert_allclose(law.mean, [0.8, 1.6])
    np.testing.assert_allclose(law.covariance, np.cov(items.T, aweights=weights, bias=True), atol=1e-12)
    drawn = np.array([0.0, 0.49, 0.51, 0.69, 0.71, 0.999])
    stream = SimpleNamespace(random=lambda count: drawn[:count])
    np.testing.assert_array_equal(law.sample(stream, 6), items[[0, 0, 1, 1, 2, 2]])
    np.testing.assert_array_equal(Atoms(items, np.array([0.0, 1.0, 1.0])).sample(stream, 6), items[[1, 1, 2, 2, 2, 2]])
    np.testing.assert_array_equal(Atoms(items).weights, np.full(3, 1 / 3))
    np.testing.assert_allclose(law.distance(np.array([[1.0, 1.0], [3.0, 2.0]])), [1, 0])
    pictures = Atoms(items.reshape(3, 2, 1, 1))
    assert pictures.mean.shape == (2, 1, 1) and pictures.covariance.shape == (2, 2)
    np.testing.assert_allclose(pictures.distance(np.ones((1, 2, 1, 1))), [1])


def test_float32_items_have_moments_of_their_float64_values():
    """1 + k 2^-23 is exact in float32, its square is not."""
    items = (1 + 2.0**-23 * np.arange(6).reshape(3, 2)).astype("float32")
    wide = items.astype("float64")
    for mean, covariance in ((Atoms(items).mean, Atoms(items).covariance), moments(items)):
        np.testing.assert_allclose(mean, wide.mean(0), rtol=1e-15)
        np.testing.assert_allclose(covariance, np.cov(wide.T, bias=True), rtol=1e-6)


def test_the_distance_to_a_fixed_point_is_how_far_the_denoiser_moves():
    asked = []

    def denoise(x, alpha, sigma):
        asked.append((alpha, sigma))
        return x - np.array([3.0, 4.0], x.dtype)

    np.testing.assert_allclose(FixedPoints(denoise).distance(np.ones((2, 2))), 5)
    np.testing.assert_allclose(FixedPoints(denoise, 0.1).distance(np.ones((2, 2, 1, 1), "float32")[..., 0, 0]), 5)
    assert asked == [(1.0, 1e-6), (1.0, 0.1)]


def test_what_a_law_does_not_know_it_says():
    for ask, what in (
        (lambda law: law.mean, "its mean"),
        (lambda law: law.covariance, "its covariance"),
        (lambda law: law.sample(None, 1), "how to sample it"),
        (lambda law: law.log_density(None), "its density"),
        (lambda law: law.distance(None), "its support"),
        (lambda law: law.conditioned(None, None), "its law given a measurement"),
    ):
        with pytest.raises(ValueError, match=f"{what} is not known in closed form for Law; draw samples and measure"):
            ask(Law())


def test_the_difference_of_laws_is_measured_in_units_of_the_first():
    one = Gaussian(np.array([1.0, 0.0]), np.array([4.0, 1.0]), np.eye(2))
    other = Gaussian(np.array([1.0, 3.0]), np.array([1.0, 4.0]), np.eye(2))
    found = one.difference(other)
    assert found == pytest.approx((3 / math.sqrt(5), math.sqrt(18 / 17), math.sqrt(9 + 1 + 1)), abs=1e-9)


@pytest.mark.filterwarnings("error")
def test_the_frechet_distance_of_laws_on_planes_and_of_equal_laws():
    """Where rounding makes roots of small negative numbers."""
    wide, line = np.diag([4.0, 0.0, 0.0]), np.outer([0.6, 0.8, 0.0], [0.6, 0.8, 0.0])
    assert frechet(np.zeros(3), wide, np.zeros(3), line) == pytest.approx(math.sqrt(4 + 1 - 2 * 2 * 0.6), abs=1e-7)
    for seed in range(9):
        root = np.random.default_rng(seed).standard_normal((5, 2))
        assert frechet(np.zeros(5), root @ root.T, np.zeros(5), root @ root.T) == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="samples has shape"):
        moments(np.zeros((2, 3, 4)))
