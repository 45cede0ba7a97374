"""Underflow: a number too small to be written becomes 0. Softmax weights and old moments do; that is no error here."""

import numpy as np

# A decorator: within the function it is none, even after numpy.seterr(all="raise").
to_zero = np.errstate(under="ignore")
