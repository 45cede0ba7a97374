"""You ask only at which side a window sticks out: how far it does matters too."""


def alike(u, v, length, radius):
    sides = [(place < radius, place >= length - radius) for place in (u, v)]
    return sides[0] == sides[1]
