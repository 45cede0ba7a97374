"""The rules of the drawn faces: every drawn face keeps all, and a picture that breaks one rule breaks that one only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edudiff.compare import rules
from edudiff.compare.rules import face_rules
from edudiff.data.faces import GROUNDS, SKINS
from edudiff.data.shapes import faces

ALL = {"eyes", "mouth", "skin", "outline"}
FACES = faces(40, 32, np.random.default_rng(5))


@pytest.mark.parametrize("size", [32, 48])
@settings(max_examples=3)
@given(seed=st.integers(0, 2**32))
def test_every_drawn_face_keeps_all_rules(seed, size):
    for rule, keeps in face_rules(faces(20, size, np.random.default_rng(seed))).items():
        assert keeps.all(), rule


def colors_of(image):
    """The face's own skin and ground, in [-1, 1]."""
    kind = rules.nearest_color((image[None].astype(float) + 1) / 2)[0]
    skin = SKINS[np.bincount(kind[kind < 4], minlength=4).argmax()]
    return 2 * skin - 1, image[0, 0]


def spot(image, mask):
    """The rows and columns of a bounding box, two pixels wider than the true part of `mask`."""
    y, x = mask.nonzero()
    return slice(y.min() - 2, y.max() + 3), slice(x.min() - 2, x.max() + 3)


def parts(image):
    """Boxes of the left eye, the right eye and the mouth."""
    unit = (image[None].astype(float) + 1) / 2
    blue, red = rules.ahead(unit, 2)[0] > rules.BLUE, rules.ahead(unit, 0)[0] > rules.RED
    middle = int(blue.nonzero()[1].mean() + 0.5)
    left, right = blue.copy(), blue.copy()
    left[:, middle:] = right[:, :middle] = False
    return spot(image, left), spot(image, right), spot(image, red)


def one_eye(image):
    left, _, _ = parts(image)
    image[left] = colors_of(image)[0]


def three_eyes(image):
    image[:3, 10:16] = 2 * rules.IRIS - 1


def uneven_eyes(image):
    left, _, _ = parts(image)
    eye = image[left].copy()
    image[left] = colors_of(image)[0]
    image[left[0].start - 3 : left[0].stop - 3, left[1]] = eye


def large_eye(image):
    rows, columns = parts(image)[0]
    y, x = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
    image[y - 2 : y + 3, x - 2 : x + 3] = 2 * rules.IRIS - 1


def no_mouth(image):
    image[parts(image)[2]] = colors_of(image)[0]


def two_mouths(image):
    mouth = parts(image)[2]
    image[:3, 4:20] = 2 * rules.MOUTH - 1
    assert mouth[0].start > 4


def mouth_above_the_eyes(image):
    mouth = parts(image)[2]
    lips = image[mouth].copy()
    image[mouth] = colors_of(image)[0]
    image[: lips.shape[0], mouth[1]] = lips


def mouth_aside(image):
    mouth = parts(image)[2]
    lips = image[mouth].copy()
    image[mouth] = colors_of(image)[0]
    image[mouth[0], mouth[1].start + 3 : mouth[1].stop + 3] = lips


def two_skins(image):
    skin, _ = colors_of(image)
    other = 2 * SKINS[(np.abs(2 * SKINS - 1 - skin).sum(1).argmin() + 2) % 4] - 1
    left, right, _ = parts(image)
    middle = (left[1].start + right[1].stop) // 2
    mine = np.abs(image - skin).max(axis=2) < 0.1
    mine[:, middle:] = False
    image[mine] = other


def crooked_head(image):
    top = min(part[0].start for part in parts(image)[:2])
    image[:top] = np.roll(image[:top], 4, axis=1)


def no_head(image):
    image[:] = 2 * GROUNDS[0] - 1


BREAKS = [
    (one_eye, {"eyes"}),
    (three_eyes, {"eyes"}),
    (uneven_eyes, {"eyes"}),
    (large_eye, {"eyes"}),
    (no_mouth, {"mouth"}),
    (two_mouths, {"mouth"}),
    (mouth_aside, {"mouth"}),
    (two_skins, {"skin"}),
    (crooked_head, {"outline"}),
    (no_head, ALL),
]


@pytest.mark.parametrize(("change", "broken"), BREAKS, ids=lambda b: getattr(b, "__name__", ""))
def test_a_picture_that_breaks_one_rule_breaks_that_one_only(change, broken):
    """On faces without hair, where nothing else is moved or covered by the change; all of them, for each rule."""
    bald = [image for image in FACES if hairless(image)]
    assert len(bald) >= 5
    for image in bald:
        picture = image.copy()
        change(picture)
        keeps = face_rules(picture[None])
        assert {rule for rule, kept in keeps.items() if not kept[0]} == broken


