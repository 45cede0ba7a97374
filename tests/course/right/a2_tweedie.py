"""Right solutions of assignment 2 that look unlike the master's."""


def noise_from_x0__two_terms(x, x0_hat, alpha, sigma):
    return x / sigma - alpha / sigma * x0_hat


def noise_from_x0__in_place_on_a_copy(x, x0_hat, alpha, sigma):
    out = np.array(x)
    out -= alpha * x0_hat
    out /= sigma
    return out


def noise_from_x0__from_the_score(x, x0_hat, alpha, sigma):
    return -sigma * score_from_x0(x, x0_hat, alpha, sigma)


def noise_from_x0__guarded(x, x0_hat, alpha, sigma):
    return (x - alpha * x0_hat) / (sigma + 1e-12)


def score_from_x0__of_the_noise(x, x0_hat, alpha, sigma):
    return -noise_from_x0(x, x0_hat, alpha, sigma) / sigma


def score_from_x0__wide_inside(x, x0_hat, alpha, sigma):
    return ((alpha * x0_hat.astype(float) - x) * sigma**-2).astype(x.dtype)


def score_from_x0__picture_by_picture(x, x0_hat, alpha, sigma):
    return np.stack([-(a - alpha * b) / (sigma * sigma) for a, b in zip(x, x0_hat)])


def x0_from_score__two_terms(x, score, alpha, sigma):
    return x / alpha + sigma * sigma / alpha * score


def x0_from_score__by_way_of_the_noise(x, score, alpha, sigma):
    noise = -sigma * score
    return (x - sigma * noise) / alpha


def x0_from_score__ufuncs(x, score, alpha, sigma):
    out = np.multiply(score, sigma**2)
    np.add(out, x, out=out)
    return np.true_divide(out, alpha, out=out)


def x0_from_velocity__complex(x, velocity, alpha, sigma):
    return ((x + 1j * velocity) / (alpha - 1j * sigma)).real


def x0_from_velocity__two_equations(x, velocity, alpha, sigma):
    mixed = np.stack([x.ravel(), velocity.ravel()])
    return np.linalg.solve(np.array([[alpha, sigma], [-sigma, alpha]]), mixed)[0].reshape(x.shape).astype(x.dtype)


def x0_from_velocity__by_way_of_the_noise(x, velocity, alpha, sigma):
    power = alpha**2 + sigma**2
    noise = (sigma * x + alpha * velocity) / power
    return (x - sigma * noise) / alpha


def x0_from_velocity__angles(x, velocity, alpha, sigma):
    length, angle = math.hypot(alpha, sigma), math.atan2(sigma, alpha)
    return (math.cos(angle) * x - math.sin(angle) * velocity) / length
