"""What you add to sigma^2 against a division by 0 makes the score wrong where there is little noise: sigma is positive,
add nothing."""


def score_from_x0(x, x0_hat, alpha, sigma):
    return (alpha * x0_hat - x) / (sigma**2 + 1e-6)