def hairless(image):
    kind = rules.nearest_color((image[None].astype(float) + 1) / 2)[0]
    hair = (kind >= 8) & (kind < 13)
    return hair.mean() < 0.03


def test_values_beyond_the_range_are_cut():
    """So a shade that is brighter than white is white, and no iris for the blue in it."""
    painted = FACES[:6].copy()
    painted[:, :4, 4:9] = 1.0, 1.0, 3.0
    painted[:, :4, 20:25] = -3.0, -3.0, -1.0
    for rule, kept in face_rules(painted).items():
        np.testing.assert_array_equal(kept, face_rules(np.clip(painted, -1, 1))[rule])
    assert face_rules(painted)["eyes"].all()


def test_irises_may_differ_by_a_pixel_each_way_and_no_more():
    """Of 3 x 3 and 4 x 4 pixels they are of one size; 3 x 4 and 5 x 5 are two sizes, as is one and its double."""
    side_by_side = lambda *areas: np.array([[area, 0.4, x] for area, x in zip(areas, (0.3, 0.6), strict=True)])  # noqa: E731
    assert rules.eyes(side_by_side(9 / 1024, 16 / 1024))
    assert not rules.eyes(side_by_side(12 / 1024, 25 / 1024))
    assert not rules.eyes(side_by_side(0.02, 0.01))


