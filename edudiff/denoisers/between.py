"""Windows between the odd numbers: a trained network's window grows smoothly with the noise, a square's side by two."""

import math


class Between:
    """A denoiser whose window has any side >= 1: the answers of the next smaller and larger odd side, mixed.

    6.2 pixels are 0.4 of the answer for 5 and 0.6 of that for 7. `patch`: a denoiser with a `sweep` method: `Patch`,
    `ByLabel`, or `edudiff.cluster.Sharded`. `scales`: a function from (alpha, sigma) to the side, such as a `Scales`
    table. The mean of two best guesses is no best guess of its own; it predicts networks better than either.
    """

    def __init__(self, patch, scales):
        self.patch, self.scales = patch, scales

    def __call__(self, x, alpha, sigma):
        """`x`: (B, H, W, C). Returns x0_hat, same shape, dtype and device."""
        narrow, share = split(self.scales(alpha, sigma))
        answers = self.patch.sweep(x, alpha, sigma, [narrow, narrow + 2] if share else [narrow])
        return mix(answers, narrow, share)  # (B, H, W, C)


def split(size):
    """The largest odd side up to `size`, and the share of the next one in the mix: 6.2 -> (5, 0.6).

    Raises ValueError for a side that is not a finite number >= 1.
    """
    if not (1 <= size < math.inf):
        raise ValueError(f"window size is {size!r}, expected a finite number >= 1")
    narrow = 2 * math.floor((size - 1) / 2) + 1
    return narrow, (size - narrow) / 2


def mix(answers, narrow, share):
    """`share` of the answer for `narrow` + 2 and the rest of that for `narrow`, of `answers` {size: (B, H, W, C)}."""
    if share == 0:
        return answers[narrow]
    return (1 - share) * answers[narrow] + share * answers[narrow + 2]  # (B, H, W, C)
