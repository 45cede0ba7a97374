"""Right solutions of assignment 1 that look unlike the master's."""


def cosine__complex(t, stretch=1.008):
    z = np.exp(0.5j * np.pi / stretch * np.asarray(t))
    return z.real, z.imag


def cosine__pythagoras(t, stretch=1.008):
    sigma = np.sin(np.asarray(t) * (np.pi / (2 * stretch)))
    return [np.sqrt(1 - sigma * sigma), sigma]


def cosine__one_array(t, stretch=1.008):
    angle = np.multiply(t, np.pi / 2 / stretch)
    return np.array([np.cos(angle), np.cos(np.pi / 2 - angle)], dtype=angle.dtype)


def cosine__loop(t, stretch=1.008):
    t = np.asarray(t)
    out = np.empty((2, *t.shape), t.dtype)
    for i in np.ndindex(t.shape):
        angle = float(t[i]) * math.pi / 2 / stretch
        out[(0, *i)], out[(1, *i)] = math.cos(angle), math.sin(angle)
    return out[0], out[1]


def add_noise__einsum(x0, alpha, sigma, noise):
    b = len(x0)
    alpha, sigma = (np.broadcast_to(s, (b,)).astype(x0.dtype) for s in (alpha, sigma))
    return np.einsum("b,b...->b...", alpha, x0) + np.einsum("b,b...->b...", sigma, noise)


def add_noise__picture_by_picture(x0, alpha, sigma, noise):
    alpha, sigma = (s if np.ndim(s) else [s] * len(x0) for s in (alpha, sigma))
    return np.array([float(a) * x + float(s) * n for a, s, x, n in zip(alpha, sigma, x0, noise)])


def add_noise__transposed(x0, alpha, sigma, noise):
    return ((x0.T * alpha).T + (noise.T * sigma).T).astype(x0.dtype)


def add_noise__in_place_on_a_copy(x0, alpha, sigma, noise):
    x, more = x0.copy(), noise.copy()
    for factor, array in ((alpha, x), (sigma, more)):
        factor = np.asarray(factor)
        array *= factor[(...,) + (None,) * (array.ndim - 1)] if factor.ndim else factor
    x += more
    return x


def log_snr__of_squares(alpha, sigma):
    return np.log(np.square(alpha) / np.square(sigma))


def log_snr__of_the_quotient(alpha, sigma):
    return -2 * np.log(np.divide(sigma, alpha))


def log_snr__other_base(alpha, sigma):
    return (np.log2(alpha) - np.log2(sigma)) * (2 / math.log2(math.e))


def log_snr__wide_inside(alpha, sigma):
    a, s = np.asarray(alpha), np.asarray(sigma)
    return (2 * np.log(a.astype("float64") / s)).astype(a.dtype)
