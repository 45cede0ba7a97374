"""The weights do not add up to 1: divide them by their sum."""


def posterior(images, known, y, noise):
    logits = -((y - images[:, known]) ** 2).sum(axis=1) / (2 * noise**2)
    return np.exp(logits - logits.max())
