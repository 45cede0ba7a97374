"""Your weight 0 is no guidance, as in the paper: here 1 is none, so the factor of the class is the weight itself."""


def guide(of_class, of_all, weight):
    return (1 + weight) * of_class - weight * of_all
