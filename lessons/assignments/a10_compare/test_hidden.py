"""Tests of assignment 10 that the grader has."""

import numpy as np
import pytest

from edudiff.compare import metrics
from edudiff.course.answers import agree

SHAPES = ((4, 6), (2, 3, 5, 1), (3, 4, 4, 3))


def found(windows):
    """The windows that were found as a list, also where they come as an array."""
    return windows.tolist() if isinstance(windows, np.ndarray) else windows


@pytest.mark.pearson_r
def test_pearson_r_equals_the_package(student):
    """edudiff.compare.metrics.pearson_r, for points and pictures, dark and bright."""
    rng = np.random.default_rng(101)
    for shape in SHAPES:
        a, b = rng.standard_normal((2, *shape)) + rng.standard_normal((2, 1, *[1] * (len(shape) - 1)))
        expected = metrics.pearson_r(a, b)
        for size in (1.0, 0.01):
            agree(
                student.pearson_r(size * a, size * b),
                expected,
                1e-9 if size == 1 else 1e-6,
                f"r of {shape}, times {size:g}",
            )
        single = student.pearson_r(a.astype("float32"), b.astype("float32"))
        agree(single, expected.astype("float32"), 1e-4, f"r of {shape} in float32")


@pytest.mark.r2_score
def test_r2_score_equals_the_package(student):
    """edudiff.compare.metrics.r2_score, for points and pictures, good and bad predictions."""
    rng = np.random.default_rng(102)
    for shape in SHAPES:
        truth, other = rng.standard_normal((2, *shape)) + 0.5
        for share in (0.1, 1.0):
            prediction = truth + share * other
            expected = metrics.r2_score(truth, prediction)
            for size in (1.0, 0.01):
                answer = student.r2_score(size * truth, size * prediction)
                agree(answer, expected, 1e-9 if size == 1 else 1e-6, f"R^2 of {shape}, times {size:g}")
            single = student.r2_score(truth.astype("float32"), prediction.astype("float32"))
            agree(single, expected.astype("float32"), 1e-4, f"R^2 of {shape} in float32")


@pytest.mark.calibrate
def test_calibrate_against_its_definition(student):
    """The mean cosine similarity of edudiff.compare.metrics, the largest of each step."""
    rng = np.random.default_rng(103)
    for steps, kinds, count, width in ((1, 2, 3, 4), (6, 5, 4, 3), (8, 3, 1, 7)):
        wanted = rng.standard_normal((steps, count, width)) * rng.uniform(0.1, 5, (steps, count, 1))
        answers = (
            rng.standard_normal((steps, kinds, count, width)) * rng.uniform(0.1, 5, (steps, kinds, count, 1)) + 0.3
        )
        windows = [3, 5, 7, 9, 11][:kinds]
        best = []
        for i in range(steps):
            likeness = [metrics.cosine_similarity(wanted[i], answers[i, j]).mean() for j in range(kinds)]
            best.append(windows[int(np.argmax(likeness))])
        for size in (1.0, 1e-3):
            agree(found(student.calibrate(size * wanted, size * answers, windows)), best, what="the list of windows")


@pytest.mark.calibrate
def test_sizes_in_any_order(student):
    """The windows need not rise, and equal answers go to the first: cosines that every order of adding makes alike."""
    wanted = np.array([[[1.0, 1.0, 1.0, 1.0]] * 4] * 3)
    half, zero, less = [0.0, 0.0, 8.0, 0.0], [2.0, 0.0, -2.0, 0.0], [-1.0, 0.0, 0.0, 0.0]
    kinds = [[zero, half, half], [half, zero, half], [less, zero, zero]]
    answers = np.array([[[kind] * 4 for kind in step] for step in kinds])
    agree(found(student.calibrate(wanted, answers, [9, 3, 5])), [3, 9, 3], what="the list of windows")
