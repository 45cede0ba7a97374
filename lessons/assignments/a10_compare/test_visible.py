"""Tests of assignment 10 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def images(seed, shape=(3, 2, 4, 2)):
    """Random pictures."""
    return np.random.default_rng(seed).standard_normal(shape)


def found(windows):
    """The windows that were found as a list, also where they come as an array."""
    return windows.tolist() if isinstance(windows, np.ndarray) else windows


@pytest.mark.pearson_r
def test_brightness_and_contrast_do_not_matter(student):
    """r of a picture with itself, brighter and with another contrast, is 1, and with its negative -1."""
    a = images(0)
    scale = np.array([0.5, 2.0, -3.0])[:, None, None, None]
    agree(student.pearson_r(a, scale * a + 0.7), np.array([1.0, 1.0, -1.0]))


@pytest.mark.pearson_r
def test_r_equals_that_of_numpy(student):
    """np.corrcoef, picture by picture."""
    a, b = images(1) + 0.3, images(2)
    agree(
        student.pearson_r(a, b), np.array([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(a, b, strict=True)])
    )


@pytest.mark.pearson_r
def test_faint_pictures_and_single_precision(student):
    """Contrast does not matter, however small; points do as well as pictures; float32 stays float32."""
    a = np.array([[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.0, 1.0]])
    b = np.array([[0.0, 1.0, 2.0, 5.0], [0.0, 1.0, 1.0, 0.0]])
    expected = np.array([8 / 70**0.5, -1.0])
    for size in (1.0, 0.01):
        agree(student.pearson_r(size * a, size * b), expected, 1e-6, f"r of pictures times {size:g}")
    agree(student.pearson_r(a.astype("float32"), b.astype("float32")), expected.astype("float32"), 1e-5, "r of float32")


@pytest.mark.r2_score
def test_perfect_constant_and_worse(student):
    """The truth itself: 1. Its mean: 0. A constant one standard deviation off: -1."""
    truth = images(3)
    mean = truth.mean(axis=(1, 2, 3), keepdims=True)
    off = np.sqrt(((truth - mean) ** 2).mean(axis=(1, 2, 3), keepdims=True))
    prediction = np.stack([truth[0], 0 * truth[1] + mean[1], 0 * truth[2] + mean[2] + off[2]])
    agree(student.r2_score(truth, prediction), np.array([1.0, 0.0, -1.0]))


@pytest.mark.r2_score
def test_known_numbers(student):
    """Truth 0, 1, 2, 3 and prediction 0, 1, 2, 5: 1 - 4 / 5. The other way round: 1 - 4 / 14."""
    a, b = np.array([[0.0, 1.0, 2.0, 3.0]]), np.array([[0.0, 1.0, 2.0, 5.0]])
    agree(student.r2_score(a, b), np.array([0.2]))
    agree(student.r2_score(b, a), np.array([1 - 4 / 14]))


@pytest.mark.r2_score
def test_faint_truth_and_single_precision(student):
    """Contrast that both share does not matter, however small; float32 stays float32."""
    a, b = (
        np.array([[0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 2.0, 3.0]]),
        np.array([[0.0, 1.0, 2.0, 5.0], [5.0, 5.0, 5.0, 5.0]]),
    )
    expected = np.array([0.2, -18.0])
    for size in (1.0, 0.01):
        agree(student.r2_score(size * a, size * b), expected, 1e-6, f"R^2 of pictures times {size:g}")
    agree(
        student.r2_score(a.astype("float32"), b.astype("float32")), expected.astype("float32"), 1e-5, "R^2 of float32"
    )


@pytest.mark.calibrate
def test_the_size_that_was_used_is_found(student):
    """The network's noise is the formula's of windows 9, 5, 5, 3, plus a little, at another scale."""
    answers = images(4, (4, 4, 6, 5))
    wanted = 3 * np.stack([answers[i, j] for i, j in enumerate([3, 1, 1, 0])]) + 0.1 * images(5, (4, 6, 5))
    agree(found(student.calibrate(wanted, answers, [3, 5, 7, 9])), [9, 5, 5, 3], what="the list of windows")


@pytest.mark.calibrate
def test_each_picture_has_one_vote(student):
    """Window 3 is right about two pictures, window 5 about a third that is a hundred times larger: window 3 wins."""
    wanted = np.array([[[1.0, 0.0], [0.0, 1.0], [100.0, 0.0]]])
    three = [[1.0, 0.0], [0.0, 1.0], [0.0, 100.0]]
    five = [[0.0, 1.0], [1.0, 0.0], [100.0, 0.0]]
    agree(found(student.calibrate(wanted, np.array([[five, three]]), [5, 3])), [3], what="the list of windows")


@pytest.mark.calibrate
def test_strength_does_not_count(student):
    """A weak answer in the right direction beats a strong one that is a little off."""
    answers = np.array([[[[9.0, 5.0], [0.0, 9.0]], [[1.0, 0.0], [0.0, 1.0]]]])
    agree(
        found(student.calibrate(np.array([[[10.0, 0.0], [0.0, 10.0]]]), answers, [5, 3])),
        [3],
        what="the list of windows",
    )


@pytest.mark.calibrate
def test_the_sign_counts(student):
    """The opposite noise is the worst answer, and a constant offset is part of the noise."""
    wanted = np.array([[[1.0, 2.0, 3.0]]])
    answers = np.array([[[[-1.0, -2.0, -3.0]], [[1.0, 2.0, 2.0]], [[11.0, 12.0, 13.0]]]])
    agree(found(student.calibrate(wanted, answers, [3, 5, 7])), [5], what="the list of windows")


@pytest.mark.calibrate
def test_of_equals_the_first(student):
    """Cosines 1/2 and 1/2 and 0: the first of the two equal ones, whatever its window, and however faint the noise."""
    wanted = np.tile([1.0, 1.0, 1.0, 1.0], (2, 2, 1))
    one, other, none = [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0], [1.0, -1.0, 0.0, 0.0]
    answers = np.array([[[none, none], [one, one], [other, other]], [[other, other], [none, none], [one, one]]])
    for size in (1.0, 2.0**-10):
        agree(found(student.calibrate(size * wanted, size * answers, [7, 5, 3])), [5, 7], what="the list of windows")


@pytest.mark.calibrate
def test_angles_in_the_plane(student):
    """Noise of known directions and any length: the cosine of the angle between two, averaged over the batch."""
    rng = np.random.default_rng(6)
    angles, wanted = rng.uniform(0, 2 * np.pi, (20, 4, 5)), rng.uniform(0, 2 * np.pi, (20, 5))
    plane = [rng.uniform(0.2, 5, (*a.shape, 1)) * np.stack([np.cos(a), np.sin(a)], axis=-1) for a in (wanted, angles)]
    best = np.cos(angles - wanted[:, None]).mean(axis=2).argmax(axis=1)
    agree(found(student.calibrate(*plane, [3, 5, 7, 9])), [3 + 2 * int(j) for j in best], what="the list of windows")
