"""This is the variance of the tilted density, a harmonic mean: the flow multiplies standard deviations instead."""


def guided_variance(of_class, of_all, weight, first):
    return 1 / (weight / of_class + (1 - weight) / of_all)
