"""Guidance: the law that it draws from on Gaussians (P51), which is not the tilted density; intervals; autoguidance."""

import math
import pickle

import numpy as np
import pytest
from known import Gaussian

import edudiff as ed
from edudiff.data import toys
from edudiff.denoisers import Ideal, Linear, Patch
from edudiff.sampling import guided, guided_law, tilted_law, within

FLOW = ed.schedule.cosine(stretch=1)  # no signal at t = 1
OF_CLASS, OF_ALL = Gaussian(0.5, 0.09), Gaussian(-0.2, 1.0)


def drawn_law(denoise, steps=4000):
    """Mean and variance of what the flow draws: it is affine on Gaussians, so two paths from pure noise tell."""
    ends = ed.reverse.sample(denoise, FLOW, np.array([[0.0], [1.0]]), FLOW.times(steps) ** 1.5, "heun")
    return ends[0, 0], (ends[1, 0] - ends[0, 0]) ** 2


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 2.0, 3.0, 4.5])
def test_the_law_of_the_guided_flow_on_gaussians_p51(weight):
    """weight = 3: mean m0 + (m1 - m0) (1 + 2 v1 / v0); for every weight, the variance is a geometric mean."""
    for of_class, of_all in ((OF_CLASS, OF_ALL), (OF_ALL, OF_CLASS)):
        mean, variance = guided_law(of_class.mean, of_class.variance, of_all.mean, of_all.variance, weight)
        drawn = drawn_law(guided(of_class, of_all, weight))
        np.testing.assert_allclose(drawn, (mean, variance), rtol=2e-4, atol=2e-4)
    if weight == 3:
        mean, _ = guided_law(0.5, 0.09, -0.2, 1.0, 3)
        assert mean == pytest.approx(-0.2 + 0.7 * (1 + 2 * 0.09), abs=1e-12)


def test_guidance_does_not_draw_from_the_tilted_density_p51():
    """Their variances differ by more than half at weight 3, hundreds of times the error of the flow."""
    (mean, variance), tilted = drawn_law(guided(OF_CLASS, OF_ALL, 3.0)), tilted_law(0.5, 0.09, -0.2, 1.0, 3.0)
    assert variance < 0.03 * tilted[1] and abs(mean - tilted[0]) > 0.05
    x = np.linspace(-1, 1, 7)
    log = 3 * (-((x - 0.5) ** 2) / 0.18) - 2 * (-((x + 0.2) ** 2) / 2)  # the tilted density, from its definition
    np.testing.assert_allclose(np.diff(log + (x - tilted[0]) ** 2 / (2 * tilted[1])), 0, atol=1e-12)


def test_with_equal_variances_the_flow_and_the_tilted_density_agree():
    np.testing.assert_allclose(guided_law(1, 0.3, 0, 0.3, 2.5), tilted_law(1, 0.3, 0, 0.3, 2.5), rtol=1e-12)


def test_the_law_of_several_axes_is_that_of_each():
    mean, variance = guided_law([1.0, 0.5], [0.2, 0.09], 0.0, [0.5, 1.0], 2.0)
    for k, given in enumerate(((1.0, 0.2, 0.0, 0.5), (0.5, 0.09, 0.0, 1.0))):
        np.testing.assert_allclose((mean[k], variance[k]), guided_law(*given, 2.0))


def test_a_tilted_density_may_be_no_law():
    with pytest.raises(ValueError, match="grows at infinity"):
        tilted_law(0, 1.0, 0, 0.1, 2.0)
    with pytest.raises(ValueError, match="variance is not positive"):
        guided_law(0, 0.0, 0, 1.0, 2.0)


