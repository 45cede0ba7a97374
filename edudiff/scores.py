"""Every score with a closed form: what a denoiser of one kind answers when its training loss is as small as it can be.

Each function takes a training set and returns `denoise(x, alpha, sigma) -> x0_hat`, for x = alpha * x0 + sigma * noise.
The score is (alpha * x0_hat - x) / sigma**2. All but `linear` are one formula, `posterior_mean`, in float64, and differ
in what they compare (Kamb & Ganguli 2024, "An analytic theory of creativity in convolutional diffusion models"):

    ideal         x              with every training image
    equivariant   x              with every training image, shifted everywhere
    local         windows of x   with the training windows at the same place
    els           windows of x   with the training windows at all places: equivariant and local
"""

from collections.abc import Callable
from itertools import product

from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array, Denoiser


@rounding.to_zero
def posterior_mean(x: Array, centers: Array, values: Array, sigma: float) -> Array:
    """E[value | x] if x is one of M centers, each as likely, plus sigma * noise: (B, D), (M, D), (M, C) to (B, C)."""
    xp = array_namespace(x)
    squares = xp.stack([((item - centers) ** 2).sum(1) for item in x])  # (B, M); B * M * D at once are too many
    likelihoods = xp.exp((squares.min(1, keepdims=True) - squares) / (2 * sigma**2))  # (B, M), 1 for the nearest
    return likelihoods @ values / likelihoods.sum(1, keepdims=True)  # (B, C)


def ideal(images: Array) -> Denoiser:
    """The ideal score: E[x0 | x] if x0 is one of the training images, each as likely. It can only copy them.

    `images`: (N, H, W, C) or (N, D). TypeError for integers, ValueError for wrong shapes. Kamb & Ganguli 2024, eq. 3.
    """
    checks.training_set(images)
    flat = images.reshape(len(images), -1).astype("float64")  # (N, D)

    def denoise(x, alpha, sigma):
        _, (alpha, sigma) = checks.batch(x, images), checks.levels(alpha, sigma)
        x0_hat = posterior_mean(x.reshape(len(x), -1), alpha * flat, flat, sigma)  # (B, D)
        return x0_hat.reshape(x.shape).astype(x.dtype)  # (B, ...)

    return denoise


def linear(images: Array) -> Denoiser:
    """The Wiener filter: E[x0 | x] if x0 were Gaussian, with mean and covariance S (divided by N) of the training set.

    x0_hat = mean + alpha S (alpha^2 S + sigma^2)^-1 (x - alpha mean); else as `ideal`. Wang & Vastola 2024, eq. 6.
    """
    xp = checks.training_set(images)
    flat = images.reshape(len(images), -1).astype("float64")  # (N, D)
    mean = flat.mean(0)  # (D,)
    _, widths, axes = xp.linalg.svd((flat - mean) / len(flat) ** 0.5, full_matrices=False)  # (K,), (K, D)

    def denoise(x, alpha, sigma):
        _, (alpha, sigma) = checks.batch(x, images), checks.levels(alpha, sigma)
        gain = alpha * widths**2 / (alpha**2 * widths**2 + sigma**2)  # (K,), S has the variances widths**2
        along = (x.reshape(len(x), -1) - alpha * mean) @ axes.T  # (B, K)
        return (mean + (gain * along) @ axes).reshape(x.shape).astype(x.dtype)  # (B, ...)

    return denoise


def equivariant(images: Array) -> Denoiser:
    """The equivariant score: the ideal score of the training set shifted by all rows and columns, on a torus.

    `images`: (N, H, W, C), of which it holds H * W copies. Errors as for `ideal`. Kamb & Ganguli 2024, eq. 5-6.
    """
    xp, (rows, columns) = array_namespace(images), _height_width(images)
    shifted = [xp.roll(images, shift, axis=(1, 2)) for shift in product(range(rows), range(columns))]
    return ideal(xp.concatenate(shifted))  # (H * W * N, H, W, C)


def local(images: Array, window: int | Callable[..., int], padding: str = "zero") -> Denoiser:
    """The local score (LS): E[pixel of x0 | the window around it], from the training windows at the same place.

    `images`: (N, H, W, C). `window`: its odd side, or a function (alpha, sigma) to it. `padding`: "zero" or "circular".
    Errors as for `ideal`; ValueError for an even window or a circular one larger than x. Kamb & Ganguli 2024, eq. 7-8.
    """
    return _by_windows(images, window, padding, everywhere=False)


def els(images: Array, window: int | Callable[..., int], padding: str = "zero") -> Denoiser:
    """The equivariant local score (ELS): as `local`, from the training windows at all places that see the border alike.

    Arguments and errors as for `local`. Kamb & Ganguli 2024, eq. 9-10; the border: appendix B.2, eq. 41.
    """
    return _by_windows(images, window, padding, everywhere=True)


def _by_windows(images, window, padding, everywhere):
    rows, columns = _height_width(images)
    checks.one_of(padding, ("zero", "circular"), "padding")
    fixed = None if callable(window) else checks.window(window, (rows, columns), padding)
    pixels = images.astype("float64")  # (N, H, W, C)

    def denoise(x, alpha, sigma):
        xp, (alpha, sigma) = checks.batch(x, images), checks.levels(alpha, sigma)
        side = fixed or checks.window(window(alpha, sigma), (rows, columns), padding)
        reach = side // 2 if padding == "zero" else 0  # of windows beyond the border; a torus has none
        noisy, clean = windows(x, side, padding), windows(alpha * pixels, side, padding)  # (B, H, W, K), (N, H, W, K)
        x0_hat = xp.empty(x.shape, x.dtype)  # (B, H, W, C)
        for i, j in product(range(rows), range(columns)):
            down, right = (alike(i, rows, reach), alike(j, columns, reach)) if everywhere else (i, j)
            centers = clean[:, down, right].reshape(-1, clean.shape[-1])  # (M, K)
            values = pixels[:, down, right].reshape(-1, pixels.shape[-1])  # (M, C)
            x0_hat[:, i, j] = posterior_mean(noisy[:, i, j], centers, values, sigma)  # (B, C)
        return x0_hat

    return denoise


def alike(i: int, length: int, radius: int) -> slice:
    """Places along one axis whose window sticks out as that of i does: all places inside, or i alone."""
    return slice(radius, length - radius) if radius <= i < length - radius else slice(i, i + 1)


def windows(images: Array, side: int, padding: str) -> Array:
    """The window around each pixel, as a row: (B, H, W, C) to (B, H, W, K), K = C * side**2."""
    xp, r, mode = array_namespace(images), side // 2, "constant" if padding == "zero" else "wrap"
    padded = xp.pad(images, ((0, 0), (r, r), (r, r), (0, 0)), mode)  # (B, H + 2r, W + 2r, C)
    cut = xp.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))  # (B, H, W, C, side, side)
    return cut.reshape(*images.shape[:3], -1)  # (B, H, W, K)


def _height_width(images):
    if checks.training_set(images) and images.ndim != 4:
        raise ValueError(f"images have shape {images.shape}, expected (N, H, W, C): points have no pixels to shift")
    return images.shape[1:3]
