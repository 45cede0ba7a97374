"""Pooling: 2x2 pixels become one. Of an odd side, the last pixel pools with what is there. Strided: see `conv`."""

from edudiff.support.arrays import array_namespace

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # of a 2x2 tile: row, column


def tiles(x, value):
    """`x` (B, H, W, C) as the four corners of its 2x2 tiles, (4, B, h, w, C), h = ceil(H / 2).

    What an odd side lacks is `value`.
    """
    xp = array_namespace(x)
    _, height, width, _ = x.shape
    if height % 2 or width % 2:
        x = xp.pad(x, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), constant_values=value)  # (B, 2h, 2w, C)
    return xp.stack([x[:, i::2, j::2] for i, j in CORNERS])  # (4, B, h, w, C)


def tiles_backward(dtiles, shape):
    """The adjoint of `tiles`: each pixel's gradient back in its place, (B, H, W, C) = `shape`."""
    xp = array_namespace(dtiles)
    _, count, h, w, channels = dtiles.shape
    dx = xp.empty((count, 2 * h, 2 * w, channels), dtiles.dtype)
    for (i, j), corner in zip(CORNERS, dtiles, strict=True):
        dx[:, i::2, j::2] = corner
    return xp.ascontiguousarray(dx[:, : shape[1], : shape[2]])  # (B, H, W, C)


def max_pool(x):
    """The largest of each 2x2 tile: (B, H, W, C) -> (B, h, w, C), and the cache."""
    four = tiles(x, -array_namespace(x).inf)  # (4, B, h, w, C)
    out = four.max(axis=0)  # (B, h, w, C)
    won = four == out  # (4, B, h, w, C)
    taken = won[0].copy()
    for other in won[1:]:  # of several that are as large, the first wins
        other &= ~taken
        taken |= other
    return out, (won, x.shape)


def max_pool_backward(dout, cache):
    """All of dout goes to the pixel that was the largest, the first of them if there are several."""
    won, shape = cache
    return tiles_backward(dout * won, shape)  # (B, H, W, C)


def average_pool(x):
    """The mean of each 2x2 tile, of the pixels that are there: (B, H, W, C) -> (B, h, w, C), and the cache."""
    there = tiles(array_namespace(x).ones_like(x[:1, :, :, :1]), 0)  # (4, 1, h, w, 1)
    share = there / there.sum(axis=0)  # (4, 1, h, w, 1)
    return (tiles(x, 0) * share).sum(axis=0), (share, x.shape)


def average_pool_backward(dout, cache):
    """Each pixel of a tile gets its share of dout."""
    share, shape = cache
    return tiles_backward(dout * share, shape)  # (B, H, W, C)