def test_weight_is_one_more_than_the_w_of_ho_and_salimans():
    """noise_hat = (1 + w) noise_hat(class) - w noise_hat(all), eq. 6."""
    x, alpha, sigma, w = np.array([[0.3], [-1.2]]), 0.6, 0.8, 1.5

    def noise(denoise):
        return ed.forward.noise_from_x0(x, denoise(x, alpha, sigma), alpha, sigma)

    np.testing.assert_allclose(noise(guided(OF_CLASS, OF_ALL, 1 + w)), (1 + w) * noise(OF_CLASS) - w * noise(OF_ALL))


def test_who_does_not_count_is_not_asked():
    def broken(x, alpha, sigma):
        raise AssertionError

    x = np.ones((1, 1))
    np.testing.assert_array_equal(guided(OF_CLASS, broken, 1)(x, 0.6, 0.8), OF_CLASS(x, 0.6, 0.8))
    np.testing.assert_array_equal(guided(broken, OF_ALL, 0)(x, 0.6, 0.8), OF_ALL(x, 0.6, 0.8))
    interval = guided(OF_CLASS, broken, within(3.0, 0.5, 1.0))
    np.testing.assert_array_equal(interval(x, 0.6, 0.8), OF_CLASS(x, 0.6, 0.8))  # sigma / alpha = 1.33


def test_an_interval_holds_its_upper_end_and_no_signal_is_outside():
    weight = within(3.0, 0.5, 2.0)
    assert [weight(1.0, s) for s in (0.5, 0.51, 2.0, 2.01)] == [1.0, 3.0, 3.0, 1.0]
    assert weight(0.0, 1.0) == 1.0
    assert within(3.0, 0.0, math.inf)(0.0, 1.0) == 1.0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: guided(OF_CLASS, OF_ALL, math.nan), "weight is nan, expected a finite number; 1 for no guidance"),
        (lambda: guided(OF_CLASS, OF_ALL, lambda a, s: math.inf)(np.ones((1, 1)), 0.6, 0.8), "weight is inf"),
        (lambda: within(2.0, 1.0, 1.0), r"low, high are 1.0, 1.0, expected .* 0 <= low < high"),
    ],
)
def test_bad_weights_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_guided_denoiser_is_described_and_keeps_the_dtype():
    data = np.random.default_rng(0).uniform(-1, 1, (6, 2)).astype("float32")
    denoise = guided(Ideal(data, np.arange(6) % 2).conditional(1), Linear.fit(data), 2.0)
    assert denoise(data[:3], 0.6, 0.8).dtype == np.float32
    assert repr(denoise) == f"Guided({denoise.conditional!r}, {denoise.unconditional!r}, weight=2)"
    again = pickle.loads(pickle.dumps(denoise))
    np.testing.assert_array_equal(again(data[:3], 0.6, 0.8), denoise(data[:3], 0.6, 0.8))


def test_guidance_leaves_what_classes_share():
    """On the tree, guided samples of a class lie less often where other classes lie than the class's own points do."""
    points, labels = toys.tree(1500, np.random.default_rng(0))
    denoise, x = Ideal(points, labels), ed.reverse.start(FLOW, (300, 2), np.random.default_rng(1))

    def alone(weight):
        ends = ed.reverse.sample(guided(denoise.conditional(5), denoise, weight), FLOW, x, FLOW.times(30))
        _, distance = ed.compare.metrics.nearest(ends, points[labels != 5])
        return np.median(distance)

    assert alone(3.0) > 2 * alone(1.0)


def test_a_smaller_window_is_a_worse_version_of_itself():
    """Autoguidance: the guided denoiser of two windows is affine in both, and is neither."""
    images = ed.data.shapes.hands(6, size=14, rng=np.random.default_rng(0)).astype("float64")
    x = np.random.default_rng(1).standard_normal((2, 14, 14, 1))
    good, bad = Patch(images, 7), Patch(images, 3)
    np.testing.assert_allclose(
        guided(good, bad, 2.0)(x, 0.7, 0.7), 2 * good(x, 0.7, 0.7) - bad(x, 0.7, 0.7), atol=1e-12
    )
