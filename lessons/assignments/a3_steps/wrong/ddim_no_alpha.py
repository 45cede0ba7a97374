"""You take x0_hat out of x at full size: x holds alpha times the picture."""


def ddim(x, x0_hat, now, then):
    noise_hat = (x - x0_hat) / now[1]
    return then[0] * x0_hat + then[1] * noise_hat
