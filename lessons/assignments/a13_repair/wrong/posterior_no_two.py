"""The 2 of the normal law is missing in the exponent."""


def posterior(images, known, y, noise):
    logits = -((y - images[:, known]) ** 2).sum(axis=1) / noise**2
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
