"""alpha and sigma have changed places: this finds the noise of another mixture, not the picture."""


def x0_from_velocity(x, velocity, alpha, sigma):
    return (sigma * x - alpha * velocity) / (alpha**2 + sigma**2)
