"""Only a place and itself are alike in your rule: inside, where no window sticks out, all places are."""


def alike(u, v, length, radius):
    return u == v
