"""Tests of assignment 1 that the grader has."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree


def pair(answer):
    """(alpha, sigma), also where they come as one array."""
    return tuple(answer) if isinstance(answer, np.ndarray) else answer


@pytest.mark.cosine
def test_cosine_equals_the_package(student):
    """The cosine schedule of edudiff, at many times and stretches."""
    rng = np.random.default_rng(71)
    for stretch in (1.0, 1.008, 1.5):
        for shape in ((), (6,), (2, 3)):
            t = rng.uniform(size=shape) if shape else float(rng.uniform())
            agree(
                pair(student.cosine(t, stretch)),
                ed.schedule.cosine(stretch)(t),
                what=f"stretch {stretch}, shape {shape}",
            )


@pytest.mark.cosine
def test_equal_times_are_equal_angles(student):
    """cos of the sum of two angles, by the addition theorem."""
    (a, s), (b, r) = student.cosine(0.21), student.cosine(0.43)
    agree(pair(student.cosine(0.64)), (a * b - s * r, s * b + a * r), what="(alpha, sigma) at 0.21 + 0.43")


@pytest.mark.cosine
def test_single_precision_times(student):
    """float32 times have float32 scales."""
    t = np.random.default_rng(74).uniform(size=(2, 5)).astype("float32")
    expected = tuple(scale.astype("float32") for scale in ed.schedule.cosine()(t.astype("float64")))
    agree(pair(student.cosine(t)), expected, 1e-5, "(alpha, sigma)")


@pytest.mark.add_noise
def test_add_noise_equals_the_package(student):
    """add_noise of edudiff, for points and pictures, numbers and arrays, both precisions."""
    rng = np.random.default_rng(72)
    for shape in ((4, 4), (1, 6), (3, 5, 3, 3), (2, 2, 2, 2)):
        for dtype in ("float64", "float32"):
            x0, noise = rng.standard_normal((2, *shape)).astype(dtype)
            for alpha, sigma in (
                (0.3, 0.7),
                rng.uniform(0.1, 1, (2, shape[0])),
                (0.4, np.ones(shape[0])),
                (0.02, 1.3),
                (1.0, 0.0),
            ):
                expected = ed.forward.add_noise(x0, alpha, sigma, noise)
                agree(student.add_noise(x0, alpha, sigma, noise), expected, 1e-6 if dtype == "float32" else 1e-12)


@pytest.mark.add_noise
def test_variances_add(student):
    """Of independent parts: alpha^2 var(x0) + sigma^2."""
    rng = np.random.default_rng(73)
    x0, noise = rng.uniform(-1, 1, (4000, 8)), rng.standard_normal((4000, 8))
    agree(student.add_noise(x0, 0.6, 0.5, noise).var(), 0.36 / 3 + 0.25, tolerance=0.02, what="the variance")


@pytest.mark.add_noise
def test_numbers_of_numpy_do_not_lift_single_precision(student):
    """A float64 number from an array of levels leaves float32 pictures what they are."""
    x0, noise = np.random.default_rng(75).standard_normal((2, 3, 4)).astype("float32")
    alpha, sigma = np.array([0.8, 0.6])
    agree(student.add_noise(x0, alpha, sigma, noise), ed.forward.add_noise(x0, 0.8, 0.6, noise), 1e-5)


@pytest.mark.log_snr
def test_log_snr_equals_the_package(student):
    """log_snr of every schedule of edudiff."""
    for schedule in (ed.schedule.cosine(), ed.schedule.ddpm_linear(), ed.schedule.log_linear(), ed.schedule.flow()):
        t = np.linspace(0.1, 0.9, 6).reshape(2, 3)
        agree(student.log_snr(*schedule(t)), schedule.log_snr(t), what=f"log_snr of {schedule.name}")


@pytest.mark.log_snr
def test_only_the_ratio_matters(student):
    """Twice the signal and twice the noise is the same."""
    agree(student.log_snr(0.8, 0.2), student.log_snr(0.4, 0.1), what="log_snr(0.8, 0.2) against log_snr(0.4, 0.1)")
    agree(student.log_snr(0.001, 1.0), -13.815510557964274, 1e-5, what="log_snr(0.001, 1)")


@pytest.mark.log_snr
def test_levels_far_from_one(student):
    """Ratios up to 10^8, in both precisions."""
    alpha, sigma = np.array([1.0, 1e-4, 0.3, 1e-3]), np.array([1e-4, 1.0, 0.3, 2.0])
    expected = np.log(alpha / sigma) * 2
    agree(student.log_snr(alpha, sigma), expected, 1e-4)
    agree(student.log_snr(alpha.astype("float32"), sigma.astype("float32")), expected.astype("float32"), 1e-5)
