"""The loop itself: what a record holds, what a seed means, what is refused. Mathematics: see test_analytic_*.py."""

import dataclasses
import math
import types
from itertools import pairwise

import numpy as np
import pytest
from known import Gaussian, point, read_only

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.support import random

COSINE, FLOW = schedules.cosine(), schedules.flow()
LAW = Gaussian(0.2, 0.5)
RUNS = {  # every method, with the arguments that it needs
    "ddim": {},
    "ddim, eta 0.5": {"method": "ddim", "eta": np.float64(0.5)},
    "ddpm": {"method": "ddpm"},
    "heun": {"method": "heun"},
    "euler_maruyama": {"method": "euler_maruyama"},
}
every_run = pytest.mark.parametrize("how", RUNS.values(), ids=RUNS)


def first_batch(batch=3, dtype="f8", seed=3):
    """Streams and a first noisy batch of `batch` pictures."""
    rngs = random.streams(seed, batch)
    return rngs, reverse.start(COSINE, (batch, 4, 5, 2), rngs, like=np.zeros(1, dtype))


def draw(how, batch=3, dtype="f8", steps=12, denoise=LAW):
    rngs, x = first_batch(batch, dtype)
    return reverse.sample(denoise, COSINE, x, COSINE.times(steps), rng=rngs, **how)


@every_run
def test_the_records_are_the_path(how):
    rngs, x = first_batch()
    times = COSINE.times(6)
    path = list(reverse.steps(LAW, COSINE, x, times, rng=rngs, **how))
    assert [s.i for s in path] == list(range(6))
    assert path[0].x is x
    for s, t, t_next in zip(path, times, times[1:], strict=False):
        assert (s.t, s.t_next) == (t, t_next)
        assert (s.alpha, s.sigma) == COSINE(t)
        np.testing.assert_array_equal(s.x0_hat, LAW(s.x, s.alpha, s.sigma))
    for s, following in pairwise(path):
        assert s.x_next is following.x
    rngs, x = first_batch()
    np.testing.assert_array_equal(reverse.sample(LAW, COSINE, x, times, rng=rngs, **how), path[-1].x_next)


def test_steps_is_a_generator_of_frozen_records():
    _, x = first_batch()
    asked = []
    walk = reverse.steps(lambda *a: asked.append(a) or LAW(*a), COSINE, x, COSINE.times(5))
    assert isinstance(walk, types.GeneratorType) and not asked
    step = next(walk)
    assert len(asked) == 1  # nothing is computed ahead of the reader
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.x = x


@pytest.mark.parametrize("method", ["ddim", "heun"])
def test_the_denoiser_is_asked_at_the_levels_of_the_grid(method):
    """Each level once and in order, the first too; Heun asks at the end of each step as well, but not at sigma = 0."""
    asked = []

    def denoise(x, alpha, sigma):
        assert type(alpha) is float and type(sigma) is float
        asked.append((alpha, sigma))
        return LAW(x, alpha, sigma)

    _, x = first_batch()
    times = COSINE.times(4)
    reverse.sample(denoise, COSINE, x, times, method=method)
    now = [COSINE(t) for t in times[:-1]]
    ends = [level for pair in zip(now, [*now[1:], None], strict=True) for level in pair if level]
    assert asked == (now if method == "ddim" else ends)


@every_run
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_dtype_in_is_dtype_out(how, dtype):
    rngs, x = first_batch(dtype=dtype)
    for s in reverse.steps(LAW, COSINE, x, COSINE.times(5), rng=rngs, **how):
        assert s.x.dtype == s.x0_hat.dtype == s.x_next.dtype == dtype


@every_run
def test_the_seed_is_the_picture_in_float32_too(how):
    np.testing.assert_allclose(draw(how, dtype="f4"), draw(how, dtype="f8"), atol=2e-5)


@every_run
def test_picture_7_is_the_same_in_every_batch(how):
    """Batches of 8 and 12, and picture 7 alone."""
    rngs = random.streams(3, [7])
    x = reverse.start(COSINE, (1, 4, 5, 2), rngs)
    alone = reverse.sample(LAW, COSINE, x, COSINE.times(12), rng=rngs, **how)
    for batch in (8, 12):
        np.testing.assert_allclose(draw(how, batch)[7], alone[0], atol=1e-12)


@every_run
def test_one_generator_gives_the_same_pictures_in_every_batch(how):
    def images(batch):
        rng = np.random.default_rng(3)
        x = reverse.start(COSINE, (batch, 4, 5, 2), rng)
        return reverse.sample(LAW, COSINE, x, COSINE.times(5), rng=rng, **how)

    np.testing.assert_allclose(images(1)[0], images(8)[0], atol=1e-12)


@every_run
def test_a_seed_repeats_and_another_differs(how):
    assert np.array_equal(draw(how), draw(how))
    rngs, x = first_batch(seed=4)
    other = reverse.sample(LAW, COSINE, x, COSINE.times(12), rng=rngs, **how)
    assert not np.isclose(draw(how), other).any()


