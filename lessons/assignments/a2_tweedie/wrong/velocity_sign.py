"""The sign of the velocity is turned: v holds minus sigma times the picture."""


def x0_from_velocity(x, velocity, alpha, sigma):
    return (alpha * x + sigma * velocity) / (alpha**2 + sigma**2)
