"""You compare all values of the pictures: only those at the known places were measured."""


def posterior(images, known, y, noise):
    full = images.mean(axis=0)
    full[known] = y
    logits = -((full - images) ** 2).sum(axis=1) / (2 * noise**2)
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