@every_run
def test_inputs_are_never_written_to(how):
    rngs, x = first_batch()
    x, times = read_only(x), read_only(COSINE.times(4))
    locked = lambda *a: read_only(LAW(*a))  # noqa: E731
    for s in reverse.steps(locked, COSINE, x, times, rng=rngs, **how):
        s.x_next.setflags(write=False)


def test_full_eta_is_ddpm():
    assert np.array_equal(draw({"method": "ddim", "eta": 1.0}), draw({"method": "ddpm"}))


def test_no_eta_draws_nothing():
    rngs, x = first_batch()
    untouched = random.streams(3, 3)
    reverse.start(COSINE, x.shape, untouched)
    for how in ({"method": "ddim"}, {"method": "heun"}):
        reverse.sample(LAW, COSINE, x, COSINE.times(4), rng=rngs, **how)
    assert [r.random() for r in rngs] == [r.random() for r in untouched]


@pytest.mark.parametrize("name", sorted(set(RUNS) - {"euler_maruyama"}))  # which draws noise in its last step too
def test_the_last_step_to_no_noise_is_the_denoisers_answer(name):
    rngs, x = first_batch()
    *_, last = reverse.steps(LAW, COSINE, x, COSINE.times(4), rng=rngs, **RUNS[name])
    np.testing.assert_allclose(last.x_next, last.x0_hat, atol=1e-12)


@pytest.mark.parametrize("schedule", [FLOW, schedules.cosine(stretch=1)], ids=["flow", "cosine without offset"])
@pytest.mark.parametrize("method", ["ddim", "heun", "ddpm"])
def test_starts_where_there_is_no_signal(schedule, method):
    """At alpha = 0 the noise ratio is infinite; the first step must still end near the law's own flow."""
    law = Gaussian(0.2, 0.5)
    x = np.random.default_rng(0).standard_normal((1, 4000))
    out = reverse.sample(law, schedule, x, schedule.times(100), method=method, rng=np.random.default_rng(1))
    assert abs(out.mean() - law.mean) < 0.06 and abs(out.var() / law.variance - 1) < 0.12
    if method != "ddpm":
        np.testing.assert_allclose(out, law.mean + math.sqrt(law.variance) * x, atol=0.15)


def test_heun_without_a_second_slope_is_ddim():
    x = np.array([[1.0, -2.0]])
    pure, some, clean = (reverse.Level(*FLOW(t), t) for t in (1.0, 0.5, 0.0))
    for now, then in ((pure, some), (some, clean)):
        x0_hat = LAW(x, now.alpha, now.sigma)
        assert np.array_equal(reverse.heun(x, x0_hat, now, then, LAW), reverse.ddim(x, x0_hat, now, then))


def test_ddim_draws_nothing_unless_it_is_asked_to():
    x, now, then = np.array([[1.0, -2.0]]), *(reverse.Level(*FLOW(t), t) for t in (0.6, 0.5))
    x0_hat, draw = LAW(x, now.alpha, now.sigma), lambda: np.full((1, 2), 9.0)
    noise = (x - now.alpha * x0_hat) / now.sigma
    np.testing.assert_allclose(reverse.ddim(x, x0_hat, now, then, draw), then.alpha * x0_hat + then.sigma * noise)
    assert np.abs(reverse.ddim(x, x0_hat, now, then, draw, 0.5) - reverse.ddim(x, x0_hat, now, then)).min() > 0.1
    back = reverse.ddim(x, x0_hat, now, reverse.Level(*FLOW(0.7), 0.7), draw)  # towards more noise
    np.testing.assert_allclose(back, FLOW(0.7)[0] * x0_hat + FLOW(0.7)[1] * noise)


def test_euler_maruyama_needs_a_drift():
    """Flow has none at t = 1: the SDE cannot start there, and can just below."""
    x = np.ones((1, 2))
    with pytest.raises(ValueError, match=r"'flow' has alpha = 0 at t = 1.*start below"):
        reverse.sample(LAW, FLOW, x, FLOW.times(5), method="euler_maruyama", rng=np.random.default_rng(0))
    times = np.linspace(0.999, 0, 6)
    assert reverse.sample(LAW, FLOW, x, times, method="euler_maruyama", rng=np.random.default_rng(0)).shape == (1, 2)


def test_start_is_noise_at_the_terminal_scale():
    """sigma(1) times the same noise, whatever the schedule."""
    for schedule in (COSINE, FLOW, schedules.log_linear()):
        x = reverse.start(schedule, (2, 3), random.streams(0, 2)) / schedule(1.0)[1]
        np.testing.assert_allclose(x, random.standard_normal(random.streams(0, 2), (2, 3)))


