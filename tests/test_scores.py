"""The page of closed-form scores against the engine, against loops over windows, and against what must hold."""

import loops
import numpy as np
import pytest

from edudiff import scores
from edudiff.denoisers import Ideal, Linear, Patch

LEVELS = [(0.9998, 0.02), (0.8, 0.6), (0.0125, 0.9999), (1.0, 50.0), (0.0, 1.0)]
WINDOWS = {"zero": (1, 3, 5, 7, 9, 13, 17), "circular": (1, 3, 5)}  # for 5 x 7 pixels: 13 sees all, 17 more than all
every_kind = pytest.mark.parametrize(("name", "padding"), [(n, p) for n in ("local", "els") for p in WINDOWS])
SCORES = {
    "ideal": scores.ideal,
    "linear": scores.linear,
    "equivariant": scores.equivariant,
    "local": lambda images: scores.local(images, 3),
    "els": lambda images: scores.els(images, 3),
    "els on a torus": lambda images: scores.els(images, 3, "circular"),
}
every_score = pytest.mark.parametrize("make", SCORES.values(), ids=SCORES)


def engine_global(name, images):
    return Ideal(images) if name == "ideal" else Linear.fit(images)


def engine_windows(name, images, window, padding):
    return Patch(images, window, shifts=name == "els", padding=padding, backend="numpy")


def by_loops(name, images, window, padding, x, alpha, sigma):
    return loops.patch(x, images, alpha, sigma, window, name == "els", padding)


def draw(shape=(5, 7, 2), count=6, batch=3, seed=0, dtype="f8"):
    """A training set (N, ...) and a batch (B, ...) that has nothing to do with it: no weight is 0 or 1 by chance."""
    rng = np.random.default_rng(seed)
    return tuple(rng.uniform(-1, 1, (n, *shape)).astype(dtype) for n in (count, batch))


def close(answer, expected, atol=1e-10):
    np.testing.assert_allclose(answer, expected, atol=atol, rtol=0)


@pytest.mark.parametrize("name", ["ideal", "linear"])
@pytest.mark.parametrize(("shape", "count"), [((5, 7, 2), 6), ((3, 2, 1), 40), ((4,), 9), ((4,), 1)])
def test_global_scores_are_those_of_the_engine(name, shape, count):
    images, x = draw(shape, count)
    for alpha, sigma in LEVELS:
        close(SCORES[name](images)(x, alpha, sigma), engine_global(name, images)(x, alpha, sigma))


@every_kind
@pytest.mark.parametrize("shape", [(5, 7, 1), (5, 7, 3), (7, 5, 1), (6, 6, 1)])
def test_window_scores_are_those_of_the_engine(name, padding, shape):
    images, x = draw(shape)
    for window in WINDOWS[padding]:
        denoise, engine = getattr(scores, name)(images, window, padding), engine_windows(name, images, window, padding)
        for alpha, sigma in LEVELS:
            close(denoise(x, alpha, sigma), engine(x, alpha, sigma))


@every_kind
def test_window_scores_are_their_loops(name, padding):
    images, x = draw((4, 5, 2), count=3, batch=2)
    for window in (1, 3, 7) if padding == "zero" else (1, 3):
        for alpha, sigma in LEVELS[:2]:
            expected = by_loops(name, images, window, padding, x, alpha, sigma)
            close(getattr(scores, name)(images, window, padding)(x, alpha, sigma), expected)


def test_linear_is_the_wiener_filter():
    """mean + alpha S (alpha^2 S + sigma^2)^-1 (x - alpha mean); the covariance S divides by N."""
    images, x = draw((3, 2, 1), count=20)
    mean, covariance = images.mean(0).ravel(), np.cov(images.reshape(20, -1).T, bias=True)
    for alpha, sigma in LEVELS:
        noisy = alpha**2 * covariance + sigma**2 * np.eye(6)
        expected = mean + (x.reshape(3, -1) - alpha * mean) @ np.linalg.solve(noisy, alpha * covariance)
        close(scores.linear(images)(x, alpha, sigma), expected.reshape(x.shape))


def test_at_vanishing_noise_the_nearest_training_image_answers():
    images, x = draw()
    nearest = ((x[:, None] - images) ** 2).sum((2, 3, 4)).argmin(1)
    for sigma in (1e-3, 1e-8):
        close(scores.ideal(images)(x, 1.0, sigma), images[nearest], atol=0)


