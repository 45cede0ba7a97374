"""You start infinitely far away: the flow begins at the level first, so divide by what the formula gives there."""


def guided_variance(of_class, of_all, weight, first):
    return of_class**weight * of_all ** (1 - weight)