@every_run
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_on_the_device_as_on_the_host(standin_cupy, how, dtype):
    def walk(like):
        rngs = random.streams(3, 3)
        x = reverse.start(COSINE, (3, 4, 5, 2), rngs, like=like)
        return list(reverse.steps(LAW, COSINE, x, COSINE.times(6), rng=rngs, **how))

    host = np.zeros(1, dtype)
    for here, there in zip(walk(host), walk(standin_cupy.asarray(host)), strict=True):
        for name in ("x", "x0_hat", "x_next"):
            assert type(getattr(there, name)) is standin_cupy.ndarray
            assert np.array_equal(getattr(here, name), getattr(there, name).get())


def test_a_denoiser_that_leaves_the_device_is_refused(standin_cupy):
    x = standin_cupy.asarray(np.ones((1, 2)))
    with pytest.raises(TypeError):
        reverse.sample(lambda x, a, s: LAW(x.get(), a, s), COSINE, x, COSINE.times(3))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"method": "euler"}, ValueError, r"method is 'euler', expected one of 'ddim', .*'euler_maruyama'"),
        ({"method": "ddpm"}, ValueError, r"'ddpm'.* draws noise: pass rng=numpy\.random\.default_rng"),
        ({"method": "euler_maruyama"}, ValueError, r"'euler_maruyama'.* draws noise: pass rng="),
        ({"eta": 0.5}, ValueError, r"eta = 0.5 draws noise: pass rng="),
        ({"eta": 1.5}, ValueError, r"eta is 1.5, expected 0 <= eta <= 1"),
        ({"eta": -0.5}, ValueError, r"eta is -0.5, expected 0 <= eta <= 1"),
        ({"eta": math.nan}, ValueError, r"eta is nan, expected 0 <= eta <= 1"),
        ({"eta": 0.5, "method": "heun"}, ValueError, r"eta is 0.5 with method 'heun', .*use method 'ddim'"),
        ({"method": "ddpm", "rng": 3}, TypeError, r"rng is int, expected a numpy\.random\.Generator"),
        ({"method": "ddpm", "rng": random.streams(0, 3)}, ValueError, r"3 streams for a batch of 2"),
        ({"times": []}, ValueError, r"at least two times, such as schedule\.times\(20\)"),
        ({"times": [0.5]}, ValueError, r"at least two times"),
        ({"times": 20}, ValueError, r"at least two times"),
        ({"times": [0, 0.5, 1]}, ValueError, r"fall strictly"),
        ({"times": [1, 0.5, 0.5, 0]}, ValueError, r"fall strictly"),
        ({"times": [1, math.nan, 0]}, ValueError, r"fall strictly"),
        ({"times": [1.5, 0.5]}, ValueError, r"expected times in \[0, 1\]"),
        ({"times": [0.5, -0.5]}, ValueError, r"expected times in \[0, 1\]"),
        ({"x": [[1.0, 2.0]]}, TypeError, r"expected NumPy or CuPy arrays, got list"),
        ({"x": np.ones((2, 2), int)}, TypeError, r"x has dtype int64, expected floats"),
        ({"x": np.ones((2, 3, 3))}, ValueError, r"x has shape \(2, 3, 3\), expected \(B, H, W, C\) "),
        ({"x": np.ones((0, 2))}, ValueError, r"x is empty, its shape is \(0, 2\)"),
        ({"x": np.array([[1.0, math.nan]])}, ValueError, r"x has 1 NaN or infinite values of 2"),
        ({"denoise": lambda x, a, s: x[:, :1]}, ValueError, r"step 0: .*float64 \(2, 1\), expected float64 \(2, 2\)"),
        ({"denoise": lambda x, a, s: x.astype("f4")}, ValueError, r"step 0: .*float32 \(2, 2\), expected float64"),
        ({"denoise": lambda x, a, s: None}, ValueError, r"step 0: .*NoneType"),
        ({"denoise": lambda x, a, s: x / (1 if a < 0.3 else np.nan)}, ValueError, r"step 2 \(t = 0.6.*NaN or infinity"),
    ],
)
def test_bad_input_is_refused(change, error, says):
    given = {"denoise": LAW, "schedule": FLOW, "x": np.ones((2, 2)), "times": [1, 0.8, 0.6, 0.4, 0.2, 0]} | change
    with np.errstate(all="ignore"), pytest.raises(error, match=says):
        reverse.sample(**given)


def test_only_the_last_time_may_be_free_of_noise():
    early = dataclasses.replace(FLOW, sigma=lambda t: np.maximum(t - 0.3, 0))
    with pytest.raises(ValueError, match=r"sigma is 0 at t = 0.2, before the last time"):
        reverse.steps(LAW, early, np.ones((1, 2)), [1, 0.5, 0.2, 0])


def test_one_point_is_reached_from_anywhere():
    for how in RUNS.values():
        if how.get("method") != "euler_maruyama":
            np.testing.assert_allclose(draw(how, denoise=point(0.25)), 0.25, atol=1e-12)
