"""You take the mean over the known values: each is measured on its own, and their exponents add up."""


def posterior(images, known, y, noise):
    logits = -((y - images[:, known]) ** 2).mean(axis=1) / (2 * noise**2)
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
