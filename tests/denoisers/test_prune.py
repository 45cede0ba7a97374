"""Skipping windows that cannot matter: the answer stays, whatever the data, and where it can be done it is."""

import numpy as np
import pytest
from test_patch_loops import level

pytest.importorskip("numba")

from edudiff.data import shapes
from edudiff.denoisers import Patch, merge
from edudiff.fast import clusters, pruned, training_set


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    """Sort and skip in the smallest sets, and where it does not pay."""
    monkeypatch.setattr(training_set, "LEAST_PAIRS", 0)
    monkeypatch.setattr(training_set, "MATTER", np.inf)
    for cost in ("TEST", "PIXEL", "PAIR", "VALUE"):
        monkeypatch.setattr(pruned, cost, 0.0)


def digits(count, size=14):
    """Strokes, as handwritten digits are: windows that look like each other."""
    return shapes.strokes(count, size=size, rng=np.random.default_rng(0)).astype(np.float32)


def hostile(count, size=9, channels=1):
    """Noise without any structure: windows lie as far apart as they can, and no two are near."""
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, channels)).astype(np.float32)


def noisy(images, ratio, batch=2):
    alpha, sigma = level(ratio)
    noise = np.random.default_rng(1).standard_normal((batch, *images.shape[1:]))
    return (alpha * images[:batch] + sigma * noise).astype(images.dtype), alpha, sigma


@pytest.mark.parametrize("padding", ["zero", "circular"])
@pytest.mark.parametrize(
    ("images", "size"), [(digits(90), 3), (digits(90), 5), (hostile(70), 3), (hostile(40, 8, 3), 5)]
)
def test_answers_are_those_without_skipping(images, size, padding):
    skips, whole = (Patch(images, size, padding=padding, prune=prune) for prune in (True, False))
    for ratio in (0.02, 0.1, 0.3, 1.0, 10.0):
        x, alpha, sigma = noisy(images, ratio)
        for dtype, atol in ((np.float32, 1e-5), (np.float64, 3e-6)):
            answer, full = (denoise(x.astype(dtype), alpha, sigma) for denoise in (skips, whole))
            np.testing.assert_allclose(answer, full, atol=atol, rtol=0, err_msg=f"ratio {ratio}, {dtype}")


