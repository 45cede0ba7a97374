"""You add the sums of both pieces although they count in different units: bring both to the larger top first."""


def merge(a, b):
    return np.maximum(a[0], b[0]), a[1] + b[1], a[2] + b[2]
