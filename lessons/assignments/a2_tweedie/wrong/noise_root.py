"""You take the root of 1 - alpha^2 for sigma: that is true only of variance preserving schedules, so use the sigma
that is passed."""


def noise_from_x0(x, x0_hat, alpha, sigma):
    return (x - alpha * x0_hat) / np.sqrt(1 - alpha**2)
