"""Novelty, diversity and the distances of laws, against brute force and known values; the bootstrap covers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.compare import distances as d
from edudiff.compare import novelty as n
from edudiff.compare.bootstrap import bootstrap, interval
from edudiff.data.shapes import faces
from edudiff.denoisers.law import frechet, moments

seeds = st.integers(0, 2**16)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_bootstrap_interval_of_a_mean_covers_it():
    """95 % intervals of 100 samples of 60: 82 or more hold the true mean (fewer have probability 1e-5)."""
    held = 0
    for seed in range(100):
        x = rng(seed).exponential(size=60)
        value, low, high = bootstrap(lambda i, x=x: x[i].mean(), 60, rng=rng(seed), draws=100)
        assert low <= value == x.mean() <= high
        held += low <= 1 <= high
    assert 82 <= held < 100


def test_the_interval_narrows_with_the_root_of_the_sample():
    width = []
    for size in (100, 1600):
        x = rng(1).standard_normal(size)
        found = bootstrap(lambda i, x=x: x[i].mean(), size, rng=rng(2), draws=400)
        width.append(found.high - found.low)
    assert width[0] / width[1] == pytest.approx(4, rel=0.2)
    assert width[1] == pytest.approx(2 * 1.96 / 40, rel=0.15)


def test_reflected_intervals_take_off_the_shift_of_resampled_distances():
    x, y = rng(0).standard_normal((2, 300, 2))
    reflected = d.distances(x, y, rng(1))["energy"]
    plain = bootstrap(lambda i, j: d.energy_distance(x[i], y[j]), 300, 300, rng=rng(1), draws=30)
    assert reflected.low < 0.02 < reflected.value < plain.low + 0.05
    assert reflected.low >= 0 and reflected.high < plain.high


@pytest.mark.parametrize("level", [0.5, None])
def test_the_ends_of_an_interval_are_quantiles_of_what_comes_out(level):
    """Of samples drawn one after the other; 95 % if no other level is given. Reflected, they change places."""
    x, y = rng(0).standard_normal(9) + 1, rng(1).standard_normal(7)
    statistic, stream = (lambda i, j: x[i].mean() - y[j].mean()), rng(2)
    again = [statistic(stream.integers(9, size=9), stream.integers(7, size=7)) for _ in range(30)]
    low, high = np.quantile(again, (0.25, 0.75) if level else (0.025, 0.975))
    given = {"rng": rng(2), "draws": 30} | ({"level": level} if level else {})
    assert bootstrap(statistic, 9, 7, **given) == pytest.approx((x.mean() - y.mean(), low, high))
    value, *ends = bootstrap(statistic, 9, 7, **given | {"rng": rng(2)}, reflect=True)
    assert ends == pytest.approx([max(0, 2 * value - high), max(0, 2 * value - low)])
    assert bootstrap(lambda i: -x[i].mean(), 9, rng=rng(), reflect=True)[1:] == (0, 0)  # no distance is below 0


def test_the_bootstrap_refuses():
    with pytest.raises(ValueError, match="one item in each"):
        bootstrap(lambda i: 0.0, 0, rng=rng())
    with pytest.raises(ValueError, match="at least 20 draws"):
        bootstrap(lambda i: 0.0, 5, rng=rng(), draws=3)
    with pytest.raises(ValueError, match="level"):
        bootstrap(lambda i: 0.0, 5, rng=rng(), level=1.0)


def test_copies_are_not_new_and_fresh_items_are_as_new_as_the_data():
    images, fresh = rng(0).standard_normal((400, 2)), rng(1).standard_normal((400, 2))
    copies = n.novelty(images[:50], images, rng())
    assert copies["ratio"].value == copies["new"].value == 0
    found = n.novelty(fresh, images, rng())
    assert found["ratio"].low < 1.05 and found["ratio"].high > 0.95
    assert 0.9 < found["new"].low < found["new"].high < 1
    assert n.novelty(fresh + 10, images, rng())["new"].value == 1


def test_new_is_what_is_further_than_all_but_the_closest_five_percent_of_the_data():
    """Pairs of training points 1, 2, ... 100 apart: one in twenty is at most 5 from another."""
    first = 1000.0 * np.arange(100)
    images = np.concatenate([first, first + np.arange(1, 101)])[:, None]
    for away, new in ((5.0, 0), (5.9, 0), (6.0, 1), (7.0, 1)):
        assert n.novelty(np.full((3, 1), -away), images, rng())["new"] == (new, new, new)


@pytest.mark.parametrize("draws", [19, 20])
def test_an_interval_takes_at_least_20_draws_and_a_level_between_0_and_1(draws):
    if draws < 20:
        with pytest.raises(ValueError, match="at least 20 draws"):
            bootstrap(lambda i: 0.0, 5, rng=rng(), draws=draws)
    else:
        bootstrap(lambda i: 0.0, 1, rng=rng(), draws=draws, level=0.5)
    for level in (0.0, -0.5, 1.0, 1.5):
        with pytest.raises(ValueError, match="level"):
            bootstrap(lambda i: 0.0, 5, rng=rng(), draws=20, level=level)


def test_an_interval_in_a_table_is_of_a_thousand_draws():
    asked = []
    found = interval(lambda v: asked.append(v) or v.mean(), np.arange(9.0))
    assert len(asked) == 1 + 1000
    assert found[1] < found[0] == 4 < found[2]
    assert found == interval(np.mean, np.arange(9.0))
    values = np.arange(9.0)
    assert found == list(bootstrap(lambda i: values[i].mean(), 9, rng=rng(0), draws=1000))


@pytest.mark.parametrize("measure", [n.novelty, n.diversity])
def test_an_interval_is_of_200_draws_if_no_other_number_is_given(measure):
    images, x = rng(0).standard_normal((40, 2)), rng(1).standard_normal((30, 2))
    assert measure(x, images, rng()) == measure(x, images, rng(), draws=200) != measure(x, images, rng(), draws=199)


@pytest.mark.filterwarnings("error")
def test_a_training_set_whose_items_are_there_twice_is_no_unit():
    images, x = faces(10, 24, rng=rng()), faces(6, 24, rng=rng(1))
    found = n.novelty(x, images.repeat(2, 0), rng())
    assert math.isnan(found["ratio"].value)
    assert found["new"].value == 1
    assert math.isnan(n.diversity(x, images[:1].repeat(4, 0), rng()).value)


def test_diversity_is_the_ratio_of_mean_distances():
    x, images = rng(0).standard_normal((30, 2, 2, 1)), rng(1).standard_normal((40, 2, 2, 1))
    mean = lambda a: np.sqrt(((a[:, None] - a) ** 2).mean((2, 3, 4))).sum() / (len(a) * (len(a) - 1))  # noqa: E731
    found = n.diversity(x, images, rng())
    assert found.value == pytest.approx(mean(x) / mean(images))
    assert found.low < found.value < found.high
    assert n.diversity(0.5 * images, images, rng()).value == pytest.approx(0.5)
    assert n.diversity(images[:1].repeat(5, 0), images, rng()).value == 0
    with pytest.raises(ValueError, match="no pairs"):
        n.diversity(images[:1], images, rng())


@pytest.mark.filterwarnings("error")
def test_two_items_drawn_twice_are_no_pair_and_have_no_diversity():
    images = rng(0).standard_normal((40, 2))
    found = n.diversity(images[:2], images, rng())
    assert found.low == 0 < found.value < np.inf


def test_the_table_of_distances_holds_the_distances():
    x, y = rng(0).standard_normal((30, 3)), 0.5 + rng(1).standard_normal((40, 3))
    found = d.distances(x, y, rng(), draws=20)
    assert found["sliced_wasserstein"].value == pytest.approx(d.sliced_wasserstein(x, y), rel=1e-9)
    assert found["energy"].value == pytest.approx(d.energy_distance(x, y), rel=1e-9)
    assert found["frechet"].value == pytest.approx(frechet(*moments(x), *moments(y)), rel=1e-9)
    assert d.distances(x, y, rng()) == d.distances(x, y, rng(), 200)  # if no other number of draws is given
    assert d.directions(3).shape == (64, 3) and d.directions(2).shape == (64, 2)


def test_a_bootstrap_has_200_draws_if_no_other_number_is_given():
    drawn = []
    bootstrap(lambda i: drawn.append(i) or 0.0, 5, rng=rng())
    assert len(drawn) == 1 + 200


def test_sliced_wasserstein_of_a_shift_and_of_a_line():
    """A shift by v moves each projection by v . u, and the mean of (v . u)^2 over directions is |v|^2 / D."""
    x = rng(0).standard_normal((50, 2))
    assert d.sliced_wasserstein(x, x + np.array([0.3, 0.4])) == pytest.approx(0.5 / math.sqrt(2), rel=1e-9)
    assert d.sliced_wasserstein(x, x[::-1]) == pytest.approx(0, abs=1e-12)
    line = d.sliced_wasserstein(np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [3.0]]))
    assert line == pytest.approx(math.sqrt((1 / 6) * 1 + (1 / 3) * 4), rel=1e-9)  # by pieces of the quantiles
    wide = d.directions(5, 7)
    np.testing.assert_allclose((wide**2).sum(1), 1)


@given(seed=seeds)
def test_energy_distance_is_brute_force(seed):
    x, y = rng(seed).standard_normal((6, 3)), rng(seed + 1).standard_normal((8, 3)) + 0.5
    mean = lambda a, b: np.mean([np.linalg.norm(p - q) for p in a for q in b])  # noqa: E731
    known = math.sqrt(2 * mean(x, y) - mean(x, x) - mean(y, y))
    assert d.energy_distance(x, y) == pytest.approx(known, abs=1e-6)
    assert d.distances(x, y, rng(), 20)["energy"].value == pytest.approx(known, abs=1e-6)
    assert d.energy_distance(x, x) == pytest.approx(0, abs=1e-6)


def test_energy_distance_of_two_normal_laws():
    """In one dimension 2 E|X - Y| - E|X - X'| - E|Y - Y'| is known for N(0, 1) and N(m, 1)."""
    m, size = 1.0, 1000
    found = d.energy_distance(rng(0).standard_normal((size, 1)), rng(1).standard_normal((size, 1)) + m)
    folded = 2 / math.sqrt(math.pi) * math.exp(-(m**2) / 4) + m * math.erf(m / 2)
    assert found**2 == pytest.approx(2 * folded - 4 / math.sqrt(math.pi), abs=0.1)


def test_features_are_means_and_detail_of_sixteen_parts():
    image = np.zeros((1, 8, 8, 3))
    image[:, :2, :2, 0] = 1.0
    image[:, 6:, 6:] = np.array([0, 1])[None, :, None]
    found = d.features(image)
    assert found.shape == (1, 16 * 3 + 32)
    parts = found[0, :48].reshape(4, 4, 3)
    np.testing.assert_allclose(parts[0, 0], [1, 0, 0])
    np.testing.assert_allclose(parts[3, 3], 0.5)
    np.testing.assert_allclose(np.delete(parts.reshape(16, 3), [0, 15], axis=0), 0)
    down, across = found[0, 48:64].reshape(4, 4), found[0, 64:].reshape(4, 4)
    assert across[3, 3] == pytest.approx(1.0)
    assert down[3, 3] < 0.6 and (down[1:3, 1:3] == 0).all()
    assert d.features(rng(0).uniform(-1, 1, (2, 9, 11, 1))).shape == (2, 48)
    with pytest.raises(ValueError, match="too small"):
        d.features(np.zeros((1, 3, 3, 1)))


def test_frechet_distance_of_pictures_tells_blur_from_the_law():
    """Faces against other faces, and against the same ones blurred."""
    both = faces(400, 32, rng(0))
    one, other = both[:200], both[200:]
    blurred = sum(np.roll(other, (i, j), (1, 2)) for i in range(-3, 4) for j in range(-3, 4)) / 49
    near, far = (d.distances(s, one, rng(), 20)["frechet"] for s in (other, blurred))
    assert near.low < 0.15 < 0.25 < far.low
    features = [d.features(s) for s in (other, one)]
    known = frechet(*(part for f in features for part in (f.mean(0), np.cov(f.T, bias=True))))
    assert near.value == pytest.approx(known, rel=1e-6)


def test_features_of_float32_are_those_of_float64():
    """Means over many values, which float32 would add up with an error that grows with their number."""
    images = rng(0).uniform(0.5, 1, (1, 2048, 64, 1)).astype(np.float32)
    found = d.features(images)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[:, :16], d.features(images.astype(np.float64))[:, :16], rtol=1e-9)


def test_on_a_line_the_distance_pairs_quantiles_whatever_the_counts():
    """Against every item repeated to a common number, where pairing is sorting."""
    for few, many in ((2, 3), (3, 7), (9, 10), (1, 6), (7, 30)):
        x, y = rng(0).standard_normal((few, 1)), rng(1).standard_normal((many, 1))
        paired = np.sort(np.repeat(x, many, 0), 0) - np.sort(np.repeat(y, few, 0), 0)
        assert d.sliced_wasserstein(x, y) == pytest.approx(math.sqrt((paired**2).mean()), rel=1e-9)


def test_directions_are_unit_vectors_that_fill_the_half_circle():
    for width in (1, 2, 3, 5):
        lines = d.directions(width, 400)
        assert lines.shape[1] == width
        np.testing.assert_allclose((lines**2).sum(1), 1)
        np.testing.assert_allclose((lines.T @ lines) / len(lines), np.eye(width) / width, atol=0.1)
    angles = np.arctan2(*d.directions(2, 8).T[::-1])
    np.testing.assert_allclose(angles, math.pi * (np.arange(8) + 0.5) / 8)
