"""Windows denoised on their own and averaged where they overlap: each knows its place, none knows the whole."""

from edudiff.denoisers.law import FixedPoints
from edudiff.support import checks
from edudiff.support.softmax import Softmax

BLOCK = 1 << 22  # values in one array of squared differences


class Composite:
    """(sum_C C^T C)^-1 sum_C C^T E[x0_C | x_C], C cutting out a window (Niedoba et al. 2024, eq. 12, square patches).

    Every window of size x size that lies in the picture is denoised by the ideal denoiser of the training windows at
    the same place, and each pixel of x0_hat is the mean over all windows that hold it. `images`: (N, H, W, C). `size`:
    1 is the pixelwise denoiser, a size that covers the picture is `Ideal`; along a side that is shorter, the window is.
    Raises TypeError or ValueError for anything else.
    """

    def __init__(self, images, size):
        xp = checks.training_set(images)
        if images.ndim != 4:
            raise ValueError(f"images have shape {images.shape}, expected (N, H, W, C); for points (N, D) use Ideal")
        if isinstance(size, bool) or not hasattr(size, "__index__"):
            raise TypeError(f"window size is {size!r}, expected an integer such as 7")
        if not 1 <= size <= max(images.shape[1:3]):
            longer = max(images.shape[1:3])
            raise ValueError(f"window size is {size}, expected 1 to {longer}, the pictures' longer side")
        self.images, self.size = images, int(size)
        self._flat = images.astype("float64")  # (N, H, W, C)
        self._down, self._right = (_bands(xp, length, min(size, length)) for length in images.shape[1:3])

    def __call__(self, x, alpha, sigma):
        """`x`: (B, H, W, C). Returns x0_hat, same shape, dtype and device."""
        xp = checks.batch(x, self.images)
        alpha, sigma = checks.levels(alpha, sigma)
        total = Softmax(xp, (len(x), len(self._down) * len(self._right)), 0, len(self.images))
        for _, logits in self._logits(x, alpha, sigma):  # first the sums of the weights of each window, (B, P)
            total.add(logits, xp.zeros((logits.shape[-1], 0)))
        answer = xp.zeros(x.shape)  # (B, H, W, C), float64
        for some, logits in self._logits(x, alpha, sigma):  # then the weights, spread over their windows
            weights = xp.exp(logits - total.top[..., None]) / total.den[..., None]  # (B, P, n)
            weights = weights.swapaxes(1, 2).reshape(len(x), -1, len(self._down), len(self._right))  # (B, n, p, q)
            spread = self._down.T @ weights @ self._right  # (B, n, H, W)
            answer += xp.einsum("bnhw,nhwc->bhwc", spread, some)
        count = self._down.sum(0)[:, None] * self._right.sum(0)  # (H, W) windows that hold a pixel
        return (answer / count[..., None]).astype(x.dtype)  # (B, H, W, C)

    def _logits(self, x, alpha, sigma):
        """Chunks of the training set, (n, H, W, C), and the logits of their windows, (B, P, n)."""
        wide = x.astype("float64")[:, None]  # (B, 1, H, W, C)
        chunk = max(1, BLOCK // x.size)
        for first in range(0, len(self._flat), chunk):
            some = self._flat[first : first + chunk]  # (n, H, W, C)
            squares = ((wide - alpha * some) ** 2).sum(-1)  # (B, n, H, W)
            sums = self._down @ squares @ self._right.T  # (B, n, p, q)
            yield some, (sums * (-1 / (2 * sigma**2))).reshape(len(x), len(some), -1).swapaxes(1, 2)

    def generated(self):
        """What is known of the samples: they are `FixedPoints`, each pixel a mean over as many training pictures as
        there are windows that hold it.
        """
        return FixedPoints(self)


def _bands(xp, length, size):
    """Ones where window i holds pixel j of a side: (length - size + 1, length)."""
    i, j = xp.arange(length - size + 1)[:, None], xp.arange(length)
    return ((j >= i) & (j < i + size)).astype("float64")
