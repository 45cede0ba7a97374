"""Strokes and faces: their rules, and that item i does not depend on how many are drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.data import draw, toys
from edudiff.data.faces import GROUNDS, HAIRS, SKINS
from edudiff.data.shapes import faces, hands, raised_hands, strokes
from edudiff.data.strokes import smooth

seeds = st.integers(0, 2**32)


@given(seed=seeds, size=st.integers(10, 32))
def test_strokes_are_pictures_with_a_kind_each(seed, size):
    images, kinds = strokes(60, size, np.random.default_rng(seed), labels=True)
    assert images.shape == (60, size, size, 1)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    assert kinds.shape == (60,)
    assert set(kinds) <= set(range(10))
    ink = (images > 0).mean(axis=(1, 2, 3))
    assert (ink > 0.02).all()
    assert (ink < 0.5).all()
    np.testing.assert_array_equal(strokes(7, size, np.random.default_rng(seed)), images[:7])


def test_strokes_of_one_kind_look_more_alike_than_those_of_two():
    """Each of 400 pictures is nearer to its own kind's mean of 1,000 others in most cases; by chance it is 10 %."""
    images, kinds = strokes(1400, 20, np.random.default_rng(0), labels=True)
    means = np.stack([images[:1000][kinds[:1000] == k].mean(axis=0) for k in range(10)])
    nearest = ((images[1000:, None] - means) ** 2).sum(axis=(2, 3, 4)).argmin(axis=1)
    assert (nearest == kinds[1000:]).mean() > 0.8
    assert np.bincount(kinds).min() > 100


@given(seed=seeds, count=st.integers(2, 9), steps=st.integers(1, 6))
def test_smooth_curves_go_through_their_points(seed, count, steps):
    points = np.random.default_rng(seed).random((count, 2))
    curve = smooth(points, (count - 1) * steps + 1)
    np.testing.assert_allclose(curve[::steps], points, atol=1e-9)


def test_smooth_keeps_a_line_straight_and_rounds_an_octagon():
    line = np.arange(6)[:, None] * np.array([[0.3, -0.2]])
    np.testing.assert_allclose(smooth(line, 40) @ [0.2, 0.3], 0, atol=1e-12)
    angle = np.arange(9) * np.pi / 4
    octagon = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    octagon[-1] = octagon[0]
    np.testing.assert_allclose(np.hypot(*smooth(octagon, 200).T), 1, atol=0.01)


