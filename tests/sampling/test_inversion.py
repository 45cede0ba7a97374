"""There and back again: inversion is exact for one point and for Gaussians (P52); between two noises lie images."""

import math

import numpy as np
import pytest
from known import Gaussian, point

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.denoisers import Ideal, Linear
from edudiff.sampling import invert, lerp, reconstruct, slerp

COSINE = schedules.cosine()
ALL = [COSINE, schedules.ddpm_linear(), schedules.log_linear(0.02, 20), schedules.flow()]
every_schedule = pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
UP = np.linspace(0.05, 0.9, 9)


@every_schedule
@pytest.mark.parametrize("method", ["ddim", "heun"])
def test_one_training_point_is_inverted_exactly_in_any_number_of_steps_p52(schedule, method):
    """The noise in x never changes: x = alpha m + sigma noise all the way, and the way back retraces it."""
    x0, (alpha, sigma) = np.array([[0.4, -1.3]]), schedule(UP[0])
    noise = (alpha * x0 - alpha * 0.25) / sigma
    alpha, sigma = schedule(UP[-1])
    there = invert(point(0.25), schedule, x0, UP, method)
    np.testing.assert_allclose(there, alpha * 0.25 + sigma * noise, rtol=1e-10)
    np.testing.assert_allclose(reconstruct(point(0.25), schedule, x0, UP, method), x0, rtol=1e-10)


@every_schedule
@pytest.mark.parametrize(("method", "order"), [("ddim", 1), ("heun", 2)])
def test_inversion_of_a_gaussian_converges_to_its_quantiles_p52(schedule, method, order):
    """x keeps its quantile: away from the mean it grows as the standard deviation of the noisy law does."""
    law, x0 = Gaussian(0.2, 0.3), np.array([[0.9], [-0.4]])
    now, then = (reverse.Level(*schedule(t), t) for t in (0.1, 0.85))
    exact = law.flow(now.alpha * x0, now, then)
    errors, defects = [], []
    for steps in (128, 256):
        up = np.linspace(0.1, 0.85, steps + 1)
        errors.append(np.abs(invert(law, schedule, x0, up, method) - exact).max())
        defects.append(np.abs(reconstruct(law, schedule, x0, up, method) - x0).max())
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)
    assert math.log2(defects[0] / defects[1]) > order - 0.15
    assert errors[1] < 0.02 * then.sigma


def test_the_error_of_a_round_trip_on_a_gaussian_has_a_formula():
    """Each DDIM step up multiplies by f(now, then), each down by f(then, now): their product is 1 / (1 - d^2)-like."""
    law, x0 = Gaussian(0.0, 0.5), np.array([[1.0]])
    product = 1.0
    for (a, b), (a2, b2) in zip(map(COSINE, UP), map(COSINE, UP[1:]), strict=False):
        up = (a * a2 * 0.5 + b * b2) / (a**2 * 0.5 + b**2)
        down = (a * a2 * 0.5 + b * b2) / (a2**2 * 0.5 + b2**2)
        product *= up * down
    assert product < 1  # cos^2 of the angles of P20: a round trip shrinks
    assert reconstruct(law, COSINE, x0, UP).item() == pytest.approx(product, rel=1e-12)


def test_a_training_image_comes_back_from_the_ideal_denoiser():
    data, up = np.random.default_rng(0).uniform(-1, 1, (8, 6)), np.linspace(0.02, 1, 81)
    assert np.abs(reconstruct(Ideal(data), COSINE, data, up) - data).max() < 5e-3


def test_inversion_keeps_dtype_device_and_input(standin_cupy):
    x0 = np.random.default_rng(0).standard_normal((2, 3, 4, 1)).astype("float32")
    x0.flags.writeable = False
    law = Gaussian(0.1, 0.5)
    host = invert(law, COSINE, x0, UP)
    assert host.dtype == np.float32
    np.testing.assert_array_equal(invert(law, COSINE, standin_cupy.asarray(x0), UP).get(), host)


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([0.9, 0.1], "rise strictly"),
        ([0.5], "at least two"),
        ([0.1, 0.1, 0.5], "rise strictly"),
        ([0.0, 0.5], "times begin at 0.0, where there is no noise"),
        ([0.1, 1.5], r"expected times in \[0, 1\]"),
    ],
)
def test_times_that_do_not_lead_up_are_refused(times, says):
    with pytest.raises(ValueError, match=says):
        invert(Gaussian(), COSINE, np.ones((1, 2)), times)
    with pytest.raises(ValueError, match="method is 'ddpm'"):
        invert(Gaussian(), COSINE, np.ones((1, 2)), UP, "ddpm")


def test_slerp_keeps_the_length_and_lerp_does_not():
    a, b = np.random.default_rng(0).standard_normal((2, 5, 7))
    b *= np.linalg.norm(a, axis=1, keepdims=True) / np.linalg.norm(b, axis=1, keepdims=True)
    for share in (0.0, 0.3, 0.5, 1.0):
        np.testing.assert_allclose(np.linalg.norm(slerp(a, b, share), axis=1), np.linalg.norm(a, axis=1))
    np.testing.assert_allclose(slerp(a, b, 0.0), a)
    np.testing.assert_allclose(slerp(a, b, 1.0), b, atol=1e-12)
    angle = np.arccos((a * slerp(a, b, 0.3)).sum(1) / (a * a).sum(1))
    np.testing.assert_allclose(angle, 0.3 * np.arccos((a * b).sum(1) / (a * a).sum(1)))
    assert (np.linalg.norm(lerp(a, b, 0.5), axis=1) < np.linalg.norm(a, axis=1)).all()


def test_between_two_noises_slerp_has_variance_one_and_lerp_half_of_it():
    a, b = np.random.default_rng(0).standard_normal((2, 1, 40_000))
    assert lerp(a, b, 0.5).var() == pytest.approx(0.5, abs=0.02)
    for share in (0.25, 0.5):
        assert slerp(a, b, share).var() == pytest.approx(1, abs=0.02)
    for between in (lerp, slerp):
        assert between(a.astype("f4"), b.astype("f4"), np.float64(0.3)).dtype == np.float32


def test_parallel_noises_have_no_arc():
    a = np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 0.0]])
    b = np.array([[2.0, 4.0], [0.0, 0.0], [-1.0, 0.0]])
    np.testing.assert_allclose(slerp(a, b, 0.25), lerp(a, b, 0.25))
    assert slerp(a.astype("f4"), b.astype("f4"), 0.25).dtype == np.float32
    with pytest.raises(ValueError, match="same shape"):
        slerp(a, b[:1], 0.5)
    for between in (lerp, slerp):
        with pytest.raises(
            ValueError, match=r"a has shape \(2,\), expected \(B, H, W, C\) pictures or \(B, D\) points"
        ):
            between(a[0], b[0], 0.5)
        with pytest.raises(TypeError):
            between(a, b, np.array([0.1, 0.2, 0.3]))


def test_the_linear_denoiser_draws_on_the_line_what_lies_on_a_line():
    """Its flow is affine: the image of a straight line of noises is the straight line of their images."""
    images = np.random.default_rng(0).uniform(-1, 1, (9, 4))
    a, b = np.random.default_rng(1).standard_normal((2, 1, 4))

    def draw(x):
        return reverse.sample(Linear.fit(images), COSINE, x, COSINE.times(15))

    np.testing.assert_allclose(draw(lerp(a, b, 0.3)), lerp(draw(a), draw(b), 0.3), atol=1e-12)
