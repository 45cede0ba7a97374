"""You add the level itself: it is its square that adds to a variance."""


def guided_variance(of_class, of_all, weight, first):
    end = of_class**weight * of_all ** (1 - weight)
    return first**2 * end / ((of_class + first) ** weight * (of_all + first) ** (1 - weight))
