"""This is a standard deviation: square the ratio."""


def guided_variance(of_class, of_all, weight, first):
    end = of_class ** (weight / 2) * of_all ** ((1 - weight) / 2)
    start = (of_class + first**2) ** (weight / 2) * (of_all + first**2) ** ((1 - weight) / 2)
    return first * end / start
