"""You clip the answer: leave values beyond [-1, 1] as they are, or small and large guidance look alike."""


def guide(of_class, of_all, weight):
    return np.clip(of_all + weight * (of_class - of_all), -1, 1)
