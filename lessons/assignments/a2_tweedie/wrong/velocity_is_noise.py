"""This is the noise, sigma * x + alpha * v: eliminate the noise from the two equations, not the picture."""


def x0_from_velocity(x, velocity, alpha, sigma):
    return (sigma * x + alpha * velocity) / (alpha**2 + sigma**2)
