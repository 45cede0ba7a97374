"""You divide by the length of (alpha, sigma): both equations were multiplied by a scale, so its square belongs
there."""


def x0_from_velocity(x, velocity, alpha, sigma):
    return (alpha * x - sigma * velocity) / np.hypot(alpha, sigma)
