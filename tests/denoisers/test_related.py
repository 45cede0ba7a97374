"""Masked, composite and smoothed denoisers: where they are the ideal one or the pixelwise one, and what they draw."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.denoisers import (
    Bottleneck,
    Composite,
    Ideal,
    Linear,
    Masked,
    Mixture,
    Neighbors,
    Polynomial,
    Smoothed,
    composite,
    masked,
)
from edudiff.support.softmax import Softmax

seeds = st.integers(0, 2**16)
ratios = st.sampled_from([0.05, 0.5, 1.0, 3.0])
COSINE = schedules.cosine()
MAKE = {
    "masked": lambda images: Masked(images, 0.1),
    "composite": lambda images: Composite(images, 3),
    "smoothed": lambda images: Smoothed(images, 0.1, 3, np.random.default_rng(0)),
}
every_kind = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def level(ratio):
    return math.cos(math.atan(ratio)), math.sin(math.atan(ratio))


def case(seed, shape=(4, 5, 2), count=9, batch=3):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *shape)), rng.standard_normal((batch, *shape))


def close(a, b, atol=3e-8):
    """Equal up to the weight that a running softmax may leave out, 1e-8 of the total."""
    np.testing.assert_allclose(a, b, atol=atol, rtol=0)


def pixelwise(images, x, level):
    """Each pixel by the ideal denoiser of the training set's pixels at the same place."""
    places = [(i, j) for i in range(x.shape[1]) for j in range(x.shape[2])]
    return np.stack([Ideal(images[:, i, j])(x[:, i, j], *level) for i, j in places], axis=1).reshape(x.shape)


@given(seed=seeds, ratio=ratios)
def test_a_mask_of_ones_is_ideal_and_the_identity_looks_at_one_value_p39(seed, ratio):
    images, x = case(seed)
    ideal = Ideal(images)(x, *level(ratio))
    close(Masked(images, mask=np.ones((40, 40)))(x, *level(ratio)), ideal)
    close(Masked(images, 0.0)(x, *level(ratio)), ideal)
    close(
        Masked(images, mask=np.kron(np.eye(20), np.ones((2, 2))))(x, *level(ratio)), pixelwise(images, x, level(ratio))
    )
    gray, y = images[..., :1], x[..., :1]
    close(Masked(gray, mask=np.eye(20))(y, *level(ratio)), pixelwise(gray, y, level(ratio)))


@given(seed=seeds, ratio=ratios)
def test_a_window_that_covers_all_is_ideal_and_one_pixel_is_pixelwise_p38(seed, ratio):
    images, x = case(seed)
    close(Composite(images, 5)(x, *level(ratio)), Ideal(images)(x, *level(ratio)))
    close(Composite(images, 1)(x, *level(ratio)), pixelwise(images, x, level(ratio)))


@given(seed=seeds, ratio=ratios, size=st.integers(2, 4))
def test_composite_is_the_mean_over_windows_of_ideal_answers(seed, ratio, size):
    """(sum C^T C)^-1 sum C^T E[x0_C | x_C], window by window."""
    images, x = case(seed)
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    for i in range(max(1, 5 - size)):
        for j in range(6 - size):
            cut = np.s_[:, i : i + size, j : j + size]
            total[cut] += Ideal(images[cut])(x[cut], *level(ratio))
            count[cut] += 1
    close(Composite(images, size)(x, *level(ratio)), total / count)


@given(seed=seeds, ratio=ratios)
def test_masked_is_a_softmax_for_each_value(seed, ratio):
    """A mask that is not symmetric: M_jm says whether value m looks at value j."""
    images, x = case(seed, shape=(3,))
    mask = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1.0]])
    alpha, sigma = level(ratio)
    answer = Masked(images, mask=mask)(x, alpha, sigma)
    for b in range(len(x)):
        for m in range(3):
            logits = -(((x[b] - alpha * images) ** 2)[:, mask[:, m] == 1]).sum(1) / (2 * sigma**2)
            weights = np.exp(logits - logits.max())
            assert answer[b, m] == pytest.approx(weights @ images[:, m] / weights.sum(), abs=3e-8)


