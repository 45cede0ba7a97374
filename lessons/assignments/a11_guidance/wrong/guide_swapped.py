"""You go from the class towards all: start at the answer of all, and go towards and beyond the class."""


def guide(of_class, of_all, weight):
    return of_class + weight * (of_all - of_class)
