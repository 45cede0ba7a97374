"""From coarse pixels to fine ones: twice as many rows and columns, or one less where the fine side was odd."""

from edudiff.nn.layers.pooling import tiles
from edudiff.support.arrays import array_namespace


def nearest(x, shape):
    """Every pixel four times: (B, h, w, C) -> (B, H, W, C) with (H, W) = `shape`, h = ceil(H / 2); and the cache."""
    _check(x, shape)
    rows = x.repeat(2, axis=1)[:, : shape[0]]  # (B, H, w, C)
    return rows.repeat(2, axis=2)[:, :, : shape[1]], None  # (B, H, W, C)


def nearest_backward(dout, cache):
    """The gradient in x (B, h, w, C): each coarse pixel gets the sum over its fine ones."""
    return tiles(dout, 0).sum(axis=0)


def bilinear(x, shape, padding="zero"):
    """Straight lines between the centers of the coarse pixels, level beyond the outermost: shapes as `nearest`.

    With `padding` "circular" the lines go on from one border to the other.
    """
    _check(x, shape)
    xp = array_namespace(x)
    rows, cols = (
        _bilinear_weights(xp, side, padding == "circular").astype(x.dtype) for side in shape
    )  # (H, h), (W, w)
    return _along(_along(x, rows, 1), cols, 2), (rows, cols)  # (B, H, W, C)


def bilinear_backward(dout, cache):
    """The gradient in x (B, h, w, C): each coarse pixel gets dout in the shares in which it gave."""
    rows, cols = cache
    return _along(_along(dout, rows.T, 1), cols.T, 2)


def _check(x, shape):
    if x.shape[1:3] != tuple(-(-side // 2) for side in shape):
        raise ValueError(f"x has shape {x.shape}, which does not double to {tuple(shape)} pixels")


def _along(x, weights, axis):
    """`weights` (M, N) times `x` along one axis of length N, which becomes M."""
    xp = array_namespace(x)
    return xp.ascontiguousarray(xp.moveaxis(xp.tensordot(weights, x, axes=(1, axis)), 0, axis))


def _bilinear_weights(xp, side, circular):
    half = -(-side // 2)
    place = ((xp.arange(side) + 0.5) / 2 - 0.5)[:, None]  # (H, 1), in coarse pixels
    if not circular:
        place = xp.clip(place, 0, half - 1)  # (H, 1)
    copies = (-half, 0, half) if circular else (0,)  # of a coarse pixel, beside the picture
    return sum(xp.maximum(1 - xp.abs(place + copy - xp.arange(half)), 0) for copy in copies)  # (H, h), a hat on each