def test_the_mask_is_where_the_wiener_filter_is_large():
    """Two values that go together and one alone: they look at each other, it looks at itself; noise widens the view."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (400, 3))
    images[:, 1] = 0.9 * images[:, 0] + 0.1 * images[:, 1]
    np.testing.assert_array_equal(Masked(images, 0.3).mask(0.7, 0.7), [[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    covariance = np.cov(images.T, bias=True)
    wiener = 0.49 * covariance @ np.linalg.inv(0.49 * covariance + 0.49 * np.eye(3))
    ratio = np.abs(wiener / np.diag(wiener)[:, None])
    for tau in (0.01, 0.05, 0.5):
        np.testing.assert_array_equal(Masked(images, tau).mask(0.7, 0.7), ratio >= tau * ratio.max())
    assert Masked(images, 0.05).mask(0.0, 1.0).all()
    constant = np.concatenate([images, np.ones((400, 1))], axis=1)
    assert np.diag(Masked(constant, 0.5).mask(0.7, 0.7)).all()


def test_what_a_mask_sees_depends_on_noise_over_signal_and_shrinks_as_tau_grows():
    images = np.random.default_rng(0).uniform(-1, 1, (30, 6)) @ np.random.default_rng(1).standard_normal((6, 6)) / 3
    masks = [Masked(images, tau).mask(1.0, 0.7) for tau in (0.0, 0.2, 0.6, 1.0)]
    for tau, mask in zip((0.0, 0.2, 0.6, 1.0), masks, strict=True):
        for alpha in (0.9, 0.1):
            np.testing.assert_array_equal(Masked(images, tau).mask(alpha, 0.7 * alpha), mask)
    assert [int(mask.sum()) for mask in masks] == sorted((int(mask.sum()) for mask in masks), reverse=True)
    assert masks[0].all()
    assert masks[-1].sum() == 7  # each value sees itself, and of all ratios one is the largest


@pytest.mark.parametrize("height", [1e-6, 1e-4, 1e-3])
def test_a_value_that_hardly_varies_does_not_set_the_threshold_of_the_others(height):
    """As a pixel that is lit in two of a thousand images: they look where they look without it, and it looks at itself.

    Its own ratios would be up to 1 / height times as large as those of the others.
    """
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (200, 6)) @ rng.standard_normal((6, 6)) / 2
    faint = height * images[:, :1] - 1
    alpha, sigma = 0.3, 0.95
    alone = Masked(images, 0.5).mask(alpha, sigma)
    mask = Masked(np.concatenate([images, faint], axis=1), 0.5).mask(alpha, sigma)
    np.testing.assert_array_equal(mask[:-1, :-1], alone)
    assert mask[-1, -1] == 1
    assert 6 < alone.sum() < 36


def test_a_row_of_the_filter_is_divided_from_one_millionth_on():
    """Values whose covariance is known exactly: just below, a row is compared as it stands, just above divided."""
    signs = np.array([[1, 1, 1], [1, 1, -1], [-1, -1, 1], [-1, -1, -1.0]])
    for share, looked_at in ((0.9, 0), (1.1, 1)):
        # The first two values go together, the second with `small` times the first's height; alpha = sigma.
        small = math.sqrt(share * 2e-6)  # so that W_11 is share * 1e-6, and W_10 = small / 2
        images = signs * [1.0, small, 1.0]
        mask = Masked(images, 0.5).mask(math.sqrt(0.5), math.sqrt(0.5))
        assert mask[1, 0] == looked_at, f"W_11 is {share} of 1e-6"
        assert (np.diag(mask) == 1).all()
        # As it stands it is small / 2, and the largest ratio of all is 1.
        looks = [Masked(images, near * small / 2).mask(math.sqrt(0.5), math.sqrt(0.5))[1, 0] for near in (0.8, 1.2)]
        assert looks == ([1, 0] if share < 1 else [1, 1])


def test_a_mask_is_float64_whatever_it_is_given_as():
    images, x = case(6, (2, 2, 1))
    given = Masked(images, mask=np.eye(4, dtype=bool))
    assert given.mask(0.8, 0.6).dtype == Masked(images, 0.5).mask(0.8, 0.6).dtype == np.float64
    np.testing.assert_array_equal(given(x, 0.8, 0.6), Masked(images, mask=np.eye(4))(x, 0.8, 0.6))


@given(seed=seeds, ratio=ratios)
def test_smoothing_by_nothing_is_ideal_and_one_item_stays_p41(seed, ratio):
    images, x = case(seed)
    np.testing.assert_array_equal(Smoothed(images, 0.0)(x, *level(ratio)), Ideal(images)(x, *level(ratio)))
    close(
        Smoothed(images[:1], 0.5, 4, np.random.default_rng(0))(x, *level(ratio)), np.broadcast_to(images[:1], x.shape)
    )


@given(seed=seeds, ratio=ratios)
def test_smoothed_is_the_mean_over_its_moves(seed, ratio):
    images, x = case(seed)
    denoise = Smoothed(images, 0.3, 5, np.random.default_rng(seed))
    assert denoise.moves.std() == pytest.approx(0.3, rel=0.3)
    one_by_one = np.mean([Ideal(images)(x + move, *level(ratio)) for move in denoise.moves], axis=0)
    close(denoise(x, *level(ratio)), one_by_one)


def test_smoothing_makes_means_of_training_items():
    """Two points and ten copies: what is drawn lies between them, in steps of a fifth."""
    points = np.array([[-1.0], [1.0]])
    denoise = Smoothed(points, 0.8, 10, np.random.default_rng(3))
    schedule = schedules.log_linear(1e-8, 50.0)  # decisions fall late: each changes the next
    x = reverse.start(schedule, (60, 1), np.random.default_rng(0))
    out = reverse.sample(denoise, schedule, x, schedule.times(250))
    np.testing.assert_allclose(5 * out, np.round(5 * out), atol=1e-2)
    assert np.abs(out).max() < 0.9


@every_kind
def test_samples_are_fixed_points_of_the_denoiser(make):
    """x = D(x) in the limit of no noise; pictures of noise are not."""
    images, _ = case(0)
    denoise, schedule = make(images), schedules.log_linear(1e-4, 50.0)
    x = reverse.start(schedule, (6, 4, 5, 2), np.random.default_rng(0))
    law = denoise.generated()
    assert np.median(law.distance(reverse.sample(denoise, schedule, x, schedule.times(150)))) < 1e-3
    assert law.distance(np.random.default_rng(1).standard_normal(x.shape)).min() > 0.5
    with pytest.raises(ValueError, match="its mean is not known in closed form for FixedPoints"):
        law.mean  # noqa: B018
    for ask in (lambda: law.covariance, lambda: law.sample(None, 1), lambda: law.log_density(x)):
        with pytest.raises(ValueError, match="draw samples"):
            ask()


@every_kind
@given(seed=seeds, ratio=ratios, chunk=st.integers(0, 9))
def test_chunks_and_batches_do_not_matter(make, seed, ratio, chunk):
    images, x = case(seed)
    whole = make(images)(x, *level(ratio))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masked, "BLOCK", chunk * x.size)
        patch.setattr(composite, "BLOCK", chunk * x.size)
        close(make(images)(x, *level(ratio)), whole)
    close(np.concatenate([make(images)(x[b : b + 1], *level(ratio)) for b in range(3)]), whole)


@pytest.mark.parametrize(("block", "chunks"), [(0, [1] * 9), (1, [1] * 9), (4, [4, 4, 1]), (100, [9])])
def test_as_many_images_are_compared_at_once_as_fill_a_block_and_at_least_one(monkeypatch, block, chunks):
    images, x = case(0)
    asked = []

    class Counted(Softmax):
        def add(self, logits, values, where=...):
            asked.append(logits.shape[-1])
            super().add(logits, values, where)

    for module, make in ((masked, MAKE["masked"]), (composite, MAKE["composite"])):
        monkeypatch.setattr(module, "BLOCK", block * x.size)
        monkeypatch.setattr(module, "Softmax", Counted)
        asked.clear()
        make(images)(x, 0.8, 0.6)
        assert asked == chunks


def test_a_softmax_for_each_chunk_is_another_denoiser():
    """What published code does, and why: averaged chunks are off by far more than rounding."""
    images, x = case(0)
    halves = np.mean([Masked(share, 0.0)(x, 0.8, 0.6) for share in (images[:4], images[4:])], axis=0)
    assert np.abs(halves - Masked(images, 0.0)(x, 0.8, 0.6)).max() > 0.05


@given(seed=seeds)
def test_effective_candidates_fall_from_all_to_one_p42(seed):
    """exp(entropy of the weights): N in much noise, 1 in little, never more than N."""
    rng = np.random.default_rng(seed)
    points, x = rng.uniform(-1, 1, (8, 2)), rng.uniform(-1, 1, (4, 2))

    def effective(sigma):
        total = Softmax(np, (4,), 8, 8)
        total.add(-((x[:, None] - points) ** 2).sum(2) / (2 * sigma**2), np.eye(8))
        weights = total.mean()
        np.testing.assert_allclose(weights.sum(1), 1)
        return np.exp(-(weights * np.log(np.maximum(weights, 1e-300))).sum(1))

    assert np.abs(effective(100.0) - 8).max() < 0.01
    assert effective(1e-4).max() < 1.01
    assert (effective(0.5) <= 8 + 1e-9).all()


DEVICE = {
    **MAKE,
    "polynomial": lambda images: _flat(Polynomial.fit(images.reshape(len(images), -1)[:, :2], 3, stop=10)),
    "bottleneck": lambda images: Bottleneck.fit(images, 3),
    "bottleneck of noise": lambda images: Bottleneck.fit(images, 3, predict="eps"),
}


def _flat(denoise):
    return lambda x, alpha, sigma: denoise(x.reshape(len(x), -1)[:, :2], alpha, sigma)


@pytest.mark.parametrize("make", DEVICE.values(), ids=DEVICE)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_they_answer_on_the_device_in_the_dtype_of_x(any_cupy, make, dtype):
    images, x = (a.astype(dtype) for a in case(0))
    kept = images.copy(), x.copy()
    here = make(images)(x, 0.8, 0.6)
    there = make(any_cupy.asarray(images))(any_cupy.asarray(x), 0.8, 0.6)
    assert type(there) is any_cupy.ndarray and there.dtype == here.dtype == dtype
    np.testing.assert_allclose(there.get(), here, atol=1e-10 if dtype == "f8" else 1e-5)
    np.testing.assert_array_equal((images, x)[0], kept[0])
    np.testing.assert_array_equal((images, x)[1], kept[1])


def test_laws_on_the_device(any_cupy):
    images, _ = case(0, shape=(3,))
    for make in (Linear.fit, lambda data: Bottleneck.fit(data, 2)):
        here, there = make(images).generated((0.1, 1.0)), make(any_cupy.asarray(images)).generated((0.1, 1.0))
        np.testing.assert_allclose(there.covariance.get(), here.covariance, atol=1e-12)
        samples = there.sample(np.random.default_rng(0), 4)
        np.testing.assert_allclose(here.distance(samples.get()), 0, atol=1e-9)
        assert there.difference(samples).mean > 0
    weights, means, covariances = np.array([0.4, 0.6]), images[:2], np.stack([np.eye(3)] * 2)
    here, there = Mixture(weights, means, covariances), Mixture(*map(any_cupy.asarray, (weights, means, covariances)))
    x = any_cupy.asarray(images[3:5])
    np.testing.assert_allclose(there(x, 0.8, 0.6).get(), here(images[3:5], 0.8, 0.6), atol=1e-12)
    drawn = there.sample(np.random.default_rng(0), 5).get()
    np.testing.assert_allclose(drawn, here.sample(np.random.default_rng(0), 5), atol=1e-12)


@pytest.mark.parametrize("make", [Ideal, Linear.fit, lambda images: Neighbors(images, 2), *MAKE.values()])
@pytest.mark.parametrize(
    ("x", "alpha", "sigma", "error", "says"),
    [
        (np.zeros((4, 5, 2)), 0.8, 0.6, ValueError, r"x\[None\]"),
        (np.zeros((1, 4, 4, 2)), 0.8, 0.6, ValueError, r"\(1, 4, 4, 2\)"),
        (np.full((1, 4, 5, 2), np.nan), 0.8, 0.6, ValueError, "NaN"),
        (np.zeros((1, 4, 5, 2), int), 0.8, 0.6, TypeError, "int64"),
        (np.zeros((1, 4, 5, 2)), 0.8, 0.0, ValueError, "sigma is 0"),
        (np.zeros((1, 4, 5, 2)), 1.2, 0.6, ValueError, r"alpha is 1.2"),
    ],
)
def test_bad_batches_and_levels(make, x, alpha, sigma, error, says):
    with pytest.raises(error, match=says):
        make(case(0)[0])(x, alpha, sigma)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda i: Masked(i), ValueError, "exactly one of tau"),
        (lambda i: Masked(i, 0.1, mask=np.eye(40)), ValueError, "exactly one of tau"),
        (lambda i: Masked(i, 1.5), ValueError, r"tau is 1.5"),
        (lambda i: Masked(i, -0.1), ValueError, r"tau is -0.1"),
        (lambda i: Masked(i, mask=-0.5 * np.eye(40)), ValueError, "numbers from 0 to 1"),
        (lambda i: Masked(i, mask=np.eye(3)), ValueError, r"\(40, 40\)"),
        (lambda i: Masked(i, mask=2.0 * np.eye(40)), ValueError, "numbers from 0 to 1"),
        (lambda i: Composite(i, 0), ValueError, "window is 0, expected an integer >= 1"),
        (lambda i: Composite(i, 6), ValueError, "window is 6, expected an integer <= 5"),
        (lambda i: Composite(i.swapaxes(1, 2), 6), ValueError, "window is 6, expected an integer <= 5"),
        (lambda i: Composite(i.reshape(9, 2, 2, 10), 3), ValueError, "window is 3, expected an integer <= 2"),
        (lambda i: Composite(i, 2.0), TypeError, "expected an integer"),
        (lambda i: Composite(i.reshape(9, -1), 1), ValueError, "use Ideal"),
        (lambda i: Smoothed(i, -0.1), ValueError, r"spread is -0.1"),
        (lambda i: Smoothed(i, math.inf), ValueError, r"spread is inf"),
        (lambda i: Neighbors(i[:0], 1), ValueError, "empty"),
        (lambda i: Neighbors(i.astype(int), 1), TypeError, "int64"),
        (lambda i: Smoothed(i, 0.1, 0), ValueError, "copies is 0"),
        (lambda i: Smoothed(i, 0.1), TypeError, "default_rng"),
        (lambda i: Masked(i[:0], 0.1), ValueError, "empty"),
        (lambda i: Composite(i.astype(int), 2), TypeError, "int64"),
        (lambda i: Smoothed(i * np.nan), ValueError, "NaN"),
    ],
)
def test_bad_settings(make, error, says):
    with pytest.raises(error, match=says):
        make(case(0)[0])


@pytest.mark.parametrize("shape", [(3,), (2, 2, 1)])
def test_each_value_of_an_item_is_moved_by_itself(shape):
    """The movements of points and of images are independent in every value, with the standard deviation `spread`."""
    images = np.random.default_rng(0).uniform(-1, 1, (5, *shape))
    moves = Smoothed(images, 0.2, 4000, np.random.default_rng(1)).moves
    assert moves.shape == (4000, *shape)
    covariance = np.cov(moves.reshape(4000, -1).T) / 0.2**2
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=5 * math.sqrt(2 / 4000))


@pytest.mark.parametrize("ratio", [0.3, 3.0])
def test_a_composite_takes_its_window_from_the_noise_level(ratio):
    images, x = case(4)
    by_level = Composite(images, lambda alpha, sigma: 2 if sigma < alpha else 3)
    np.testing.assert_array_equal(
        by_level(x, *level(ratio)), Composite(images, 2 if ratio < 1 else 3)(x, *level(ratio))
    )
    with pytest.raises(ValueError, match="window is 9, expected an integer <= 5"):
        Composite(images, lambda alpha, sigma: 9)(x, *level(ratio))


def test_a_soft_mask_counts_in_part():
    """Each value by the softmax of its weighted squares, by hand; half a mask of ones is ideal at 2^0.5 the noise."""
    images, x = case(5, (2, 2, 1))
    alpha, sigma = level(0.8)
    mask = np.random.default_rng(0).uniform(size=(4, 4))
    flat, rows = images.reshape(9, 4), x.reshape(3, 4)
    logits = -((rows[:, None] - alpha * flat) ** 2) @ mask / (2 * sigma**2)  # (B, N, D)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    by_hand = (weights * flat).sum(1) / weights.sum(1)
    close(Masked(images, mask=mask)(x, alpha, sigma).reshape(3, 4), by_hand)
    half = Masked(images, mask=np.full((4, 4), 0.5))(x, alpha, sigma)
    close(half, Ideal(images)(x, alpha, sigma * math.sqrt(2)))


def test_a_mask_may_depend_on_the_noise_level():
    images, x = case(6, (2, 2, 1))
    by_level = Masked(images, mask=lambda alpha, sigma: np.eye(4) if sigma < alpha else np.ones((4, 4)))
    np.testing.assert_array_equal(by_level(x, 0.9, 0.1), Masked(images, mask=np.eye(4))(x, 0.9, 0.1))
    np.testing.assert_array_equal(by_level(x, 0.1, 0.9), Masked(images, mask=np.ones((4, 4)))(x, 0.1, 0.9))
    with pytest.raises(ValueError, match=r"mask has shape \(3, 3\), expected \(4, 4\)"):
        Masked(images, mask=lambda alpha, sigma: np.eye(3))(x, 0.9, 0.1)
