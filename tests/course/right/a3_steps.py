"""Right solutions of assignment 3 that look unlike the master's."""


def ddim__two_terms(x, x0_hat, now, then):
    share = then[1] / now[1]
    return share * x + (then[0] - now[0] * share) * x0_hat


def ddim__in_y(x, x0_hat, now, then):
    (a, s), (b, r) = now, then
    return b * (x / a + (r / b - s / a) * (x - a * x0_hat) / s)


def ddim__picture_by_picture(x, x0_hat, now, then):
    out = []
    for one, hat in zip(x, x0_hat):
        noise = (one - now[0] * hat) / now[1]
        out.append(then[0] * hat + then[1] * noise)
    return np.array(out)


def ddim__unpacked_and_wide(x, x0_hat, now, then):
    (a, s), (b, r) = np.array([now, then])
    return (b * x0_hat + r * ((x - a * x0_hat) / s)).astype(x.dtype)


def sample__recursion(denoise, x, levels):
    if len(levels) < 2:
        return x
    return sample__recursion(denoise, ddim(x, denoise(x, *levels[0]), levels[0], levels[1]), levels[1:])


def sample__keywords(denoise, x, levels):
    now = levels[0]
    for then in levels[1:]:
        x0_hat = denoise(x, alpha=now[0], sigma=now[1])
        x = then[0] * x0_hat + then[1] * ((x - now[0] * x0_hat) / now[1])
        now = then
    return x


def sample__copy_changed_in_place(denoise, x, levels):
    x = x.copy()
    for now, then in zip(levels[:-1], levels[1:]):
        x[...] = ddim(x, denoise(x, *now), now, then)
    return x


def sample__wide_inside(denoise, x, levels):
    steps, kind = iter(levels), x.dtype
    now, x = next(steps), x.astype("float64")
    for then in steps:
        x, now = ddim(x, denoise(x, now[0], now[1]), now, then), then
    return x.astype(kind)


def sample__while_with_an_array_of_levels(denoise, x, levels):
    levels, i, kind = np.array(levels, dtype=float), 0, x.dtype
    while i + 1 < len(levels):
        (a, s), (b, r) = levels[i : i + 2].tolist()
        x0_hat = denoise(x, a, s)
        x, i = b * x0_hat + r / s * (x - a * x0_hat), i + 1
    return x.astype(kind)


def heun__in_y(denoise, x, now, then):
    (a, s), (b, r) = now, then
    slope = lambda y, a, s: (y - denoise(a * y, a, s)) * (a / s)
    y = x / a
    first = slope(y, a, s)
    end = y + (r / b - s / a) * first
    if r > 0:
        end = y + (r / b - s / a) * 0.5 * (first + slope(end, b, r))
    return b * end


def heun__mean_of_two_steps(denoise, x, now, then):
    x0_hat = denoise(x, *now)
    ahead = ddim(x, x0_hat, now, then)
    if not then[1]:
        return ahead
    noise = (ahead - then[0] * denoise(ahead, *then)) / then[1]
    other = then[0] / now[0] * x + (then[1] - then[0] * now[1] / now[0]) * noise
    return (ahead + other) / 2


def heun__answer_of_the_last_step(denoise, x, now, then):
    alpha, sigma = now
    hat = denoise(x, alpha, sigma)
    if then[1] <= 0:
        return then[0] * hat
    slopes = [(x - alpha * hat) / sigma]
    ahead = then[0] * hat + then[1] * slopes[0]
    slopes.append((ahead - then[0] * denoise(ahead, then[0], then[1])) / then[1])
    step = then[1] / then[0] - sigma / alpha
    return then[0] / alpha * x + then[0] * step * sum(slopes) / len(slopes)


def heun__wide_inside(denoise, x, now, then):
    kind, x = x.dtype, x.astype("float64")
    hat = denoise(x, *now)
    ahead = ddim(x, hat, now, then)
    if then[1] == 0:
        return ahead.astype(kind)
    mean = np.mean([(x - now[0] * hat) / now[1], (ahead - then[0] * denoise(ahead, *then)) / then[1]], axis=0)
    return (then[0] * (x / now[0] + (then[1] / then[0] - now[1] / now[0]) * mean)).astype(kind)
