"""Right solutions of assignment 6 that look unlike the master's."""


def box_sums__integral(a, window):
    r, (h, w) = window // 2, a.shape[-2:]
    total = np.zeros((*a.shape[:-2], h + 1, w + 1), a.dtype)
    total[..., 1:, 1:] = a.cumsum(axis=-1).cumsum(axis=-2)
    top, bottom = np.clip(np.arange(h) - r, 0, h), np.clip(np.arange(h) + r + 1, 0, h)
    left, right = np.clip(np.arange(w) - r, 0, w), np.clip(np.arange(w) + r + 1, 0, w)
    rows = total[..., bottom, :] - total[..., top, :]
    return rows[..., right] - rows[..., left]


def box_sums__bands(a, window):
    near = lambda n: (abs(np.subtract.outer(range(n), range(n))) <= window // 2).astype(a.dtype)
    return near(a.shape[-2]) @ a @ near(a.shape[-1])


def box_sums__views(a, window):
    r = window // 2
    padded = np.pad(a, [(0, 0)] * (a.ndim - 2) + [(r, r)] * 2)
    return np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(-2, -1)).sum(axis=(-1, -2))


def box_sums__pixel_by_pixel(a, window):
    r, out = window // 2, np.empty(a.shape, a.dtype)
    for i in range(a.shape[-2]):
        for j in range(a.shape[-1]):
            out[..., i, j] = a[..., max(i - r, 0) : i + r + 1, max(j - r, 0) : j + r + 1].sum((-2, -1))
    return out


def box_sums__fourier(a, window):
    h, w, r = a.shape[-2] + window, a.shape[-1] + window, window // 2
    box = np.zeros((h, w))
    box[:window, :window] = 1
    full = np.fft.ifft2(np.fft.fft2(a, (h, w)) * np.fft.fft2(box)).real
    return full[..., r : r + a.shape[-2], r : r + a.shape[-1]].astype(a.dtype)


def local__log_sum_exp(x, images, alpha, sigma, window):
    logits = -0.5 * box_sums((((x[:, None] - alpha * images) / sigma) ** 2).sum(-1), window)
    weights = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    return (weights[..., None] * images).sum(axis=1)


def local__pixel_by_pixel(x, images, alpha, sigma, window):
    r, out = window // 2, np.zeros_like(x)
    for i, j in np.ndindex(x.shape[1:3]):
        cut = (slice(None), slice(max(0, i - r), i + r + 1), slice(max(0, j - r), j + r + 1))
        for b, own in enumerate(x[cut]):
            logits = -((own - alpha * images[cut]) ** 2).sum((1, 2, 3)) / (2 * sigma**2)
            w = np.exp(logits - max(logits))
            out[b, i, j] = w @ images[:, i, j] / w.sum()
    return out


def local__one_training_picture_at_a_time(x, images, alpha, sigma, window):
    top = np.full(x.shape[:3], -np.inf, x.dtype)
    num, den = np.zeros_like(x), np.zeros_like(top)
    for image in images:
        logit = box_sums(np.square(x - alpha * image).sum(axis=3), window) / -(2 * sigma**2)
        new = np.maximum(top, logit)
        old, now = np.exp(top - new), np.exp(logit - new)
        num, den, top = num * old[..., None] + now[..., None] * image, den * old + now, new
    return num / den[..., None]


def local__channels_last_and_wide(x, images, alpha, sigma, window):
    wide, pictures = x.astype("float64"), images.astype("float64")
    squares = sum((wide[:, None, ..., c] - alpha * pictures[..., c]) ** 2 for c in range(x.shape[-1]))
    logits = np.moveaxis(-box_sums(squares, window) / (2 * sigma**2 + 1e-12), 1, -1)
    weights = np.exp(logits - logits.max(-1)[..., None])
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bhwn,nhwc->bhwc", weights, pictures).astype(x.dtype)
