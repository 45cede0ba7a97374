"""Right solutions of assignment 11 that look unlike the master's."""


def guide__two_factors(of_class, of_all, weight):
    return weight * of_class + (1 - weight) * of_all


def guide__from_class(of_class, of_all, weight):
    return of_class + (weight - 1) * (of_class - of_all)


def guide__item_by_item(of_class, of_all, weight):
    return np.stack([b + weight * (a - b) for a, b in zip(of_class, of_all)])


def guided_step__in_y(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    (a, s), (b, r) = now, then
    used = weight if low <= s / a <= high else 1.0
    hat = class_denoiser(x, a, s)
    if used != 1:
        hat = used * hat + (1 - used) * all_denoiser(x, a, s)
    return b * (x / a + (r / b - s / a) * (x - a * hat) / s)


def guided_step__two_steps(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    def step(x0_hat):
        return then[0] * x0_hat + then[1] * ((x - now[0] * x0_hat) / now[1])

    one, other = step(class_denoiser(x, *now)), step(all_denoiser(x, *now))
    inside = low <= now[1] / now[0] <= high
    return guide(one, other, weight) if inside else one


def guided_step__wide_inside(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    ratio = now[1] / now[0]
    one = class_denoiser(x, now[0], now[1]).astype(float)
    without = all_denoiser(x, now[0], now[1]).astype(float)
    hat = one + (weight - 1) * (one - without) * (low <= ratio <= high)
    share = then[1] / now[1]
    return (share * x + (then[0] - now[0] * share) * hat).astype(x.dtype)


def guided_variance__logs(of_class, of_all, weight, first):
    gone = weight * np.log1p(first**2 / of_class) + (1 - weight) * np.log1p(first**2 / of_all)
    return first**2 * np.exp(-gone)


def guided_variance__ratios(of_class, of_all, weight, first):
    shrink = (of_class / (of_class + first**2)) ** weight * (of_all / (of_all + first**2)) ** (1 - weight)
    return shrink * first**2


def guided_variance__deviations(of_class, of_all, weight, first):
    def stretch(s):
        return (of_class + s**2) ** (weight / 2) * (of_all + s**2) ** ((1 - weight) / 2)

    return (first * stretch(0.0) / stretch(first)) ** 2
