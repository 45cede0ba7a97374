"""You return float64 whatever came in: float32 pictures stay float32."""


def replaced(x, y, keep, alpha, sigma, noise):
    return np.where(keep, alpha * y + sigma * noise, x).astype(float)
