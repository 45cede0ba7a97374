"""The rule of the finger counter, on forms whose count is plain: bars, stumps, forks, webs, several hands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edudiff as ed
from edudiff.compare import fingers
from edudiff.compare.fingers import (
    BRIGHT,
    DEBRIS,
    NEAR,
    RADIUS,
    SIDE,
    SURE,
    TIP,
    count_fingers,
    count_fingers_all,
    disc_sums,
    fine,
    finger_agreement,
    finger_tips,
    same_fingers,
    tip_points,
)
from edudiff.data.draw import capsules, paint
from edudiff.data.shapes import hands
from edudiff.support.components import pieces
from edudiff.support.random import streams

PALM, FINGER = 0.18, 0.056


def image(*lines, size=24):
    """Capsules (from, to, radius), all in units of the side, as one picture (H, W, 1)."""
    start, end, radius = (np.array([line[i] for line in lines], float) * size for i in range(3))
    return paint(capsules(size, start[None], end[None], radius[None]))[0][..., None]


def palm(y=0.5, x=0.5):
    return ((y, x), (y, x), PALM)


def finger(angle, length=0.42, y=0.5, x=0.5, radius=FINGER):
    """A finger from the middle of a palm, `angle` in degrees."""
    a = np.radians(angle)
    return ((y, x), (y + length * np.sin(a), x + length * np.cos(a)), radius)


@pytest.mark.parametrize("size", [14, 20, 24, 32, 64])
def test_plain_forms(size):
    def count(*lines):
        return count_fingers(image(*lines, size=size))

    assert count(palm()) == 0
    assert count(palm(), finger(10)) == 1
    assert count(palm(), finger(10), finger(100), finger(220)) == 3
    assert count(*(finger(a) for a in range(0, 360, 60))) == 6  # no palm
    assert size < 24 or count(finger(30), finger(210)) == 2  # a loose bar has two ends
    assert count(palm(), *(finger(a, 0.40) for a in range(0, 360, 36))) == 10


@pytest.mark.parametrize("size", [20, 32])
def test_forked_merged_and_short_fingers(size):
    base, others = palm(0.5, 0.4), [finger(a, x=0.4) for a in (70, 120, 170, 220)]
    fork = [((0.5, 0.4), (0.5, 0.68), FINGER), ((0.5, 0.68), (0.38, 0.82), FINGER), ((0.5, 0.68), (0.62, 0.82), FINGER)]
    assert count_fingers(image(base, *others, *fork, size=size)) == 6
    for apart, expected in ((2, 5), (4, 5), (8, 6), (10, 6)):  # one broad finger, or two with a notch between
        merged = [finger(a, x=0.4) for a in (-apart, apart)]
        assert count_fingers(image(base, *others, *merged, size=size)) == expected
    for out, expected in ((0.01, 4), (0.02, 4), (0.05, 5), (0.10, 5), (0.15, 5)):
        stump = finger(0, PALM + out - FINGER, x=0.4)
        assert count_fingers(image(base, *others, stump, size=size)) == expected


def test_the_fingers_of_two_hands_add_up():
    first = [palm(0.25, 0.25), *(finger(a, 0.3, 0.25, 0.25) for a in (0, 90))]
    second = [palm(0.75, 0.75), *(finger(a, 0.3, 0.75, 0.75) for a in (180, 270))]
    assert count_fingers(image(*first, *second, size=32)) == 4


@given(seed=st.integers(0, 2**32), size=st.integers(18, 32))
def test_loose_pieces_are_no_fingers(seed, size):
    """Specks and rods beside a hand, up to a finger long, change nothing."""
    rng = np.random.default_rng(seed)
    whole = [palm(0.65, 0.35), *(finger(a, 0.3, 0.65, 0.35) for a in (180, 225, 270))]
    y, x, angle = 0.2, 0.75, rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0, 0.1) * np.array([np.sin(angle), np.cos(angle)])
    rod = [((y - reach[0], x - reach[1]), (y + reach[0], x + reach[1]), rng.uniform(0.03, FINGER))]
    assert count_fingers(image(*whole, *rod, size=size)) == count_fingers(image(*whole, size=size)) == 3


def test_pictures_that_a_formula_made_up_hardly_change_their_counts_under_faint_noise():
    """Malformed hands have doubtful fingers; noise of 2 % of the range decides few of them anew."""
    images = hands(60, 14, np.random.default_rng(0))
    schedule = ed.schedule.cosine()
    x = ed.reverse.start(schedule, (40, 14, 14, 1), streams(0, 40))  # (B, H, W, C)
    drawn = ed.reverse.sample(ed.denoisers.Patch(images, 7), schedule, x, schedule.times(10))  # (B, H, W, C)
    counts, rng = count_fingers_all(drawn), np.random.default_rng(1)
    assert len(np.unique(counts)) > 3
    changed = [count_fingers_all(drawn + 0.04 * rng.standard_normal(drawn.shape)) != counts for _ in range(3)]
    assert np.mean(changed) < 0.15


def test_tip_points_are_hand_of_whose_disc_little_is_hand():
    """Counted point by point, in pictures of many grays; what rounding could decide is left out."""
    rng, at = np.random.default_rng(0), np.arange(SIDE)
    waves = rng.uniform(0.05, 0.25, (12, 2, 1, 1)) * np.stack(np.meshgrid(at, at, indexing="ij"))  # (N, 2, h, w)
    bright = np.clip(2 * np.sin(waves[:, 0] + waves[:, 1]) + rng.uniform(-0.5, 0.5, (12, 1, 1)), -1.2, 1.2)  # (N, h, w)
    number = pieces(bright > 0, corners=True)  # (N, h, w)
    hand = np.stack([(n > 0) & (np.bincount(n.ravel())[n] >= DEBRIS * SIDE**2) for n in number])  # (N, h, w)
    part, reach = np.where(hand, np.minimum((1 + bright) / 2, 1), 0), int(RADIUS * SIDE)
    disc = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    disc = [(y, x) for y, x in disc if y**2 + x**2 <= (RADIUS * SIDE) ** 2]
    wide = np.pad(part, ((0, 0), (reach, reach), (reach, reach)))
    share = sum(wide[:, reach + y :, reach + x :][:, :SIDE, :SIDE] for y, x in disc) / len(disc)
    number, sure = tip_points(bright)
    for found, limit, candidates in ((number > 0, TIP, hand), (sure, SURE, hand & (bright > BRIGHT))):
        near = np.abs(share - limit)
        assert (candidates & (near > 5e-5) & (near < 3e-4)).sum() > 5
        np.testing.assert_array_equal(found[near > 5e-5], (candidates & (share < limit))[near > 5e-5])


@pytest.mark.parametrize("size", [24, 32])
def test_a_picture_turned_over_has_its_tips_turned_over(size):
    """Places are measured from the outer edge of the first pixel: y becomes 1 - y, and x becomes 1 - x."""
    picture = image(palm(0.45, 0.52), *(finger(a, 0.38, 0.45, 0.52) for a in (10, 100, 220)), size=size)
    [tips] = finger_tips(picture[None])
    for turned, axis in ((picture[::-1], 0), (picture[:, ::-1], 1)):
        [found] = finger_tips(turned[None])
        expected = tips.copy()
        expected[:, axis] = 1 - expected[:, axis]
        assert len(found) == 3
        np.testing.assert_allclose(np.sort(found, 0), np.sort(expected, 0), atol=0.001)
        assert same_fingers(found, expected) == 3


def test_tips_are_where_the_fingers_end():
    angles = (10, 100, 220)
    [tips] = finger_tips(image(palm(), *(finger(a) for a in angles), size=32)[None])
    ends = np.array([finger(a, 0.42 + FINGER / 2)[1] for a in angles])
    assert np.hypot(*(tips[:, None] - ends).transpose(2, 0, 1)).min(axis=0).max() < 0.06


@given(seed=st.integers(0, 2**32), k=st.integers(0, 6), n=st.integers(0, 6))
def test_fingers_are_paired_one_to_one_whichever_picture_comes_first(seed, k, n):
    rng = np.random.default_rng(seed)
    tips, others = rng.random((k, 2)), rng.random((n, 2))
    pairs = same_fingers(tips, others)
    assert pairs == same_fingers(others, tips) <= min(k, n)
    assert same_fingers(tips, tips) == k
    assert same_fingers(tips, tips + np.array([0, 2])) == 0
    if k:
        assert same_fingers(tips[:1], tips[:1] + np.array([0, 0.99 * NEAR])) == 1
        assert same_fingers(tips[:1], tips[:1] + np.array([0, 1.01 * NEAR])) == 0
        assert same_fingers(tips[:1], np.repeat(tips[:1], 3, axis=0)) == 1


@pytest.mark.filterwarnings("error")
def test_counts_that_do_not_vary_have_no_correlation():
    one, two = (image(palm(), *(finger(a) for a in angles)) for angles in ((0,), (0, 120)))
    for images, others in (([one, one], [one, two]), ([one, two], [two, two]), ([one, one], [two, two])):
        assert np.isnan(finger_agreement(np.stack(images), np.stack(others))["correlation"])
    assert finger_agreement(np.stack([one, two]), np.stack([two, one]))["correlation"] == pytest.approx(-1)


def test_agreement_of_fingers():
    def hand(*angles):
        return image(palm(), *(finger(a) for a in angles))

    images = np.stack([hand(0, 90), hand(180), hand(0, 120, 240)])
    others = np.stack([hand(0, 180), hand(180), hand(0, 120)])
    found = finger_agreement(images, others)
    assert found["same_count"] == pytest.approx(2 / 3)
    assert found["by_finger"] == pytest.approx(2 * (1 + 1 + 2) / (6 + 5))
    assert found["correlation"] == pytest.approx(np.corrcoef([2, 1, 3], [2, 1, 2])[0, 1])
    # Of picture i with the other of j: counts 2-1, 2-2, 1-2, 1-2, 3-2, 3-1; fingers in both 0, 1, 1, 0, 1, 0.
    assert found["same_count_by_chance"] == pytest.approx(1 / 6)
    assert found["by_finger_by_chance"] == pytest.approx(2 * 3 / (2 * 6 + 2 * 5))
    alike = finger_agreement(images, images)
    assert (alike["same_count"], alike["by_finger"], alike["correlation"]) == (1, 1, pytest.approx(1))
    alone = finger_agreement(images[:1], images[:1])
    assert alone["by_finger"] == 1 and np.isnan(alone["correlation"]) and np.isnan(alone["same_count_by_chance"])


def test_nothing_is_no_finger():
    assert count_fingers(-np.ones((20, 20, 1))) == 0
    assert count_fingers(np.zeros((20, 20))) == 0
    speck = -np.ones((20, 20))
    speck[10, 10] = 0.3
    assert count_fingers(speck) == 0


@given(seed=st.integers(0, 2**32), k=st.integers(0, 3), size=st.integers(14, 28))
def test_counts_do_not_change_when_a_picture_is_turned_or_mirrored(seed, k, size):
    rng = np.random.default_rng(seed)
    images = hands(10, size, rng) + 0.5 * rng.standard_normal((10, size, size, 1))  # malformed
    turned = np.rot90(images, k, axes=(1, 2))
    np.testing.assert_array_equal(count_fingers_all(turned), count_fingers_all(images))
    np.testing.assert_array_equal(count_fingers_all(turned[:, ::-1]), count_fingers_all(images))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20))
def test_one_picture_or_many_count_the_same(monkeypatch, seed, count):
    monkeypatch.setattr(fingers, "BLOCK", 8)
    rng = np.random.default_rng(seed)
    images = np.tanh(hands(20, 16, rng) + 0.7 * rng.standard_normal((20, 16, 16, 1)))[:count]
    counts = count_fingers_all(images)
    assert counts.shape == (count,)
    last = images[-1]
    assert counts[-1] == count_fingers(last) == count_fingers(last[..., 0]) == count_fingers(last.astype(np.float32))
    assert 0 <= counts.min() <= counts.max() <= 30


@given(seed=st.integers(0, 2**32), height=st.integers(5, 30), width=st.integers(5, 30))
def test_fine_reads_a_plane_exactly_inside(seed, height, width):
    """Linear interpolation leaves a linear picture linear; nothing beyond the outermost pixel centers is made up."""
    a, b, c = np.random.default_rng(seed).uniform(-1, 1, 3)
    y, x = np.mgrid[:height, :width]
    read = fine((a * y + b * x + c)[None])[0]
    assert max(read.shape) == SIDE
    h, w = read.shape
    rows = np.clip((np.arange(h) + 0.5) * height / h - 0.5, 0, height - 1)[:, None]
    columns = np.clip((np.arange(w) + 0.5) * width / w - 0.5, 0, width - 1)
    np.testing.assert_allclose(read, a * rows + b * columns + c, atol=1e-12)


@given(seed=st.integers(0, 2**32), radius=st.floats(1, 6), share=st.floats(0.1, 0.9))
def test_disc_sums_are_sums_over_discs(seed, radius, share):
    mask = np.random.default_rng(seed).random((2, 9, 12)) < share
    expected = np.zeros(mask.shape, int)
    y, x = np.mgrid[:9, :12]
    for i, j in np.ndindex(9, 12):
        near = (y - i) ** 2 + (x - j) ** 2 <= int(radius**2)
        near &= np.abs(y - i) <= int(radius)
        expected[:, i, j] = (mask & near).sum(axis=(1, 2))
    np.testing.assert_array_equal(disc_sums(mask, radius), expected)


@pytest.mark.parametrize(
    ("image", "error", "says"),
    [
        (np.zeros((2, 20, 20, 1)), ValueError, "count_fingers_all"),
        (np.zeros((20, 20, 3)), ValueError, "one gray channel"),
        (np.zeros((20, 20), int), TypeError, "from_uint8"),
        (np.full((20, 20), np.nan), ValueError, "NaN"),
        (np.zeros((0, 20)), ValueError, "empty"),
    ],
)
def test_count_fingers_refuses(image, error, says):
    with pytest.raises(error, match=says):
        count_fingers(image)


def test_fine_is_level_beyond_the_outermost_pixels():
    """Where there is nothing to read on one side, the border pixel is read."""
    image = np.random.default_rng(0).uniform(-1, 1, (1, 6, 9))
    read = fine(image)
    np.testing.assert_allclose(read[0, [0, 0, -1, -1], [0, -1, 0, -1]], image[0, [0, 0, -1, -1], [0, -1, 0, -1]])
    assert image.min() <= read.min() and read.max() <= image.max()


@pytest.mark.parametrize(("away", "pairs"), [(0.119, 1), (0.12, 1), (0.121, 0)])
def test_tips_up_to_0_12_apart_are_the_same_finger(away, pairs):
    assert same_fingers(np.zeros((1, 2)), np.array([[0.0, away]])) == pairs


@pytest.mark.parametrize(("missing", "hand"), [(0, True), (1, False)])
def test_a_piece_of_six_percent_of_the_picture_is_a_hand(missing, hand):
    """16 x 24 of 80 x 80 points."""
    bright = np.full((1, 80, 80), -1.0)
    bright[0, 20:36, 30:54] = 1.0
    bright[0, 20, 30 : 30 + missing] = -1.0
    number, _ = tip_points(bright)
    assert number.any() == hand


@pytest.mark.parametrize(("light", "clear"), [(0.19, False), (0.21, True)])
def test_a_tip_is_clearly_hand_if_it_is_brighter_than_a_fifth(light, clear):
    bright = np.full((1, 80, 80), -1.0)
    bright[0, 20:40, 30:54] = light
    number, sure = tip_points(bright)
    assert number.any() and sure.any() == clear


def test_what_is_no_brighter_than_the_middle_gray_is_no_hand():
    number, sure = tip_points(np.zeros((1, 80, 80)))
    assert not number.any()
    assert not sure.any()
