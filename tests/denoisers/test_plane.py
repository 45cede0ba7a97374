"""The law of a polynomial in the plane: products of laws on the line, and what Langevin dynamics draws (P44)."""

import numpy as np
import pytest

from edudiff.denoisers import Polynomial
from edudiff.denoisers.plane import Plane
from edudiff.sampling import langevin_steps

ONE, OTHER = np.array([[-1.0], [-0.2], [0.9]]), np.array([[-0.5], [0.6]])
PRODUCT = np.array([[a, b] for a in ONE[:, 0] for b in OTHER[:, 0]])
OCTAGON = 0.8 * np.stack([np.cos(np.pi / 4 * np.arange(8)), np.sin(np.pi / 4 * np.arange(8))], 1)


def test_independent_coordinates_have_the_product_of_their_laws_p44():
    law = Polynomial.fit(PRODUCT, 3).langevin_in_the_plane(0.9, 0.6)
    lines = [Polynomial.fit(points, 3).langevin(0.9, 0.6) for points in (ONE, OTHER)]
    for i in range(5):
        assert law.moment((i, 0)) == pytest.approx(lines[0].moment(i), abs=1e-4)
        assert law.moment((0, i)) == pytest.approx(lines[1].moment(i), abs=1e-4)
        assert law.moment((i, 2)) == pytest.approx(lines[0].moment(i) * lines[1].moment(2), abs=1e-3)


def test_langevin_dynamics_draws_from_it_p44():
    """An octagon: alike in all directions up to the sixth moment, so that the best cubic is a slope."""
    denoise, count = Polynomial.fit(OCTAGON, 3), 3000
    law = denoise.langevin_in_the_plane(1.0, 0.5)
    flat = lambda x, alpha, sigma: denoise(x.reshape(-1, 2), alpha, sigma).reshape(x.shape)  # noqa: E731
    *_, x = langevin_steps(flat, np.zeros((1, 2 * count)), 1.0, 0.5, 300, np.random.default_rng(0), 0.05)
    x = x.reshape(-1, 2)
    assert law.covariance[0, 0] == pytest.approx(law.covariance[1, 1], rel=1e-6)
    np.testing.assert_allclose(x.T @ x / count, law.covariance, atol=0.05)
    assert ((x**2).sum(1) ** 2).mean() == pytest.approx(
        law.moment((4, 0)) + 2 * law.moment((2, 2)) + law.moment((0, 4)), rel=0.1
    )


def test_degree_one_is_the_noisy_normal_law():
    points = np.random.default_rng(0).standard_normal((40, 2)) @ [[0.5, 0.2], [0.0, 0.3]]
    law = Polynomial.fit(points, 1).langevin_in_the_plane(0.8, 0.4)
    np.testing.assert_allclose(law.mean, 0.8 * points.mean(0), atol=1e-6)
    np.testing.assert_allclose(law.covariance, 0.64 * np.cov(points.T, bias=True) + 0.16 * np.eye(2), atol=1e-4)


def test_the_grid_covers_six_deviations_of_the_widest_direction_in_301_cells():
    points = np.random.default_rng(0).standard_normal((40, 2)) * [0.5, 0.2] + [1.0, -3.0]
    deviation = np.sqrt(0.64 * np.linalg.eigvalsh(np.cov(points.T, bias=True)).max() + 0.16)
    law = Polynomial.fit(points, 1).langevin_in_the_plane(0.8, 0.4)
    for line, mean in ((law.first, points.mean(0)[0]), (law.second, points.mean(0)[1])):
        np.testing.assert_allclose(line, np.linspace(0.8 * mean - 6 * deviation, 0.8 * mean + 6 * deviation, 301))


