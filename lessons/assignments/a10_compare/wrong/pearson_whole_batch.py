"""You correlate the whole batch at once: every pair of pictures has its own r, and its own means."""


def pearson_r(a, b):
    return np.full(len(a), np.corrcoef(a.ravel(), b.ravel())[0, 1])