def test_a_covering_window_is_the_global_score():
    images, x = draw()
    close(scores.local(images, 13)(x, 0.8, 0.6), scores.ideal(images)(x, 0.8, 0.6))
    images, x = draw((5, 5, 2))
    close(scores.local(images, 5, "circular")(x, 0.8, 0.6), scores.ideal(images)(x, 0.8, 0.6))
    close(scores.els(images, 5, "circular")(x, 0.8, 0.6), scores.equivariant(images)(x, 0.8, 0.6))
    close(scores.equivariant(images)(x, 0.8, 0.6), engine_windows("els", images, 5, "circular")(x, 0.8, 0.6))


def test_equivariant_counts_every_shift_once():
    """Also of even sides, which no odd window covers."""
    images, x = draw((4, 6, 1), count=2)
    twice = np.tile(images, (1, 2, 2, 1))
    orbit = np.concatenate([twice[:, i : i + 4, j : j + 6] for i in range(4) for j in range(6)])
    close(scores.equivariant(images)(x, 0.8, 0.6), loops.ideal(x, orbit, 0.8, 0.6))


def test_a_window_of_one_pixel_knows_each_pixel_alone():
    images, x = draw((4, 5, 1))
    close(scores.els(images, 1)(x, 0.8, 0.6).ravel(), loops.ideal(x.ravel(), images.ravel(), 0.8, 0.6))


@pytest.mark.parametrize("shape", [(5, 5, 1), (4, 6, 2)])
def test_score_is_translation_equivariant(shape):
    images, x = draw(shape)
    moved = np.roll(x, (1, 3), axis=(1, 2))
    for denoise in (scores.equivariant(images), scores.els(images, 3, "circular")):
        close(denoise(moved, 0.8, 0.6), np.roll(denoise(x, 0.8, 0.6), (1, 3), axis=(1, 2)))


@every_kind
def test_a_window_schedule_is_read_at_its_noise_level(name, padding):
    images, x = draw()
    make = getattr(scores, name)
    schedule = make(images, lambda alpha, sigma: 3 if sigma < alpha else 5, padding)
    close(schedule(x, 0.8, 0.6), make(images, 3, padding)(x, 0.8, 0.6), atol=0)
    close(schedule(x, 0.6, 0.8), make(images, 5, padding)(x, 0.6, 0.8), atol=0)


@every_score
def test_dtype_in_is_dtype_out_and_nothing_is_written_to(make):
    for dtype, atol in (("f4", 1e-7), ("f8", 0)):
        images, x = draw(dtype=dtype)
        x0_hat = make(images)(x, 0.8, 0.6)
        assert x0_hat.dtype == dtype and not np.shares_memory(x0_hat, x)
        assert all(map(np.array_equal, (images, x), draw(dtype=dtype)))
        close(x0_hat, make(images.astype("f8"))(x.astype("f8"), 0.8, 0.6), atol)


@every_score
def test_scores_answer_on_the_device(any_cupy, make):
    images, x = draw(dtype="f4")
    denoise = make(any_cupy.asarray(images))
    x0_hat = denoise(any_cupy.asarray(x), 0.8, 0.6)
    assert type(x0_hat) is any_cupy.ndarray and x0_hat.dtype == "f4"
    close(x0_hat.get(), make(images)(x, 0.8, 0.6), atol=1e-6)
    with pytest.raises(TypeError, match="different places"):
        denoise(x, 0.8, 0.6)


@every_score
def test_wrong_input_is_refused(make):
    images, x = draw()
    for wrong, error in ((images.astype(int), TypeError), (images[..., 0], ValueError), (images[:0], ValueError)):
        with pytest.raises(error, match="images"):
            make(wrong)
    with pytest.raises(ValueError, match="batch axis"):
        make(images)(x[0], 0.8, 0.6)


@every_kind
def test_wrong_windows_are_refused(name, padding):
    (images, x), make = draw(), getattr(scores, name)
    for wrong, error in ((4, ValueError), (-1, ValueError), (3.0, TypeError)):
        with pytest.raises(error, match="window"):
            make(images, wrong, padding)
        with pytest.raises(error, match="window"):
            make(images, lambda alpha, sigma, wrong=wrong: wrong, padding)(x, 0.8, 0.6)
    for word, *wrong in (("larger", images, 7, "circular"), ("padding", images, 3, "reflect"), ("points", x[0, 0], 3)):
        with pytest.raises(ValueError, match=word):
            make(*wrong)
