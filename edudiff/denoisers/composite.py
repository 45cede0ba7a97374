"""Windows denoised on their own and averaged where they overlap: each knows its place, none knows the whole."""

from collections.abc import Callable

from edudiff.denoisers.law import FixedPoints
from edudiff.support import checks, rounding
from edudiff.support.describe import described
from edudiff.support.softmax import Softmax
from edudiff.support.types import Array

BLOCK = 1 << 22  # values in one array of squared differences


class Composite:
    """(sum_C C^T C)^-1 sum_C C^T E[x0_C | x_C], C cutting out a window (Niedoba et al. 2024, eq. 12, square patches).

    Every window of `window` x `window` that lies in the image is denoised by the ideal denoiser of the training
    windows at the same place, and each pixel of x0_hat is the mean over all windows that hold it. `images`: (N, H, W,
    C). `window`: 1 is the pixelwise denoiser, one that covers the image is `Ideal`; along a side that is shorter, the
    window is. Or a function (alpha, sigma) to it, such as a `WindowSchedule`. Raises TypeError or ValueError for
    anything else.
    """

    def __init__(self, images: Array, window: int | Callable[[float, float], int]) -> None:
        checks.training_set(images)
        if images.ndim != 4:
            raise ValueError(f"images have shape {images.shape}, expected (N, H, W, C); for points (N, D) use Ideal")
        self.images = images
        self.window = window if callable(window) else self._side(window)
        self._flat = images.astype("float64")  # (N, H, W, C)

    def __repr__(self) -> str:
        return described(self, images=self.images, window=self.window)

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, H, W, C). Returns x0_hat, same shape, dtype and device."""
        xp = checks.batch(x, self.images)
        alpha, sigma = checks.levels(alpha, sigma)
        window = self._side(self.window(alpha, sigma)) if callable(self.window) else self.window
        down, right = (_bands(xp, length, min(window, length)) for length in x.shape[1:3])  # (p, H), (q, W)
        total = Softmax(xp, (len(x), len(down) * len(right)), 0, len(self.images))
        for _, logits in self._logits(
            x, alpha, sigma, down, right
        ):  # first the sums of the weights of each window, (B, P)
            total.add(logits, xp.zeros((logits.shape[-1], 0)))
        answer = xp.zeros(x.shape)  # (B, H, W, C), float64
        for some, logits in self._logits(x, alpha, sigma, down, right):  # then the weights, spread over their windows
            weights = xp.exp(logits - total.top[..., None]) / total.den[..., None]  # (B, P, n)
            weights = weights.swapaxes(1, 2).reshape(len(x), -1, len(down), len(right))  # (B, n, p, q)
            spread = down.T @ weights @ right  # (B, n, H, W)
            answer += xp.einsum("bnhw,nhwc->bhwc", spread, some)
        count = down.sum(0)[:, None] * right.sum(0)  # (H, W) windows that hold a pixel
        return (answer / count[..., None]).astype(x.dtype)  # (B, H, W, C)

    def _side(self, window):
        return checks.integer(window, "window", most=max(self.images.shape[1:3]))

    def _logits(self, x, alpha, sigma, down, right):
        """Chunks of the training set, (n, H, W, C), and the logits of their windows, (B, P, n)."""
        wide = x.astype("float64")[:, None]  # (B, 1, H, W, C)
        chunk = max(1, BLOCK // x.size)
        for first in range(0, len(self._flat), chunk):
            some = self._flat[first : first + chunk]  # (n, H, W, C)
            squares = ((wide - alpha * some) ** 2).sum(-1)  # (B, n, H, W)
            sums = down @ squares @ right.T  # (B, n, p, q)
            yield some, (sums * (-1 / (2 * sigma**2))).reshape(len(x), len(some), -1).swapaxes(1, 2)

    def generated(self) -> FixedPoints:
        """What is known of the samples: they are `FixedPoints`, each pixel a mean over as many training images as
        there are windows that hold it.
        """
        return FixedPoints(self)


def _bands(xp, length, size):
    """Ones where window i holds pixel j of a side: (length - size + 1, length)."""
    i, j = xp.arange(length - size + 1)[:, None], xp.arange(length)
    return ((j >= i) & (j < i + size)).astype("float64")