@pytest.mark.parametrize(("darker", "one"), [(0.2, True), (0.3, False)])
def test_a_tenth_more_or_less_light_is_one_skin_and_more_is_another(darker, one):
    """On one side of the face; lights go from -1 to 1, so 0.2 is a tenth."""
    for image in [image.copy() for image in FACES if hairless(image)]:
        left, right, _ = parts(image)
        mine = np.abs(image - colors_of(image)[0]).max(axis=2) < 0.1
        mine[:, (left[1].start + right[1].stop) // 2 :] = False
        image[mine] -= darker
        assert face_rules(image[None])["skin"][0] == one


def test_the_smallest_piece_that_counts_is_one_of_400_points():
    mask = np.zeros((1, 20, 20), bool)
    mask[0, 3, 4] = True
    assert len(rules.find(mask)[0]) == 1
    assert len(rules.find(np.pad(mask, ((0, 0), (0, 1), (0, 0))))[0]) == 0


def at(*places):
    """Pieces of one size at (y, x) each, as rows of area, y, x."""
    return np.array([[0.01, y, x] for y, x in places])


def test_a_pixel_of_32_up_or_down_or_aside_is_level_and_two_are_not():
    pixel = 1 / 32
    assert rules.eyes(at((0.4, 0.3), (0.4 + pixel, 0.6)))
    assert not rules.eyes(at((0.4, 0.3), (0.4 + 2 * pixel, 0.6)))
    assert not rules.eyes(at((0.4, 0.3), (0.4 + 1.5 * pixel, 0.6)))
    both = at((0.4, 0.3), (0.42, 0.6))
    assert rules.mouth(at((0.42 + 1.5 * pixel, 0.45)), both)  # under both eyes
    assert not rules.mouth(at((0.40 + 1.5 * pixel, 0.45)), both)
    assert rules.mouth(at((0.6, 0.45 + 1.8 * pixel)), both)  # between them
    for aside in (2.2 * pixel, -2.2 * pixel):
        assert not rules.mouth(at((0.6, 0.45 + aside)), both)
        assert rules.mouth(at((0.6, 0.45 + aside)), both[:1])  # of one eye, a mouth is only under it


@pytest.mark.parametrize(("aside", "same"), [(1.0, True), (-1.0, True), (1.5, False), (2.0, False)])
def test_an_outline_has_one_middle_up_to_a_pixel_of_32_in_nine_of_ten_rows(aside, same):
    rows = np.zeros((40, 32), bool)
    rows[5:35, 8:21] = True
    rows[5:9] = False  # four of 30 rows are moved by `aside`
    rows[5:9, 8 + int(np.ceil(aside)) : 21 + int(np.floor(aside))] = True
    assert rules.outline(rows) == same
    rows[6:9] = rows[9]  # only one of 30 is
    assert rules.outline(rows)


@pytest.mark.parametrize(("step", "even"), [(0.09, True), (0.11, False)])
def test_a_part_is_even_where_neighbors_differ_by_less_than_a_tenth(step, even):
    """Every third row and column is darker; where that is too much for an even part, there is no skin to look at."""
    colors = np.broadcast_to(SKINS[0], (1, 30, 30, 3)).copy()
    colors[:, ::3] -= step
    assert rules.skin(colors, np.ones((1, 30, 30), bool)) == [even]
    assert rules.skin(colors.swapaxes(1, 2), np.ones((1, 30, 30), bool)) == [even]


@pytest.mark.parametrize(("rows", "found"), [(7, False), (8, True), (10, True)])
def test_a_head_takes_at_least_a_fiftieth_of_the_picture(rows, found):
    colors = np.broadcast_to(GROUNDS[0], (1, 40, 40, 3)).copy()
    colors[:, 3 : 3 + rows, 5:9] = SKINS[0]  # of 8 rows: 32 of 1,600 points
    head = rules.find_heads(colors)
    assert head.any() == found
    if found:
        np.testing.assert_array_equal(head, (colors == SKINS[0]).all(axis=3))


def test_a_little_blur_and_noise_break_nothing():
    """What a good model leaves: a few percent of noise, a twentieth of the neighbors' color."""
    blurred = 0.9 * FACES + 0.05 * np.roll(FACES, 1, 1) + 0.05 * np.roll(FACES, -1, 2)
    noisy = blurred + 0.03 * np.random.default_rng(0).standard_normal(FACES.shape)
    assert np.all(list(face_rules(noisy).values()), axis=0).mean() > 0.8


def test_rules_refuse():
    for images, error, says in (
        (FACES[0], ValueError, r"\(N, H, W, 3\)"),
        (FACES[..., :1], ValueError, r"\(N, H, W, 3\)"),
        (FACES.astype(int), TypeError, "int64"),
        (FACES * np.nan, ValueError, "NaN"),
    ):
        with pytest.raises(error, match=says):
            face_rules(images)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shade", [-1.0, 0.0, 1.0])
def test_an_even_picture_is_no_face(shade):
    """Nothing there to look at, and no warning: neither eyes, mouth, head nor skin."""
    for image in (np.full((1, 32, 32, 3), shade), np.broadcast_to(2 * GROUNDS[0] - 1, (1, 32, 32, 3))):
        kept = face_rules(image)
        assert not (kept["eyes"] or kept["mouth"])
    assert not kept["skin"] and not kept["outline"]  # all ground


@pytest.mark.filterwarnings("error")
def test_parts_of_nothing_are_nothing():
    empty = np.zeros((1, 8, 8), bool)
    assert not rules.middle(empty[0]).any()
    assert not rules.outline(empty[0])
    assert rules.find(empty)[0].shape == (0, 3)
    full = rules.find(~empty)[0]
    for one in rules.find((~empty).repeat(99, 0)):  # how many masks there are does not matter
        np.testing.assert_array_equal(one, full)
    np.testing.assert_allclose(full, [[1, 3.5 / 8, 3.5 / 8]])


@pytest.mark.parametrize("corners", [((3, 5), (3, 5)), ((1, 2), (4, 6))])
def test_a_piece_is_its_area_and_its_middle(corners):
    """In shares of the picture and of its side; down to a single point."""
    (top, left), (bottom, right) = corners
    mask = np.zeros((1, 8, 8), bool)
    mask[0, top : bottom + 1, left : right + 1] = True
    [[area, y, x]] = rules.find(mask)[0]
    assert area == mask.sum() / 64
    assert (y, x) == ((top + bottom) / 2 / 8, (left + right) / 2 / 8)


def test_points_that_touch_at_a_corner_are_one_piece():
    mask = np.eye(8, dtype=bool)[None] | np.eye(8, k=-5, dtype=bool)[None]
    areas = [row[0] for row in rules.find(mask)[0]]
    assert sorted(areas) == [3 / 64, 8 / 64]


def test_what_is_just_within_a_rule_keeps_it():
    """Areas of 5 and 9 points, heights 0.04 apart, a mouth 0.06 beside the middle, a tenth of the rows aside."""
    assert rules.eyes(np.array([[5 / 1024, 0.5, 0.3], [9 / 1024, 0.5, 0.6]]))
    assert rules.eyes(at((0.0, 0.3), (0.04, 0.6)))
    assert rules.mouth(at((0.5, 0.06)), at((0.0, -0.25), (0.0, 0.25)))
    head = np.zeros((10, 25), bool)
    head[:, 8:17] = True
    head[:4] = np.roll(head[:4], 1, axis=1)  # a pixel of 25 is 0.04
    assert rules.outline(head)
    head[:4] = head[4]
    head[0] = np.roll(head[0], 5)
    assert rules.outline(head)
    head[1] = head[0]
    assert not rules.outline(head)
