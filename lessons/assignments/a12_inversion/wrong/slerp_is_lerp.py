"""This is the straight line: its middle is shorter than both ends."""


def slerp(a, b, share):
    return (1 - share) * a + share * b
