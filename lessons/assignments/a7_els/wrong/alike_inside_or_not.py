"""You ask only whether a window sticks out: at the left end it sees other zeros than at the right end, and one pixel
is not two."""


def alike(u, v, length, radius):
    inside = [radius <= place < length - radius for place in (u, v)]
    return inside[0] == inside[1]