@pytest.mark.parametrize("padding", ["zero", "circular"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_posteriors_are_those_without_skipping(padding, dtype):
    images = digits(90)
    skipped = 0.0
    patch, whole = (Patch(images, 5, padding=padding, prune=prune) for prune in (1e-7, False))
    for ratio in (0.02, 0.1, 0.5, 5.0):
        x, alpha, sigma = noisy(images, ratio)
        found, full = (denoise.posterior(x.astype(dtype), alpha, sigma) for denoise in (patch, whole))
        np.testing.assert_allclose(found.entropy, full.entropy, atol=2e-5, rtol=0)
        np.testing.assert_allclose(found.variance, full.variance, atol=2e-5, rtol=0)
        skipped = max(skipped, patch.skipped)
    assert skipped > 0.5


def test_the_error_is_as_small_as_was_asked_for():
    images = hostile(60)
    x, alpha, sigma = noisy(images.astype(np.float64), 0.4)
    full = Patch(images, 3, prune=False)(x, alpha, sigma)
    errors = [abs(Patch(images, 3, prune=share)(x, alpha, sigma) - full).max() for share in (1e-2, 1e-4, 1e-7)]
    assert errors[0] > 1e-6  # a mild demand leaves windows out that can be seen
    for error, share in zip(errors, (1e-2, 1e-4, 1e-7), strict=True):
        assert error < 2 * share + 1e-7


def test_little_noise_skips_nearly_everything_and_much_noise_nothing():
    images = digits(90)
    denoise = Patch(images, 3)
    skipped = []
    for ratio in (0.02, 0.2, 1.0, 50.0):
        denoise(*noisy(images, ratio))
        skipped.append(denoise.skipped)
    assert skipped[0] > 0.6
    assert skipped == sorted(skipped, reverse=True)
    assert Patch(images, 3, prune=False).skipped == 0
    blank = np.concatenate([images, np.full_like(images, -1)])  # windows that show one value are only counted
    denoise = Patch(blank, 3)
    denoise(*noisy(images, 50.0))
    assert denoise.skipped >= 0.5


def test_a_picture_does_not_depend_on_its_batch():
    images = digits(60)
    x, alpha, sigma = noisy(images, 0.2, batch=5)
    denoise = Patch(images, 5)
    together = denoise(x, alpha, sigma)
    for image, answer in zip(x, together, strict=True):
        np.testing.assert_array_equal(denoise(image[None], alpha, sigma)[0], answer)


def test_threads_do_not_change_the_answer():
    import numba

    images = digits(60)
    x, alpha, sigma = noisy(images, 0.2)
    threads, answers = numba.get_num_threads(), []
    try:
        for count in (1, threads):
            numba.set_num_threads(count)
            answers.append(Patch(images, 3)(x, alpha, sigma))
    finally:
        numba.set_num_threads(threads)
    np.testing.assert_array_equal(*answers)


def test_classes_and_shares_are_skipped_alike():
    images = digits(80)
    x, alpha, sigma = noisy(images, 0.1)
    labels = np.arange(80) % 3
    whole = Patch(images, 3, labels=labels)
    full = Patch(images, 3, prune=False)
    np.testing.assert_allclose(whole(x, alpha, sigma), full(x, alpha, sigma), atol=1e-5)
    one = Patch(images[labels == 1], 3, prune=False)(x, alpha, sigma)
    np.testing.assert_allclose(whole.conditional(1)(x, alpha, sigma), one, atol=1e-5)
    _, num, den = merge([whole.conditional(label).partial(x, alpha, sigma) for label in (2, 0, 1)])
    np.testing.assert_allclose(num / den[..., None], full(x, alpha, sigma), atol=1e-5)


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize("size", [3, 5])
def test_sorted_windows_are_all_windows_and_lie_in_their_boxes(size, circular):
    images = np.concatenate([digits(20, 10), np.full((3, 10, 10, 1), -1, np.float32)])
    found = clusters.Clusters(images, [np.arange(23)], size, circular)
    windows, projections = found.queries(images)
    places = np.concatenate([share.order[: share.count] for share in found.shares])
    plain = (windows == found.common[0]).all(1)
    np.testing.assert_array_equal(np.sort(places), (~plain).nonzero()[0])
    assert found.plain == plain.sum() > 0
    assert found.count == len(windows)
    for share in found.shares:
        groups = projections[:, share.order].reshape(len(projections), -1, clusters.LANES)
        low, high = (found.least + found.step * (share.boxes + np.array([0, 1])[:, None, None])).astype(groups.dtype)
        assert (groups >= low[..., None] - 1e-4).all()
        assert (groups <= high[..., None] + 1e-4).all()


def test_near_windows_lie_near_on_the_curve():
    images = digits(200)
    found = clusters.Clusters(images, [np.arange(200)], 3, False)
    _, projections = found.queries(images)
    share = found.shares[0]
    assert (np.diff(share.codes.astype(float)) >= 0).all()

    def extent(order):
        return np.ptp(projections[:, order].reshape(len(projections), -1, clusters.LANES), axis=2).mean()

    assert extent(share.order) < 0.6 * extent(np.random.default_rng(0).permutation(share.order))


def test_a_bad_share_is_named():
    for prune in (-1.0, 0.5, np.nan):
        with pytest.raises(ValueError, match="prune is"):
            Patch(digits(3), 3, prune=prune)


def test_without_skipping_all_that_is_left_out_weighs_next_to_nothing():
    """Half of all pixels are 0 as the query is, half are 1: E[x0 | x = 0] = 1 / (1 + exp(1 / 2 sigma^2))."""
    images = np.zeros((4000, 7, 7, 1))
    images[np.arange(4000) // 16 % 2 == 1] = 1  # 16 alike side by side, as the kernel takes them
    for exponent in (12, 14, 16):
        answer = Patch(images, 1, prune=False)(np.zeros((1, 7, 7, 1)), 1.0, (1 / (2 * exponent)) ** 0.5)
        np.testing.assert_allclose(answer, 1 / (1 + np.exp(exponent)), atol=1e-8, rtol=0)


@pytest.mark.parametrize(("dtype", "sigma"), [(np.float32, 1e-5), (np.float64, 1e-9)])
@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_the_nearest_window_is_never_skipped_however_little_the_noise(dtype, sigma, padding):
    """Far from all pictures, the margin beyond the nearest window is less than a rounding error of its distance."""
    for seed in range(5):
        images = hostile(14, 8).astype(dtype)
        images[:3] = -1  # windows that show one value are counted apart
        x = np.random.default_rng(seed).uniform(-1.5, 1.5, (2, 8, 8, 1)).astype(dtype)
        answer = Patch(images, 3, padding=padding)(x, 1.0, sigma)
        full = Patch(images, 3, padding=padding, prune=False, backend="numpy")(x, 1.0, sigma)
        np.testing.assert_allclose(answer, full, atol=1e-5)


@pytest.mark.parametrize("images", [np.ones((9, 8, 8, 1)), np.repeat([1.0, -1.0], 64 * 4).reshape(8, 8, 8, 1)])
def test_sets_in_which_every_window_shows_one_value(images):
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 1))
    for sigma in (0.01, 0.5, 3.0):
        full = Patch(images, 3, prune=False)(x, 0.8, sigma)
        np.testing.assert_allclose(Patch(images, 3)(x, 0.8, sigma), full, atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_without_signal_nothing_is_sorted():
    images = digits(40)
    x = np.random.default_rng(0).standard_normal((1, 14, 14, 1))
    denoise = Patch(images, 3)
    np.testing.assert_allclose(denoise(x, 0.0, 1.0), Patch(images, 3, prune=False)(x, 0.0, 1.0), atol=1e-6)
    assert denoise.skipped == 0
