"""What you add to sigma^2 against a division by 0 hides the ratio where there is little noise: sigma is positive, add
nothing."""


def log_snr(alpha, sigma):
    return np.log(np.square(alpha) / (np.square(sigma) + 1e-8))
