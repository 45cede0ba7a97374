"""You square the cosine, so the opposite noise looks as good as the right one: keep the sign."""


def calibrate(wanted, answers, windows):
    wanted = wanted[:, None]
    products = (wanted * answers).sum(axis=-1) ** 2 / ((wanted**2).sum(axis=-1) * (answers**2).sum(axis=-1))
    return [windows[j] for j in products.mean(axis=2).argmax(axis=1)]
