"""Tests of assignment 13 that the grader has."""

import numpy as np
import pytest

from edudiff.course.answers import agree
from edudiff.denoisers import Ideal, Linear
from edudiff.sampling import Measurement, posterior_guided


@pytest.mark.posterior
def test_posterior_equals_the_package(student):
    """The law of edudiff.denoisers.Ideal, conditioned; any scale of data and noise; ties; float32."""
    rng = np.random.default_rng(31)
    images = rng.uniform(-1, 1, (8, 6))
    images[5] = images[2]
    law = Ideal(images).generated()
    for known in (np.array([4]), np.array([0, 3, 5]), np.arange(6)):
        for noise in (0.05, 0.6, 5.0):
            y = images[2][known] + noise * rng.standard_normal(len(known))
            wanted = law.conditioned(np.eye(6)[known], y, noise).weights
            for c in (1.0, 0.01, 100.0):
                agree(
                    student.posterior(c * images, known, c * y, c * noise), wanted, 1e-9, f"weights for noise {noise}"
                )
            narrow = student.posterior(images.astype("f4"), known, y.astype("f4"), noise)
            agree(narrow, wanted.astype("f4"), 1e-3, f"float32 weights for noise {noise}")


@pytest.mark.posterior
def test_posterior_far_away(student):
    """A measurement that no picture explains: the weights still add up to 1."""
    images = np.array([[0.0, 1.0], [0.1, 0.0], [-3.0, 2.0]])
    for y in (1e3, -1e3):
        logits = -((y - images[:, 1]) ** 2) / (2 * 0.5**2)
        weights = np.exp(logits - logits.max())
        agree(student.posterior(images, np.array([1]), np.array([y]), 0.5), weights / weights.sum(), 1e-9)


@pytest.mark.replaced
def test_replaced_value_by_value(student):
    """Each value by hand, for masks of all kinds, large and small levels, both precisions."""
    rng = np.random.default_rng(32)
    for width, count in ((1, 1), (5, 3), (12, 2)):
        for alpha, sigma in ((0.9, 0.1), (0.0, 1.0), (1.0, 0.0), (0.5, 40.0), (0.02, 0.001)):
            keep = rng.uniform(size=width) < 0.5
            for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
                x, y, noise = (4 * rng.standard_normal((3, count, width))).astype(dtype)
                wanted = x.copy()
                for k in range(width):
                    if keep[k]:
                        wanted[:, k] = alpha * y[:, k] + sigma * noise[:, k]
                given = x.copy(), y.copy()
                agree(student.replaced(*given, keep, alpha, sigma, noise), wanted, tolerance, f"x, {dtype}")
                agree(given[0], x, what="x after the call")
                agree(given[1], y, what="y after the call")


@pytest.mark.updated
def test_updated_equals_the_package(student):
    """edudiff.sampling.posterior_guided with the covariance of x0 given x of a normal law."""
    rng = np.random.default_rng(33)
    root = rng.standard_normal((4, 4))
    covariance = root @ root.T / 4
    denoise = Linear(np.array([0.3, -0.2, 0.5, 0.0]), covariance)
    for matrix in (rng.standard_normal((1, 4)), rng.standard_normal((3, 4))):
        for tau in (0.05, 1.5):
            alpha, sigma, x, y = 0.8, 0.6, rng.standard_normal((5, 4)), 3 * rng.standard_normal((5, len(matrix)))
            given_x = np.linalg.inv(np.linalg.inv(covariance) + alpha**2 / sigma**2 * np.eye(4))
            expected = posterior_guided(denoise, Measurement(matrix, tau), y)(x, alpha, sigma)
            answer = student.updated(denoise(x, alpha, sigma), given_x, matrix, y, tau)
            agree(answer, expected, 1e-6, f"the answer for tau = {tau}")


@pytest.mark.updated
def test_updated_at_any_scale(student):
    """All c times as large; a covariance that is not of one size in all directions; float32 stays float32."""
    rng = np.random.default_rng(34)
    covariance = np.array([[2.0, 0.3, -0.4], [0.3, 0.5, 0.1], [-0.4, 0.1, 0.2]])
    matrix = np.array([[1.0, -1.0, 0.5], [0.2, 0.7, 0.0]])
    x0_hat, y = 3 * rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    for tau in (0.0, 0.4, 2.0):
        inner = np.linalg.inv(matrix @ covariance @ matrix.T + tau**2 * np.eye(2))
        wanted = x0_hat + (y - x0_hat @ matrix.T) @ inner @ matrix @ covariance
        for c in (1.0, 1e-3, 50.0):
            answer = student.updated(c * x0_hat, c**2 * covariance, matrix, c * y, c * tau)
            agree(answer / c, wanted, 1e-8, f"the answer at scale {c:g}")
        narrow = [a.astype("f4") for a in (x0_hat, covariance, matrix, y)]
        agree(student.updated(*narrow, tau), wanted.astype("f4"), 1e-3, "the float32 answer")


@pytest.mark.updated
def test_one_item_and_many(student):
    """A single picture with a single measurement, and more pictures than values."""
    matrix, covariance = np.array([[2.0, 0.0]]), np.array([[0.5, 0.2], [0.2, 0.9]])
    for count in (1, 6):
        x0_hat = np.random.default_rng(35).standard_normal((count, 2))
        y = np.linspace(-1, 2, count)[:, None]
        gain = covariance @ matrix.T / (4 * 0.5 + 0.3**2)
        wanted = x0_hat + (y - 2 * x0_hat[:, :1]) * gain.T
        agree(student.updated(x0_hat, covariance, matrix, y, 0.3), wanted, 1e-10, f"the answer for {count} items")
