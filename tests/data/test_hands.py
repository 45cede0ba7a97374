"""Drawn hands keep their rule, and the counter finds it: five fingers in every hand, or as many as were asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.compare.fingers import count_fingers_all, finger_tips
from edudiff.data.shapes import hands, raised_hands

seeds = st.integers(0, 2**32)
kinds = st.sampled_from([(hands, 14), (raised_hands, 18)])  # each with its smallest size


@given(seed=seeds, kind=kinds, more=st.integers(0, 22))
def test_every_hand_has_five_fingers(seed, kind, more):
    """25 seeds and sizes, 20 hands each: 500 hands in all poses."""
    draw, smallest = kind
    images = draw(20, smallest + more, np.random.default_rng(seed))
    assert (count_fingers_all(images) == 5).all()


@given(seed=seeds, kind=kinds, more=st.integers(4, 14), fingers=st.integers(1, 6))
def test_the_counter_finds_as_many_fingers_as_were_drawn(seed, kind, more, fingers):
    draw, smallest = kind
    images = draw(20, smallest + more, np.random.default_rng(seed), fingers=fingers)
    assert (count_fingers_all(images) == fingers).all()


@given(seed=seeds)
def test_seven_fingers_are_counted_where_they_have_room(seed):
    for draw, size in ((hands, 16), (raised_hands, 26)):
        assert (count_fingers_all(draw(8, size, np.random.default_rng(seed), fingers=7)) == 7).all()


@given(seed=seeds, kind=kinds, more=st.integers(0, 14))
def test_counts_do_not_change_under_noise_of_two_percent_of_the_range(seed, kind, more):
    draw, smallest = kind
    rng = np.random.default_rng(seed)
    images = draw(16, smallest + more, rng)
    noisy = images + 0.02 * 2 * rng.standard_normal(images.shape)
    assert (count_fingers_all(noisy) == 5).all()


@given(seed=seeds, kind=kinds, more=st.integers(4, 14), fingers=st.integers(3, 6), edge=st.floats(0.3, 0.8))
def test_counts_survive_noise_and_other_softness(seed, kind, more, fingers, edge):
    draw, smallest = kind
    rng = np.random.default_rng(seed)
    images = draw(10, smallest + more, rng, fingers=fingers, edge=edge)
    noisy = images + 0.05 * rng.standard_normal(images.shape)
    assert (count_fingers_all(noisy) == fingers).all()


@given(seed=seeds, kind=kinds, more=st.integers(0, 22), fingers=st.integers(1, 7))
def test_hands_are_pictures_and_nothing_is_cut_off(seed, kind, more, fingers):
    draw, size = kind[0], kind[1] + more
    images = draw(20, size, np.random.default_rng(seed), fingers=fingers)
    assert images.shape == (20, size, size, 1)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    assert (images.max(axis=(1, 2, 3)) > 0.95).all()
    padding = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    assert padding.max() < 0.1


@given(seed=seeds, kind=kinds, count=st.integers(1, 20))
def test_a_hand_does_not_depend_on_how_many_are_drawn(seed, kind, count):
    many, few = (kind[0](n, rng=np.random.default_rng(seed)) for n in (20, count))
    np.testing.assert_array_equal(many[:count], few)


def test_raised_hands_point_up_and_have_their_thumbs_on_either_side():
    images = raised_hands(200, 24, np.random.default_rng(0))
    found = finger_tips(images)
    for image, tips in zip(images, found, strict=True):
        palm = np.argwhere(image[..., 0] > 0.9).mean(axis=0) / 24
        assert (tips[:, 0] < palm[0] + 0.1).all() and (tips[:, 0] < palm[0]).sum() >= 4
    thumbs = np.array([tips[tips[:, 0].argmax(), 1] < np.median(tips[:, 1]) for tips in found])
    assert 0.4 < thumbs.mean() < 0.6


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


def test_raised_hands_refuse_what_is_too_small_or_has_too_many_fingers():
    with pytest.raises(ValueError, match="size is 17, expected an integer >= 18"):
        raised_hands(2, 17, np.random.default_rng(0))
    with pytest.raises(ValueError, match="fingers is 8, expected 1 to 7"):
        raised_hands(2, 20, np.random.default_rng(0), fingers=8)
