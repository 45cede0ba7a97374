"""You assume alpha^2 + sigma^2 = 1: divide by that sum, which is 1 only for variance preserving schedules."""


def x0_from_velocity(x, velocity, alpha, sigma):
    return alpha * x - sigma * velocity
