"""Tests of assignment 12 that the grader has."""

from itertools import pairwise

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree
from edudiff.denoisers import Ideal, Linear
from edudiff.sampling import jacobian_matrix
from edudiff.sampling import slerp as arc


@pytest.mark.invert
def test_invert_equals_the_package(student):
    """edudiff.sampling.invert with the ideal and the linear denoiser, on pictures and points, in both precisions."""
    rng = np.random.default_rng(21)
    for shape in ((5,), (3, 4, 2)):
        data = rng.uniform(-1, 1, (6, *shape))
        for denoise in (Ideal(data), Linear.fit(data)):
            for schedule, times in (
                (ed.schedule.cosine(), np.linspace(0.05, 1, 8)),
                (ed.schedule.log_linear(), [0.2, 0.9]),
            ):
                levels = [schedule(t) for t in np.asarray(times).tolist()]
                for dtype, tolerance in (("float64", 1e-8), ("float32", 1e-3)):
                    x0 = 1.5 * rng.standard_normal((3, *shape)).astype(dtype)
                    expected = ed.sampling.invert(denoise, schedule, x0, times)
                    agree(student.invert(denoise, x0, levels), expected, tolerance, f"x on {schedule.name}, {dtype}")


@pytest.mark.invert
def test_invert_at_any_scale(student):
    """Pictures and noise c times as large: so is the answer; and the way back by DDIM is a factor of cosines."""
    x0 = np.random.default_rng(22).standard_normal((2, 3))
    levels = [(0.95, 0.004), (0.8, 0.3), (0.6, 1.2), (0.6, 3.0)]
    for c in (1.0, 1e-3):
        scaled = [(a, c * s) for a, s in levels]

        def denoise(x, alpha, sigma, c=c):
            return 0.3 * c + alpha * c**2 * (x - 0.3 * alpha * c) / (alpha**2 * c**2 + sigma**2)

        x = 0.95 * c * x0
        for (a, s), (b, r) in pairwise(scaled):
            hat = denoise(x, a, s)
            x = b * hat + r / s * (x - a * hat)
        agree(student.invert(denoise, c * x0, scaled) / c, x / c, 1e-8, f"x at scale {c:g}")
    agree(student.invert(denoise, x0, levels[:1]), 0.95 * x0, what="x after no step")


@pytest.mark.slerp
def test_slerp_equals_the_package(student):
    """edudiff.sampling.slerp, for rows of any length and angle, beyond a right one too."""
    rng = np.random.default_rng(23)
    for width in (2, 3, 50):
        a, b = 3 * rng.standard_normal((2, 6, width))
        b[:3] *= 0.01
        for share in (0.0, 0.2, 0.5, 0.9, 1.0, 1.5):
            for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-3)):
                given = a.astype(dtype), b.astype(dtype)
                agree(student.slerp(*given, share), arc(*given, share), tolerance, f"the {dtype} answer at {share}")
    for c in (1e-3, 100.0):
        agree(student.slerp(c * a, c * b, 0.3) / c, arc(a, b, 0.3), 1e-9, f"the answer at scale {c:g}")


@pytest.mark.divergence
def test_divergence_is_the_sign_of_the_jacobian(student):
    """e . J e with the Jacobian of the ideal denoiser, which is not linear, at several levels."""
    rng = np.random.default_rng(24)
    denoise, x = Ideal(rng.uniform(-1, 1, (5, 3))), rng.standard_normal((4, 3))
    signs = np.where(rng.standard_normal((4, 3)) > 0, 1.0, -1.0)
    for alpha, sigma in ((0.8, 0.6), (0.5, 1.5)):
        expected = np.einsum("bi,bij,bj->b", signs, jacobian_matrix(denoise, x, alpha, sigma), signs)
        agree(student.divergence(denoise, x, alpha, sigma, signs, 1e-4), expected, 1e-5, f"at sigma = {sigma}")


@pytest.mark.divergence
def test_divergence_takes_the_step_that_it_is_told(student):
    """x0_hat = x^3: the central difference is 3 x^2 + step^2; the levels are those given; float32 stays float32."""
    rng = np.random.default_rng(25)
    for width in (1, 5):
        x, signs = rng.standard_normal((3, width)), np.where(rng.standard_normal((3, width)) > 0, 1.0, -1.0)
        for step in (0.5, 1e-3):
            for dtype, tolerance in (("float64", 1e-10 if step == 0.5 else 1e-8), ("float32", 3e-2)):
                given = x.astype(dtype), 0.3, 1.7, signs.astype(dtype), step
                answer = student.divergence(lambda x, alpha, sigma: alpha * x**3 + sigma * x, *given)
                expected = (0.3 * (3 * x**2 + step**2) + 1.7).sum(1).astype(dtype)
                agree(answer, expected, tolerance, f"the {dtype} answer for step {step:g}")


@pytest.mark.divergence
def test_divergence_at_small_noise(student):
    """The denoiser is asked at the sigma that is given, however small."""
    x, signs = np.array([[0.5, 1.5]]), np.array([[1.0, 1.0]])
    for sigma in (1e-3, 0.02):
        answer = student.divergence(lambda x, alpha, sigma: sigma * x, x, 0.9, sigma, signs, 0.25)
        agree(answer / sigma, np.array([2.0]), 1e-9, f"the divergence over sigma = {sigma}")


@pytest.mark.divergence
def test_divergence_of_wide_and_small_batches(student):
    """One item of many values, and signs that differ from item to item."""
    matrix = np.random.default_rng(26).standard_normal((40, 40))
    for count in (1, 7):
        x = 20 * np.random.default_rng(27).standard_normal((count, 40))
        signs = np.where(np.random.default_rng(28).standard_normal((count, 40)) > 0, 1.0, -1.0)
        answer = student.divergence(lambda x, alpha, sigma: x @ matrix.T, x, 0.6, 0.8, signs, 0.5)
        agree(answer, ((signs @ matrix.T) * signs).sum(1), 1e-11, f"the answer for {count} items")