@pytest.mark.parametrize(("fall", "within"), [(9.5, False), (10.5, True)])
def test_a_density_has_to_fall_by_ten_nats_to_the_edge_of_the_grid(monkeypatch, fall, within):
    """A normal law falls by r^2 / 2 at r deviations."""
    monkeypatch.setattr("edudiff.denoisers.polynomial.REACH", np.sqrt(2 * fall))
    denoise = Polynomial.fit(0.5 * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 1)
    if within:
        assert denoise.langevin_in_the_plane(0.8, 0.4, cells=21).shares.shape == (21, 21)
    else:
        with pytest.raises(ValueError, match="does not fall to nothing"):
            denoise.langevin_in_the_plane(0.8, 0.4, cells=21)


def test_a_law_on_a_grid_is_sampled_and_asked():
    line = np.linspace(-4, 4, 161)
    law = Plane(line, line, -(line[:, None] ** 2 + (line - 0.5) ** 2 / 0.25) / 2)
    x = law.sample(np.random.default_rng(0), 20_000)
    np.testing.assert_allclose(x.mean(0), [0, 0.5], atol=0.03)
    np.testing.assert_allclose(x.std(0), [1, 0.5], atol=0.03)
    exact = -(x[:, 0] ** 2 + (x[:, 1] - 0.5) ** 2 / 0.25) / 2 - np.log(2 * np.pi * 0.5)
    assert np.abs(law.log_density(x) - exact).max() < 0.4 and abs((law.log_density(x) - exact).mean()) < 0.01
    assert law.log_density(np.array([[9.0, 0.0]]))[0] == -np.inf
    assert repr(law) == "Plane(first=(161,), second=(161,))"


@pytest.mark.parametrize(
    ("away", "share", "level", "within"),
    [(10, 1e-3, (1.0, 0.3), True), (6, 1e-2, (1.0, 1.0), False), (8, 1e-2, (1.0, 0.3), False)],
)
def test_a_law_must_fall_to_nothing_within_the_grid(away, share, level, within):
    """Normal data with a few points far off on one axis: the best quintic has a proper law, which may reach too far.

    It is the product of laws on the line, and accepted where the density of the first falls by a factor of e^10.
    """
    at, weights = np.polynomial.hermite_e.hermegauss(6)
    one = np.append(at, [-away, away])
    one_shares = np.append((1 - share) * weights / weights.sum(), [share / 2, share / 2])
    line = Polynomial.fit(one[:, None], 5, one_shares).langevin(*level)
    reach = 6 * np.hypot(level[0] * np.sqrt(one_shares @ one**2), level[1])
    logs = line.log_density(np.linspace(-reach, reach, 301)[:, None])
    assert (logs[[0, -1]].max() < logs.max() - 10) == within
    points = np.array([[a, 0.1 * b] for a in one for b in at])
    denoise = Polynomial.fit(points, 5, np.outer(one_shares, weights).ravel())
    if within:
        law = denoise.langevin_in_the_plane(*level, cells=121)
        assert law.moment((2, 0)) == pytest.approx(line.moment(2), rel=1e-3)
    else:
        with pytest.raises(ValueError, match="does not fall to nothing"):
            denoise.langevin_in_the_plane(*level, cells=121)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_law_that_reaches_too_far_to_one_side_is_refused(side, axis):
    at, weights = np.polynomial.hermite_e.hermegauss(6)
    weights = weights / weights.sum()
    points = np.array([[a, 0.1 * b] for a in np.append(at, 8 * side) for b in at])
    shares = np.outer(np.append(0.997 * weights, 0.003), weights).ravel()
    with pytest.raises(ValueError, match="does not fall to nothing"):
        Polynomial.fit(points[:, [axis, 1 - axis]], 5, shares).langevin_in_the_plane(1.0, 0.3, cells=41)


def uneven():
    """A law on 5 x 7 cells of 0.5 x 0.2 around (-1, 2) without any symmetry, and its shares; one cell is empty."""
    first, second = -1 + 0.5 * np.arange(-2, 3), 2 + 0.2 * np.arange(-3, 4)
    log_density = np.random.default_rng(0).uniform(-2, 0, (5, 7))
    log_density[0, 0] = -np.inf
    shares = np.exp(log_density) / np.exp(log_density).sum()
    return Plane(first, second, log_density + 2000), first, second, shares