@given(seed=seeds, size=st.sampled_from([24, 32, 48]))
def test_faces_are_symmetric_about_an_axis(seed, size):
    """The axis is on half pixels, so some shift of the mirrored picture equals the picture, exactly up to rounding."""
    for image in faces(6, size, np.random.default_rng(seed)):
        assert min(_asymmetry(image, twice) for twice in range(size // 2, 3 * size // 2)) < 1e-6


def _asymmetry(image, twice):
    """Largest difference between columns mirrored about the column number twice / 2."""
    columns = np.arange(image.shape[1])
    columns = columns[(twice - columns >= 0) & (twice - columns < image.shape[1])]
    assert len(columns) > image.shape[1] // 4
    return np.abs(image[:, columns] - image[:, twice - columns]).max()


@given(seed=seeds)
def test_faces_have_one_skin_and_one_ground(seed):
    """The corners show the ground; among the skins exactly one is on the picture, on a good share of it."""
    images = faces(20, 48, np.random.default_rng(seed))
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    for image in images:
        colors = (image.reshape(-1, 3) + 1) / 2
        grounds = [np.allclose(g, colors[0], atol=0.01) for g in GROUNDS]
        assert sum(grounds) == 1
        shares = [(np.abs(colors - skin).max(axis=1) < 0.02).mean() for skin in SKINS]
        assert sum(share > 0.02 for share in shares) == 1  # dark hair on light skin has an edge of another
        assert max(shares) > 0.04


def test_colors_of_faces_are_far_apart():
    colors = np.concatenate([SKINS, HAIRS, GROUNDS])
    apart = np.abs(colors[:, None] - colors).max(axis=2) + np.eye(len(colors))
    assert apart.min() > 0.1


def test_a_face_does_not_depend_on_how_many_are_drawn():
    many, few = faces(9, rng=np.random.default_rng(3)), faces(4, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(many[:4], few)
    assert np.abs(many[0] - many[1]).max() > 0.1


@given(seed=seeds)
def test_distances_to_forms(seed):
    """A capsule of no length is a disc; an ellipse with equal radii is a disc; a capsule's ends do not matter."""
    rng = np.random.default_rng(seed)
    start, end, radius = rng.uniform(2, 18, (3, 2)), rng.uniform(2, 18, (3, 2)), rng.uniform(1, 5, 3)
    y, x = np.mgrid[:20, :20]
    disc = np.hypot(y - start[:, :1, None], x - start[:, 1:, None]) - radius[:, None, None]
    np.testing.assert_allclose(draw.capsule(20, start, start, radius), disc, atol=1e-9)
    np.testing.assert_allclose(draw.ellipse(20, start, np.stack([radius, radius], axis=1)), disc, atol=1e-6)
    line = draw.capsule(20, start, end, radius)
    np.testing.assert_allclose(line, draw.capsule(20, end, start, radius), atol=1e-9)
    along = start[:, None] + rng.random((3, 50))[..., None] * (end - start)[:, None]
    brute = np.hypot(y - along[:, :, :1, None], x - along[:, :, 1:, None]).min(axis=1) - radius[:, None, None]
    assert (line <= brute + 1e-9).all()


@pytest.mark.parametrize(("draw_them", "smallest"), [(strokes, 8), (faces, 24)])
def test_drawings_refuse(draw_them, smallest):
    with pytest.raises(ValueError, match=f"expected an integer >= {smallest}"):
        draw_them(2, smallest - 1, np.random.default_rng(0))
    with pytest.raises(TypeError, match="default_rng"):
        draw_them(2, 32)
    with pytest.raises(ValueError, match="count is -1"):
        draw_them(-1, 32, np.random.default_rng(0))


@pytest.mark.parametrize("draw_them", [strokes, faces, hands])
def test_an_edge_is_softer_than_none_and_narrower_than_two_pixels(draw_them):
    for edge in (0.01, 1.99):
        assert np.isfinite(draw_them(1, 24, np.random.default_rng(0), edge=edge)).all()
    for edge in (0, 2, -1, np.nan):
        with pytest.raises(ValueError, match=f"edge is {edge}"):
            draw_them(1, 24, np.random.default_rng(0), edge=edge)


DRAWN = {  # the first of seed 0, four or 64 of them, as four weighted sums of their values
    "hands": (lambda rng: hands(4, 16, rng), [0.894923, 1.216858, 1.692164, 1.374826]),
    "raised_hands": (lambda rng: raised_hands(4, 20, rng), [-0.275587, 0.098219, 0.570464, -0.205346]),
    "strokes": (lambda rng: strokes(4, 16, rng), [0.717329, 1.28383, 1.16818, 1.424604]),
    "faces": (lambda rng: faces(4, 32, rng), [-0.969471, 0.055616, -0.799569, -0.54337]),
    "64 hands": (lambda rng: hands(64, 16, rng), [0.074033, -0.273699, -0.199655, -0.005736]),
    "64 strokes": (lambda rng: strokes(64, 16, rng), [0.738702, -0.332182, 0.201005, -0.575205]),
    "64 faces": (lambda rng: faces(64, 32, rng), [-0.419854, -0.057433, -0.343784, -0.496284]),
    "ring": (lambda rng: toys.ring(4, rng), [-0.477485, 0.463015, 0.280172, 0.238769]),
    "two_moons": (lambda rng: toys.two_moons(4, rng), [-0.120544, -0.197869, -0.049973, -0.025874]),
    "eight_gaussians": (lambda rng: toys.eight_gaussians(4, rng), [-0.451731, -0.46213, -0.143359, 0.410349]),
    "spiral": (lambda rng: toys.spiral(4, rng), [-0.379994, 0.193818, 0.004643, 0.063323]),
    "checkerboard": (lambda rng: toys.checkerboard(4, rng), [0.532813, 0.041664, 0.093682, -0.31219]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_draws_the_same_items_in_every_version(name):
    """The figures' results, and those that others keep, are of these very items: what is drawn may not drift."""
    make, expected = DRAWN[name]
    items = make(np.random.default_rng(0)).reshape(4, -1).astype(float)
    weights = np.random.default_rng(1).standard_normal(items.shape[1]) / np.sqrt(items.shape[1])
    np.testing.assert_allclose(items @ weights, expected, atol=2e-5)
