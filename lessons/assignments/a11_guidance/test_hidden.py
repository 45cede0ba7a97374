"""Tests of assignment 11 that the grader has."""

from functools import cache

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree
from edudiff.denoisers import Ideal, Linear
from edudiff.sampling import guided

V1, V0 = np.array([0.09, 0.7, 1.5]), np.array([1.0, 0.2, 1.5])


@pytest.mark.guide
def test_guide_equals_the_package(student):
    """edudiff.sampling.guided, on images, in both precisions, at small scales too."""
    rng = np.random.default_rng(11)
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        for scale in (1.0, 1e-3, 30.0):
            a, b = (scale * rng.standard_normal((2, 3, 4, 5, 2))).astype(dtype)
            for weight in (-0.5, 0.3, 1.0, 2.0, 8.0):
                denoise = guided(lambda x, alpha, sigma, a=a: a, lambda x, alpha, sigma, b=b: b, weight)
                answer = student.guide(a, b, weight)
                agree(answer / scale, (denoise(a, 1.0, 1.0) / scale).astype(dtype), tolerance, f"at weight {weight}")


@pytest.mark.guided_step
def test_guided_step_equals_the_package(student):
    """edudiff.reverse.ddim with edudiff.sampling.guided, for the ideal and the linear denoiser, on two schedules."""
    rng = np.random.default_rng(12)
    data = rng.uniform(-1, 1, (6, 4))
    one, both = Ideal(data[:3]), Linear.fit(data)
    for schedule in (ed.schedule.cosine(), ed.schedule.log_linear()):
        for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
            x = 3 * rng.standard_normal((5, 4)).astype(dtype)
            for t, t_next in ((0.8, 0.7), (0.3, 0.2), (0.1, 0.0)):
                now, then = (ed.reverse.Level(*schedule(s), s) for s in (t, t_next))
                for weight in (-0.5, 2.0, 4.0):
                    x0_hat = guided(one, both, weight)(x, now.alpha, now.sigma)
                    answer = student.guided_step(one, both, x, now[:2], then[:2], weight, 0.0, 1e9)
                    agree(answer, ed.reverse.ddim(x, x0_hat, now, then), tolerance, f"x at {t}, weight {weight}")


@pytest.mark.guided_step
def test_the_interval_is_one_of_noise_levels(student):
    """sigma / alpha, not sigma, and both ends belong to it; noise c times as large or small."""
    x = np.random.default_rng(13).standard_normal((2, 5))
    one, both = (lambda x, alpha, sigma: 0.2 * x), (lambda x, alpha, sigma: 0.1 * x + 0.5)
    for alpha, sigma in ((0.5, 1.0), (0.25, 1.0), (0.5, 0.0625), (0.125, 4.0), (1.0, 0.001953125)):
        ratio, then = sigma / alpha, (0.75, sigma / 4)
        for low, high, inside in (
            *((ratio, ratio, True), (0.0, ratio, True), (ratio, 1e9, True), (ratio / 2, 2 * ratio, True)),
            *((1.001 * ratio, 1e9, False), (0.0, 0.999 * ratio, False), (2 * ratio, ratio / 2, False)),
        ):
            x0_hat = 0.2 * x if not inside else 4 * (0.2 * x) - 3 * (0.1 * x + 0.5)
            wanted = then[0] * x0_hat + then[1] / sigma * (x - alpha * x0_hat)
            answer = student.guided_step(one, both, x, (alpha, sigma), then, 4.0, low, high)
            agree(answer, wanted, 1e-9, f"x at sigma / alpha = {ratio:g} for ({low:g}, {high:g})")


@pytest.mark.guided_step
def test_the_denoisers_are_asked_about_x_now(student):
    """Each at the level now; neither may write to x."""
    x = np.random.default_rng(14).standard_normal((2, 3))
    asked = []

    def spy(name):
        def denoise(given, alpha, sigma):
            asked.append((name, given.copy(), alpha, sigma))
            return 0.5 * given

        return denoise

    student.guided_step(spy("class"), spy("all"), x.copy(), (0.6, 0.9), (0.7, 0.5), 2.0, 0.0, 9.0)
    assert {name for name, *_ in asked} == {"class", "all"}, "both denoisers should be asked"
    for name, given, alpha, sigma in asked:
        agree(given, x, what=f"what the denoiser of {name} is asked about")
        agree(alpha, 0.6, what="its alpha")
        agree(sigma, 0.9, what="its sigma")


@cache
def stretched(weight):
    """What noise of 6 becomes: the flow of edudiff is affine, where it takes 0 and 6 says by what it stretches."""
    one, both = Linear(np.zeros(3), np.diag(V1)), Linear(np.zeros(3), np.diag(V0))
    schedule = ed.schedule.log_linear(1e-4, 6.0)
    x = np.stack([np.zeros(3), np.full(3, 6.0)])
    ends = ed.reverse.sample(guided(one, both, weight), schedule, x, schedule.times(800), "heun")
    return (ends[1] - ends[0]) ** 2


@pytest.mark.guided_variance
def test_the_variance_is_that_of_the_flow(student):
    """Found by following edudiff's flow in 800 steps."""
    for weight in (0.5, 2.0, 3.5):
        agree(student.guided_variance(V1, V0, weight, 6.0), stretched(weight), 2e-4, f"at weight {weight}")


@pytest.mark.guided_variance
def test_the_variance_at_any_scale(student):
    """Data and level c times as large: the variance is c^2 times as large; float32 stays float32."""
    v1, v0 = np.array([0.3, 2.0, 0.05]), np.array([0.5, 0.7, 4.0])
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
        for weight, first in ((0.0, 2.0), (1.0, 0.5), (2.0, 3.0), (-0.5, 1.5), (4.0, 10.0)):
            ratio = (v1 / (v1 + first**2)) ** weight * (v0 / (v0 + first**2)) ** (1 - weight)
            for c in (1.0, 0.02, 20.0):
                a, b = (c**2 * v1).astype(dtype), (c**2 * v0).astype(dtype)
                answer = student.guided_variance(a, b, weight, c * first) / c**2
                agree(answer, (first**2 * ratio).astype(dtype), tolerance, f"at weight {weight}, c = {c}")