def test_moments_are_sums_over_the_middles_of_the_cells():
    law, first, second, shares = uneven()
    cells = [(first[i], second[j], shares[i, j]) for i in range(5) for j in range(7)]
    mean = sum(p * np.array([x, y]) for x, y, p in cells)
    np.testing.assert_allclose(law.mean, mean, atol=1e-12)
    away = [(np.array([x, y]) - mean, p) for x, y, p in cells]
    np.testing.assert_allclose(law.covariance, sum(p * np.outer(v, v) for v, p in away), atol=1e-12)
    for powers in ((0, 0), (1, 0), (0, 1), (2, 3)):
        known = sum(p * x ** powers[0] * y ** powers[1] for x, y, p in cells)
        assert law.moment(powers) == pytest.approx(known, abs=1e-12)


@pytest.mark.filterwarnings("error")
def test_the_density_is_constant_on_each_cell_and_nothing_beyond():
    law, first, second, shares = uneven()
    for i in range(5):
        for j in range(7):
            for u, v in ((-0.49, -0.49), (0.49, 0.0), (0.0, 0.49)):
                found = law.log_density(np.array([[first[i] + 0.5 * u, second[j] + 0.2 * v]])).item()
                assert np.exp(found) == pytest.approx(shares[i, j] / 0.1, abs=1e-12)
    beyond = [(first[0] - 0.26, 2), (first[-1] + 0.26, 2), (-1, second[0] - 0.11), (-1, second[-1] + 0.11)]
    assert (law.log_density(np.array(beyond)) == -np.inf).all()


class Drawn:
    """A stream that gives these numbers."""

    def __init__(self, rows):
        self.rows = np.array(rows)

    def random(self, shape):
        assert self.rows.shape == shape
        return self.rows


def test_a_point_is_drawn_from_the_cell_of_its_share_and_anywhere_within():
    law, first, second, shares = uneven()
    ends = np.cumsum(shares.ravel())
    drawn = np.random.default_rng(1).random((300, 3))
    for (share, u, v), point in zip(drawn, law.sample(np.random.default_rng(1), 300), strict=True):
        i, j = divmod(int((ends <= share).sum()), 7)
        np.testing.assert_allclose(point, [first[i] + 0.5 * (u - 0.5), second[j] + 0.2 * (v - 0.5)], atol=1e-12)
    lowest = law.sample(Drawn([[0.0, 0.5, 0.5]]), 1)
    np.testing.assert_allclose(lowest, [[first[0], second[1]]])  # the first cell is empty


@pytest.mark.parametrize("seed", range(20))
def test_the_largest_share_is_in_the_last_cell_whatever_rounding_makes_of_the_sum(seed):
    line = np.arange(9.0)
    law = Plane(line, line, np.random.default_rng(seed).uniform(-1, 0, (9, 9)))
    np.testing.assert_allclose(law.sample(Drawn([[np.nextafter(1, 0), 0.5, 0.5]]), 1), [[8, 8]])


def test_what_has_no_law_in_the_plane_is_refused():
    skewed = np.array([[0.0, 0.0], [1.0, 0.2], [0.3, 1.0], [-0.8, 0.9], [0.5, -0.7]])
    with pytest.raises(ValueError, match="no slope of a density: its cross slopes differ by"):
        Polynomial.fit(skewed, 3).langevin_in_the_plane(1.0, 0.3)
    with pytest.raises(ValueError, match="3 dimensions, expected 2"):
        Polynomial.fit(np.eye(3), 1).langevin_in_the_plane(1.0, 0.3)
    with pytest.raises(ValueError, match="improper law"):
        Polynomial.fit(PRODUCT, 2).langevin_in_the_plane(1.0, 0.5)
