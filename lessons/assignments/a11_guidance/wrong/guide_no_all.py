"""You multiply the answer of the class alone: take that of all away, or a large weight is a large picture."""


def guide(of_class, of_all, weight):
    return weight * of_class
