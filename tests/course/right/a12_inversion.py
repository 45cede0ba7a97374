"""Right solutions of assignment 12 that look unlike the master's."""


def invert__in_y(denoise, x0, levels):
    y = x0.copy()
    for (a, s), (b, r) in zip(levels, levels[1:]):
        slope = (y - denoise(a * y, a, s)) / (s / a)
        y = y + (r / b - s / a) * slope
    return levels[-1][0] * y


def invert__recursion(denoise, x0, levels):
    if len(levels) == 1:
        return levels[0][0] * x0
    x, (a, s), (b, r) = invert__recursion(denoise, x0, levels[:-1]), levels[-2], levels[-1]
    hat = denoise(x, a, s)
    return r / s * x + (b - a * r / s) * hat


def invert__keywords(denoise, x0, levels):
    now, x = levels[0], levels[0][0] * x0
    for then in levels[1:]:
        hat = denoise(x, alpha=now[0], sigma=now[1])
        noise = (x - now[0] * hat) / now[1]
        x, now = then[0] * hat + then[1] * noise, then
    return x


def slerp__unit_vectors(a, b, share):
    u, v = (c / np.linalg.norm(c, axis=1, keepdims=True) for c in (a, b))
    angle = np.arccos(np.einsum("bd,bd->b", u, v))[:, None]
    return np.sin((1 - share) * angle) / np.sin(angle) * a + np.sin(share * angle) / np.sin(angle) * b


def slerp__item_by_item(a, b, share):
    out = []
    for p, q in zip(a.astype(float), b.astype(float)):
        angle = math.acos(p @ q / math.sqrt((p @ p) * (q @ q)))
        out.append((math.sin((1 - share) * angle) * p + math.sin(share * angle) * q) / math.sin(angle))
    return np.array(out).astype(a.dtype)


def slerp__addition_theorem(a, b, share):
    cosine = (a * b).sum(1, keepdims=True) / np.sqrt((a * a).sum(1, keepdims=True) * (b * b).sum(1, keepdims=True))
    angle = np.arccos(cosine)
    at_b = np.sin(share * angle) / np.sin(angle)
    return (np.cos(share * angle) - at_b * cosine) * a + at_b * b


def divergence__one_call(denoise, x, alpha, sigma, signs, step):
    both = denoise(np.concatenate([x + step * signs, x - step * signs]), alpha, sigma)
    ahead, behind = np.split(both, 2)
    return np.einsum("bd,bd->b", signs, (ahead - behind) / (2 * step))


def divergence__mean_of_slopes(denoise, x, alpha, sigma, signs, step):
    here = denoise(x, alpha, sigma)
    ahead = (denoise(x + step * signs, alpha, sigma) - here) / step
    behind = (here - denoise(x - step * signs, alpha, sigma)) / step
    return ((ahead + behind) * signs).sum(1) / 2


def divergence__item_by_item(denoise, x, alpha, sigma, signs, step):
    out = []
    for one, e in zip(x, signs):
        change = denoise((one + step * e)[None], alpha, sigma) - denoise((one - step * e)[None], alpha, sigma)
        out.append(e @ change[0] / (2 * step))
    return np.array(out, x.dtype)
