"""More pictures from the same: random shifts and mirror images."""

import numpy as np

from edudiff.support.arrays import array_namespace, move


def augment(x0, rng, shift=0, flip=False, circular=False):
    """`x0` (B, H, W, C), each picture shifted by up to `shift` pixels along both sides, and mirrored half of the time.

    What comes in at the border is the border pixel again, or with `circular` the other side of the picture. Mirrored
    left to right. `rng`: a host generator. Returns a new array of the same shape.
    """
    xp = array_namespace(x0)
    count, height, width, _ = x0.shape
    down, right = rng.integers(-shift, shift + 1, size=(2, count, 1))  # (B, 1) each
    rows = np.arange(height) - down  # (B, H)
    cols = np.arange(width) - right  # (B, W)
    if flip:
        mirrored = rng.random((count, 1)) < 0.5  # (B, 1)
        cols = np.where(mirrored, cols[:, ::-1], cols)  # (B, W)
    rows = rows % height if circular else np.clip(rows, 0, height - 1)
    cols = cols % width if circular else np.clip(cols, 0, width - 1)
    rows, cols = move(rows[:, :, None], x0), move(cols[:, None, :], x0)  # (B, H, 1), (B, 1, W)
    return x0[xp.arange(count)[:, None, None], rows, cols]  # (B, H, W, C)
