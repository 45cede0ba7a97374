"""Below the line is the size of the truth, not its spread: take its mean off first."""


def r2_score(truth, prediction):
    truth, prediction = (x.reshape(len(x), -1) for x in (truth, prediction))
    return 1 - ((truth - prediction) ** 2).sum(axis=1) / (truth**2).sum(axis=1)
