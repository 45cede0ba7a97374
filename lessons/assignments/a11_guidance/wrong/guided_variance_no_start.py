"""You forget the variance at the start: pure noise at the level first has the variance first squared."""


def guided_variance(of_class, of_all, weight, first):
    end = of_class**weight * of_all ** (1 - weight)
    return end / ((of_class + first**2) ** weight * (of_all + first**2) ** (1 - weight))
