"""The closed-form denoisers as the paper writes them: float64 loops over pixels and candidate windows. Read it first.

Windows are cut out one by one, candidate sets are listed, no sum is reused: slow, and meant for a debugger and for the
tests. `Ideal` and `Patch` are the same formulas in arrays, made fast; tests hold the two together.
"""

import numpy as np


def softmax_mean(logits, values):
    """sum_n values_n exp(logits_n) / sum_n exp(logits_n): N numbers and (N, C) values to (C,)."""
    logits = np.array(logits, dtype=np.float64)
    weights = np.exp(logits - logits.max())
    return (weights / weights.sum()) @ np.array(values, dtype=np.float64)


def ideal(x, images, alpha, sigma):
    """E[x0 | x] for the uniform law on `images` (Kamb & Ganguli 2024, eq. 3): (B, ...), (N, ...) to (B, ...)."""
    x, images = np.asarray(x, np.float64), np.asarray(images, np.float64)
    answer = np.empty_like(x)
    for b in range(len(x)):
        logits = [-((x[b] - alpha * image) ** 2).sum() / (2 * sigma**2) for image in images]
        answer[b] = softmax_mean(logits, [image.ravel() for image in images]).reshape(x[b].shape)
    return answer


def patch(x, images, alpha, sigma, size, shifts, padding):
    """The local and equivariant scores (Kamb & Ganguli 2024, eq. 7-10 and 41), for each pixel the softmax over windows.

    `x`: (B, H, W, C). `images`: (N, H, W, C). `size`, `shifts`, `padding`: as for `Patch`. Returns (B, H, W, C).
    """
    x, images = np.asarray(x, np.float64), np.asarray(images, np.float64)
    _, rows, columns, _ = images.shape
    radius = size // 2
    patches = {(p, q): [window(image, p, q, radius, padding) for image in images] for p, q in np.ndindex(rows, columns)}
    answer = np.empty_like(x)
    for i in range(rows):
        for j in range(columns):
            places = candidates(i, j, rows, columns, radius, shifts, padding)
            others = np.array([other for place in places for other in patches[place]])  # (n, size, size, C)
            centers = [image[place] for place in places for image in images]
            for b in range(len(x)):
                own = window(x[b], i, j, radius, padding)
                logits = -((own - alpha * others) ** 2).sum((1, 2, 3)) / (2 * sigma**2)  # (n,)
                answer[b, i, j] = softmax_mean(logits, centers)
    return answer


def candidates(i, j, rows, columns, radius, shifts, padding):
    """Places of the training windows with which the window around (i, j) is compared."""
    if not shifts:
        return [(i, j)]
    everywhere = [(p, q) for p in range(rows) for q in range(columns)]
    if padding == "circular":
        return everywhere
    mine = visible_border(i, j, rows, columns, radius)
    return [place for place in everywhere if visible_border(*place, rows, columns, radius) == mine]


def visible_border(i, j, rows, columns, radius):
    """How many rows and columns of the window stick out at the top, bottom, left and right (appendix B.2)."""
    return max(0, radius - i), max(0, i + radius - rows + 1), max(0, radius - j), max(0, j + radius - columns + 1)


def window(image, i, j, radius, padding):
    """The window around (i, j), cut out of the picture: what sticks out is zero, or comes from the other side."""
    rows, columns, channels = image.shape
    cut = np.zeros((2 * radius + 1, 2 * radius + 1, channels))
    for a in range(-radius, radius + 1):
        for b in range(-radius, radius + 1):
            p, q = i + a, j + b
            if padding == "circular":
                cut[a + radius, b + radius] = image[p % rows, q % columns]
            elif 0 <= p < rows and 0 <= q < columns:
                cut[a + radius, b + radius] = image[p, q]
    return cut
