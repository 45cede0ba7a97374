"""Divide by both lengths: without that a strong answer beats a right one."""


def calibrate(wanted, answers, windows):
    return [windows[j] for j in (wanted[:, None] * answers).sum(axis=-1).mean(axis=2).argmax(axis=1)]
