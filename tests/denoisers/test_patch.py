"""What local scores must do whatever the data, and however the work is cut up."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_patch_loops import BACKENDS, MACHINES, level
from traced import entered

from edudiff.denoisers import Ideal, Patch, ideal, merge, precision, windows
from edudiff.denoisers import patch as denoisers_patch
from edudiff.support.backends import has_numba
from edudiff.support.softmax import Softmax

ratios = st.sampled_from([0.1, 0.5, 1.0, 3.0])
seeds = st.integers(0, 2**16)


def case(seed, count=4, shape=(5, 5, 1), batch=2):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *shape)), rng.standard_normal((batch, *shape))


def close(a, b, atol=3e-8):
    """Equal up to the weight that a running softmax may leave out, 1e-8 of the total."""
    np.testing.assert_allclose(a, b, atol=atol, rtol=0)


def orbit(images):
    """All images, moved to everywhere on the torus."""
    rows, columns = images.shape[1:3]
    return np.concatenate([np.roll(images, (i, j), (1, 2)) for i in range(rows) for j in range(columns)])


@pytest.mark.parametrize("backend", BACKENDS)
@given(seed=seeds, ratio=ratios)
def test_a_window_that_covers_the_picture_is_the_ideal_score_p28(backend, seed, ratio):
    images, x = case(seed)
    expected = Ideal(images)(x, *level(ratio))
    close(Patch(images, 9, shifts=False, backend=backend)(x, *level(ratio)), expected)
    close(Patch(images, 9, shifts=True, backend=backend)(x, *level(ratio)), expected)
    close(Patch(images, 5, shifts=False, padding="circular", backend=backend)(x, *level(ratio)), expected)


@pytest.mark.parametrize("backend", BACKENDS)
@given(seed=seeds, ratio=ratios)
def test_a_window_of_one_pixel_has_no_border_p29(backend, seed, ratio):
    images, x = case(seed, shape=(4, 5, 2))
    for shifts in (True, False):
        denoisers = [Patch(images, 1, shifts=shifts, padding=b, backend=backend) for b in ("zero", "circular")]
        zero, circular = (denoise(x, *level(ratio)) for denoise in denoisers)
        close(zero, circular)
    pixels = images.reshape(-1, 2)
    close(zero[:, 1, 2], Ideal(images[:, 1, 2])(x[:, 1, 2], *level(ratio)))
    shifted = Patch(images, 1, backend=backend)(x, *level(ratio))
    close(shifted.reshape(-1, 2), Ideal(pixels)(x.reshape(-1, 2), *level(ratio)))


@pytest.mark.parametrize("backend", BACKENDS)
@given(seed=seeds, ratio=ratios)
def test_shifts_are_the_orbit_of_the_data_p30_p31(backend, seed, ratio):
    images, x = case(seed)
    for size in (1, 3, 5):
        shifted = Patch(images, size, padding="circular", backend=backend)(x, *level(ratio))
        close(shifted, Patch(orbit(images), size, shifts=False, padding="circular", backend=backend)(x, *level(ratio)))
    close(shifted, Ideal(orbit(images))(x, *level(ratio)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_shifted_score_moves_with_the_picture_and_the_local_one_does_not_p32(backend):
    images, x = case(1, shape=(6, 5, 1))
    moved = np.roll(x, (2, -1), (1, 2))
    for shifts, moves in ((True, True), (False, False)):
        denoise = Patch(images, 3, shifts=shifts, padding="circular", backend=backend)
        difference = denoise(moved, 0.8, 0.6) - np.roll(denoise(x, 0.8, 0.6), (2, -1), (1, 2))
        assert (abs(difference).max() < 1e-10) == moves


@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_flips_and_quarter_turns_commute_p32(backend, padding, shifts):
    images, x = case(2, shape=(6, 5, 2))
    for turn in (lambda a: a[:, ::-1], lambda a: a[:, :, ::-1], lambda a: np.rot90(a, axes=(1, 2))):
        here = Patch(images, 3, shifts=shifts, padding=padding, backend=backend)(x, 0.8, 0.6)
        there = Patch(turn(images).copy(), 3, shifts=shifts, padding=padding, backend=backend)(turn(x).copy(), 0.8, 0.6)
        close(turn(here), there)


@pytest.mark.parametrize("backend", BACKENDS)
@given(seed=seeds, ratio=ratios)
def test_at_corners_and_for_wide_windows_shifts_change_nothing_p33(backend, seed, ratio):
    images, x = case(seed, shape=(6, 6, 1))
    for size in (3, 5, 7, 9):
        shifted, local = (Patch(images, size, shifts=s, backend=backend)(x, *level(ratio)) for s in (True, False))
        close(shifted[:, [0, 0, -1, -1], [0, -1, 0, -1]], local[:, [0, 0, -1, -1], [0, -1, 0, -1]])
        if size // 2 * 2 >= 6:
            close(shifted, local)
        else:
            assert abs(shifted - local).max() > 1e-6


@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_outside_the_window_matters_bit_for_bit_p34(backend, padding, shifts):
    images, x = case(3, shape=(9, 9, 1))
    x, images = x.astype(np.float32), images.astype(np.float32)
    denoise = Patch(images, 3, shifts=shifts, padding=padding, backend=backend)
    changed = x.copy()
    changed[:, 6, 6] += 0.3
    differs = (denoise(x, 0.8, 0.6) != denoise(changed, 0.8, 0.6)).any((0, 3))
    assert differs[5:8, 5:8].all()
    differs[5:8, 5:8] = False
    assert not differs.any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_larger_windows_guess_better_p37(backend):
    """Mean squared error under the law of the data: ideal <= LS 5 <= LS 3 <= LS 1, and LS <= ELS on a torus."""
    rng = np.random.default_rng(0)
    images = rng.choice([-1.0, 1.0], (4, 5, 5, 1))
    x0 = images[rng.integers(4, size=400)]
    x = 0.6 * x0 + 0.8 * rng.standard_normal(x0.shape)

    def error(size, shifts):
        return ((Patch(images, size, shifts=shifts, padding="circular", backend=backend)(x, 0.6, 0.8) - x0) ** 2).mean()

    local = [error(size, False) for size in (5, 3, 1)]
    assert local == sorted(local)
    for size, mse in zip((5, 3, 1), local, strict=True):
        assert mse < error(size, True)


@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_sweep_is_its_single_sizes(backend, padding, shifts):
    images, x = case(4, count=20, shape=(7, 8, 3))
    sizes = (3, 7, 1, 5)
    sweep = Patch(images, 3, shifts=shifts, padding=padding, backend=backend).sweep(x, 0.8, 0.6, sizes)
    assert tuple(sweep) == sizes
    for size in sizes:
        close(sweep[size], Patch(images, size, shifts=shifts, padding=padding, backend=backend)(x, 0.8, 0.6))


@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_order_of_the_training_set_does_not_matter_p12(backend, padding, shifts):
    images, x = case(6, count=37, shape=(6, 5, 1))
    shuffled = images[np.random.default_rng(0).permutation(len(images))]
    for ratio in (0.05, 1.0):
        here, there = (
            Patch(i, 3, shifts=shifts, padding=padding, backend=backend)(x, *level(ratio)) for i in (images, shuffled)
        )
        close(here, there)


@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_shares_of_the_training_set_merge_in_any_order(backend, padding, shifts):
    images, x = case(5, count=37, shape=(5, 6, 2))
    whole = Patch(images, 3, shifts=shifts, padding=padding, backend=backend)
    for ratio in (0.05, 1.0, 20.0):
        shares = [images[:3], images[3:20], images[20:]]
        a, b, c = (
            Patch(s, 3, shifts=shifts, padding=padding, backend=backend).partial(x, *level(ratio)) for s in shares
        )
        for parts in ([a, b, c], [c, a, b], [merge([a, b]), c], [a, merge([b, c])]):
            _, num, den = merge(parts)
            close(num / den[..., None], whole(x, *level(ratio)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_order_and_batch_do_not_matter(backend, monkeypatch):
    images, x = case(6, count=50, shape=(6, 6, 1), batch=5)
    images, x = images.astype(np.float32), x.astype(np.float32)
    together = Patch(images, 3, backend=backend)(x, 0.9, 0.4)
    close(Patch(images[::-1].copy(), 3, backend=backend)(x, 0.9, 0.4), together, 2e-6)
    one_by_one = [Patch(images, 3, backend=backend)(x[b : b + 1], 0.9, 0.4) for b in range(5)]
    close(np.concatenate(one_by_one), together, 0 if backend == "numba" else 2e-6)
    for block in (1, 2000):
        monkeypatch.setattr(windows, "BLOCK", block)
        close(Patch(images, 3, backend=backend)(x, 0.9, 0.4), together, 2e-6)


@pytest.mark.skipif(not has_numba(), reason="needs Numba")
def test_the_number_of_threads_changes_no_bit():
    import numba

    images, x = case(7, count=100, shape=(8, 8, 1), batch=3)
    before, answers = numba.get_num_threads(), []
    try:
        for threads in range(1, min(4, numba.config.NUMBA_NUM_THREADS) + 1):
            numba.set_num_threads(threads)
            answers.append(Patch(images.astype(np.float32), 3)(x.astype(np.float32), 0.9, 0.4))
    finally:
        numba.set_num_threads(before)
    assert all((a == answers[0]).all() for a in answers)


def test_inputs_are_not_written_to():
    images, x = case(8)
    kept = images.copy(), x.copy()
    Patch(images, 3)(x, 0.8, 0.6)
    assert (images == kept[0]).all() and (x == kept[1]).all()


def test_moments_are_those_of_all_values(monkeypatch):
    images = np.random.default_rng(0).uniform(-1, 1, (11, 4, 3, 2)).astype(np.float32)
    monkeypatch.setattr(precision, "CHUNK", 4)
    mean, variance = precision.moments(images)
    assert mean == pytest.approx(images.mean(dtype=float), rel=1e-12)
    assert variance == pytest.approx(images.var(dtype=float), rel=1e-12)
    assert precision.moments(np.full((3, 2, 2, 1), 0.1))[1] == pytest.approx(0, abs=1e-16)


@pytest.mark.parametrize("sigma", [0.05, 0.8, 10.0])
def test_the_typical_square_is_the_posterior_mean_of_the_noise_of_a_normal_pixel(sigma):
    """E[(x - alpha x0)^2 | x], as an integral over x0, of two channels."""
    alpha, mean, variance = 0.7, 0.3, 0.25
    x = alpha * mean + np.array([-1.5, 0.4]) * np.hypot(alpha * variance**0.5, sigma)  # (C,)
    x0 = mean + variance**0.5 * np.linspace(-8, 8, 40001)  # (G,)
    square = (x[:, None] - alpha * x0) ** 2  # (C, G)
    weights = np.exp(-square / (2 * sigma**2) - (x0 - mean) ** 2 / (2 * variance))  # (C, G)
    expected = ((weights * square).sum(1) / weights.sum(1)).sum()
    found = precision.expected_square(x.reshape(1, 1, 1, 2), alpha, sigma, mean, variance)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("dtype", "sigma"), [(np.float32, 1e-3), (np.float32, 1e-6), (np.float64, 1e-9)])
def test_windows_that_are_equally_near_share_the_answer_p35(backend, dtype, sigma):
    """Half-way between two pictures that lie blocks apart in memory, however little the noise."""
    shades = np.full(512, 1.75)
    shades[0], shades[16] = 1, -1
    images = np.broadcast_to(shades[:, None, None, None], (512, 5, 5, 1)).astype(dtype)
    denoise = Patch(images, 3, shifts=False, prune=False, backend=backend)
    np.testing.assert_allclose(denoise(np.zeros((1, 5, 5, 1), dtype), 1.0, sigma), 0, atol=1e-6)


def test_sizes_of_a_sweep_may_be_an_array():
    images, x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 6, 6, 1))
    answers = Patch(images, 3).sweep(x, 0.8, 0.6, np.array([3, 5]))
    np.testing.assert_array_equal(answers[5], Patch(images, 5)(x, 0.8, 0.6))


def test_what_a_call_is_followed_through_fits_a_head():
    """In NumPy and float64: at most 12 functions of the package, from the call to the answer."""
    images, x = case(0, shape=(16, 16, 1))
    denoise = Patch(images, 5, backend="numpy")
    assert len(entered(lambda: denoise(x, 0.7, 0.7))) <= 12


def test_the_back_end_is_chosen_once(monkeypatch):
    images, x = case(0)
    denoise = Patch(images, 3)
    assert denoise.backend == ("numba" if has_numba() else "numpy")
    monkeypatch.setattr(denoisers_patch, "choose", None)
    for a in (x, x.astype(np.float32)):
        denoise(a, 0.8, 0.6)
        denoise.sweep(a, 0.8, 0.6, [1, 3])


def test_it_says_what_it_is():
    images, _ = case(0)
    denoise = Patch(images, 5, backend="numpy")
    assert repr(denoise) == "Patch(images=(4, 5, 5, 1), window=5, padding='zero', backend='numpy')"
    local = Patch(images, 5, shifts=False, padding="circular", labels=[0, 1, 1, 0], backend="numpy")
    shown = "window=5, shifts=False, padding='circular', labels=[0, 1], backend='numpy'"
    assert repr(local) == f"Patch(images=(4, 5, 5, 1), {shown})"


def test_a_sweep_wants_windows_and_whole_items_have_none():
    images, x = case(0)
    with pytest.raises(ValueError, match="windows is empty"):
        Patch(images, 3).sweep(x, 0.8, 0.6, [])
    with pytest.raises(ValueError, match="window size is 4"):
        Patch(images, 3).sweep(x, 0.8, 0.6, [3, 4])
    with pytest.raises(TypeError, match="no windows to sweep"):
        Ideal(images).sweep(x, 0.8, 0.6, [3])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize("shape", [(4, 9, 1), (9, 4, 2)])
@pytest.mark.parametrize("sigma", [0.3, 3e-2, 1e-3, 1e-4])
def test_float32_is_as_exact_as_float64_at_little_noise_p13(backend, padding, shifts, shape, sigma):
    """Images that are not square and nearly agree, so that more than one window matters at any noise level."""
    rng = np.random.default_rng(0)
    one = rng.uniform(-1, 1, shape)
    images = np.concatenate([one + sigma * rng.standard_normal((4, *shape)), rng.uniform(-1, 1, (3, *shape))])
    images, x = images.astype("f4"), (one + sigma * rng.standard_normal((2, *shape))).astype("f4")
    make = lambda i: Patch(i, 3, shifts=shifts, padding=padding, backend=backend)  # noqa: E731
    exact = make(images.astype("f8"))(x.astype("f8"), 1.0, sigma)
    close(make(images)(x, 1.0, sigma), exact, 1e-5)


def counting(engine, calls):
    """The engine, which notes the dtype and the size of each batch in `calls`."""

    def evaluate(x, *arguments, **named):
        calls.append((str(x.dtype), len(x)))
        return engine(x, *arguments, **named)

    evaluate.fused = engine.fused
    return evaluate


def test_float32_is_computed_again_only_where_it_may_be_too_coarse():
    """Where one window has all the weight, and at high noise, no query is; of two that nearly tie, that query alone."""
    rng = np.random.default_rng(0)
    one = rng.uniform(-1, 1, (5, 7, 1))
    images = np.stack([one, one + 1e-4, -one]).astype("f4")
    tie, clear = one + 5e-5 + 1e-4 * rng.standard_normal(one.shape), -one
    calls = []
    for x, sigma, again in ((tie, 1e-4, 1), (clear, 1e-4, 0), (tie, 10.0, 0)):
        denoise = Patch(images, 5, shifts=False, backend="numpy")
        denoise._rechecked = precision.rechecked(counting(denoise._engine, calls), images, "zero")
        batch = np.stack([x, clear]).astype("f4")
        calls.clear()
        answer = denoise(batch, 1.0, sigma)
        assert calls == [("float32", 2)] + again * [("float64", 1)]
        exact = Patch(images.astype("f8"), 5, shifts=False, backend="numpy")(batch.astype("f8"), 1.0, sigma)
        close(answer, exact, 1e-5)


@pytest.mark.parametrize("window", [5, 7, 9])
def test_a_window_that_covers_the_image_is_compared_where_it_is(window):
    assert windows.displacements(5, window, True, "zero") == [0]
    assert windows.displacements(5, window, True, "circular") == [0, 1, 2, 3, 4]
    assert windows.displacements(5, 3, True, "reflect") == [-2, -1, 0, 1, 2]


def test_the_estimate_of_the_error_knows_how_many_values_a_window_sums(monkeypatch):
    """All that lie inside, where the window is larger than the image."""
    images, x = case(0, shape=(4, 9, 2))
    values = []
    monkeypatch.setattr(precision, "doubtful", lambda *given: values.append(given[4]) or np.zeros(len(x), bool))
    Patch(images.astype("f4"), 3, backend="numpy").sweep(x.astype("f4"), 1.0, 0.1, [1, 3, 5, 17])
    assert values == [2, 18, 40, 72]


@pytest.mark.parametrize(("share", "again"), [(0.99, False), (1.01, True)])
@pytest.mark.parametrize(
    ("full", "summed", "values", "den", "per_error"),
    [
        (
            2.0,
            2.0,
            9,
            4.0,
            2 / 3 + 2,
        ),
        (2.0, 0.5, 1, 4.0, 2.5),
        (3.0, 0.0, 9, 16.0, 1.0),
        (0.0, 3.0, 9, 2.0, 3.0),
    ],
)
def test_a_query_is_doubtful_where_rounding_moves_the_answer_by_two_millionths(
    full, summed, values, den, per_error, share, again
):
    """An error e of the logits moves it by 2 e (1 - p) sqrt(p), with p = 1 / den the weight of the first candidate."""
    p = 1 / den
    times = share * 2e-6 / (2 * 3e-8 * math.sqrt(p) * (1 - p) * per_error)
    top, offset = np.full((2, 3, 3), -full * times), np.full((2, 3, 3), (summed - full) * times)
    top[0] = offset[0] = 0.0  # of the first query everything is certain
    dens = np.full((2, 3, 3), den)
    x = np.full((2, 3, 3, 2), 0.5)
    some = np.zeros((3, 3), dtype=bool)
    some[1, 2] = True  # one pixel is enough
    dens[:, ~some] = 1.0
    found = precision.doubtful((top, None, dens, None, None), offset, x, 0.1, values, fused=True)
    assert found.tolist() == [False, again]


@pytest.mark.parametrize(("share", "again"), [(0.99, False), (1.01, True)])
def test_a_difference_that_is_rounded_twice_counts_with_the_size_of_x(share, again):
    """By sqrt(2 |logit|) |x| / sigma, besides."""
    x, sigma, full = np.zeros((1, 2, 2, 1)), 0.1, 50.0
    wanted = share * 2e-6 / (2 * 3e-8 * math.sqrt(0.25) * 0.75) - full  # error of the logits, without the sums'
    x[0, 1, 0, 0] = -wanted * sigma / math.sqrt(2 * full)
    part = np.full((1, 2, 2), -full), None, np.full((1, 2, 2), 4.0)
    offset = np.full((1, 2, 2), -full)
    assert precision.doubtful(part, offset, x, sigma, 1, fused=False).tolist() == [again]
    assert precision.doubtful(part, offset, x, sigma, 1, fused=True).tolist() == [False]
    broken = np.full((1, 2, 2), np.nan)
    assert precision.doubtful((broken, None, part[2]), offset, x, sigma, 1, fused=True).tolist() == [True]


def test_a_running_softmax_is_told_how_many_windows_will_be_compared(monkeypatch):
    """All of all images: so far below the top is nothing of weight, all together."""
    told = []

    class Counted(Softmax):
        def __init__(self, xp, shape, width, count, moments=False):
            told.append((shape, width, count))
            super().__init__(xp, shape, width, count, moments)

    images, x = case(0, shape=(4, 9, 2))
    monkeypatch.setattr(windows, "Softmax", Counted)
    denoise = Patch(images, 3, backend="numpy")
    denoise(x, 0.8, 0.6)
    assert told == [((len(x), 4, 9), 2, len(images) * 36)]
    assert denoise.skipped == 0.0 and not denoise._engine.fused
    assert len(denoise._engine(x, 0.8, 0.6, [3])[0]) == 3  # no moments if none are asked for
    told.clear()
    monkeypatch.setattr(ideal, "Softmax", Counted)
    Ideal(images, [0, 1, 1, 1]).conditional(1)(x, 0.8, 0.6)
    assert told == [((len(x),), 72, 3)]


@pytest.mark.parametrize("sigma", [0.01, 0.6])
def test_the_top_is_the_largest_logit_itself(sigma):
    """-|x - alpha y|^2 / 2 sigma^2 of the nearest, which tells how likely a share of the training set makes x."""
    images, x = case(0)
    known = -((x[:, None] - 0.8 * images) ** 2).sum((2, 3, 4)).min(1) / (2 * sigma**2)
    np.testing.assert_allclose(Ideal(images).partial(x, 0.8, sigma)[0], known, rtol=1e-10)
    for dtype, near in (("float64", 1e-10), ("float32", 1e-5)):
        tops = Patch(images.astype(dtype), 9, shifts=False, backend="numpy").partial(x.astype(dtype), 0.8, sigma)[0]
        np.testing.assert_allclose(tops, np.broadcast_to(known[:, None, None], tops.shape), rtol=near)


def test_the_bound_on_rounding_is_that_of_a_product_of_the_longest():
    """eps |alpha y| (|x| + |alpha y|) / sigma^2, both measured from the middle of the data."""
    images, x = case(1)
    denoise, away = Ideal(images), (x - 0.8 * images.mean(0)).reshape(len(x), -1)
    longest = 0.8 * np.sqrt(((images - images.mean(0)) ** 2).sum((1, 2, 3)).max())
    for dtype, eps in (("float16", 9.8e-4), ("float32", 1.2e-7), ("float64", 2.3e-16)):
        bound = eps * longest * (np.sqrt((away**2).sum(1).max()) + longest) / 0.1**2
        assert denoise._error(away, 0.8, 0.1, dtype) == pytest.approx(bound)


@pytest.mark.parametrize(("block", "chunks"), [(0, 6), (1, 6), (4, 2), (100, 1)])
def test_as_many_images_are_compared_at_once_as_fill_a_block_and_at_least_one(monkeypatch, block, chunks):
    images, x = case(0)
    images, calls = np.resize(images, (6, *images.shape[1:])), []
    whole = Patch(images, 3, shifts=False, backend="numpy")(x, 0.8, 0.6)
    compared = windows.compared
    monkeypatch.setattr(windows, "BLOCK", block * x.size)
    monkeypatch.setattr(windows, "compared", lambda x, chunk, *rest: calls.append(chunk) or compared(x, chunk, *rest))
    close(Patch(images, 3, shifts=False, backend="numpy")(x, 0.8, 0.6), whole, 3e-8)
    assert len(calls) == chunks and sum(chunk.shape[-1] for chunk in calls) == 6


@pytest.mark.parametrize("shape", [(9, 9, 1), (5, 5, 3)])
def test_float32_is_computed_again_where_its_error_would_show_and_not_where_it_is_small(shape):
    """Two images that share the weight of an x between them: how far float32 is from float64, at every noise level."""
    rng = np.random.default_rng(0)
    one, other = rng.uniform(-1, 1, (2, *shape)).astype("f4")
    images, calls = np.stack([one, other]), []
    denoise = Patch(images, 17, shifts=False, backend="numpy")
    denoise._rechecked = precision.rechecked(counting(denoise._engine, calls), images, "zero")
    exact = Patch(images.astype("f8"), 17, shifts=False, backend="numpy")
    for sigma in np.geomspace(1, 1e-4, 33):
        ahead = sigma**2 / np.square(one.astype("f8") - other).sum()  # one weighs e times as much as the other
        x = ((one.astype("f8") + other) / 2 + ahead * (one - other))[None].astype("f4")
        calls.clear()
        close(denoise(x, 1.0, sigma), exact(x.astype("f8"), 1.0, sigma), 8e-6)
        if sigma > 0.4:
            assert calls == [("float32", 1)]
        if sigma < 0.1:
            assert calls == [("float32", 1), ("float64", 1)]
