"""Drawn hands keep their rule, and the counter finds it: five fingers in every hand, or as many as were asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.compare.fingers import count_fingers_all
from edudiff.data.shapes import hands

seeds = st.integers(0, 2**32)


@given(seed=seeds, size=st.integers(14, 40))
def test_every_hand_has_five_fingers(seed, size):
    """25 seeds and sizes, 240 hands each: 6,000 hands."""
    images = hands(240, size, np.random.default_rng(seed))
    assert (count_fingers_all(images) == 5).all()


@given(seed=seeds, size=st.integers(14, 32), fingers=st.integers(1, 7))
def test_the_counter_finds_as_many_fingers_as_were_drawn(seed, size, fingers):
    images = hands(60, size, np.random.default_rng(seed), fingers=fingers)
    assert (count_fingers_all(images) == fingers).all()


@given(seed=seeds, size=st.integers(18, 32), fingers=st.integers(3, 7), edge=st.floats(0.3, 0.9))
def test_counts_survive_noise_and_other_softness(seed, size, fingers, edge):
    rng = np.random.default_rng(seed)
    images = hands(60, size, rng, fingers=fingers, edge=edge)
    noisy = images + 0.05 * rng.standard_normal(images.shape)
    assert (count_fingers_all(noisy) == fingers).all()


@given(seed=seeds, size=st.integers(14, 40), fingers=st.integers(1, 7))
def test_hands_are_pictures_and_nothing_is_cut_off(seed, size, fingers):
    images = hands(20, size, np.random.default_rng(seed), fingers=fingers)
    assert images.shape == (20, size, size, 1)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    assert (images.max(axis=(1, 2, 3)) > 0.95).all()
    padding = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    assert padding.max() < 0.1


@given(seed=seeds, count=st.integers(1, 20))
def test_a_hand_does_not_depend_on_how_many_are_drawn(seed, count):
    many, few = hands(20, rng=np.random.default_rng(seed)), hands(count, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(many[:count], few)


def test_hands_are_turned_and_placed_everywhere():
    images = hands(600, 20, np.random.default_rng(0))[..., 0] > 0
    covered = images.mean(axis=0)
    assert covered[3:-3, 3:-3].min() > 0.02
    quadrants = [np.rot90(covered, k)[:10, :10].mean() for k in range(4)]
    assert max(quadrants) - min(quadrants) < 0.1 * min(quadrants)
    assert len(np.unique(images.reshape(600, -1), axis=0)) == 600


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"size": 13}, ValueError, "size is 13, expected an integer >= 14"),
        ({"size": 20.0}, TypeError, "size is 20.0, expected an integer"),
        ({"count": 0}, ValueError, "count is 0, expected an integer >= 1"),
        ({"rng": None}, TypeError, "default_rng"),
        ({"rng": 3}, TypeError, "default_rng"),
        ({"fingers": 8}, ValueError, "fingers is 8, expected 1 to 7"),
        ({"fingers": 0}, ValueError, "fingers is 0"),
        ({"edge": 0.0}, ValueError, "edge is 0.0"),
        ({"edge": float("nan")}, ValueError, "edge is nan"),
    ],
)
def test_hands_refuse(wrong, error, says):
    asked = {"count": 2, "size": 20, "rng": np.random.default_rng(0)} | wrong
    with pytest.raises(error, match=says):
        hands(**asked)
