"""The term of the sum below the line is missing: subtract each row's sum of dp * p."""


def softmax_backward(dp, p):
    return dp * p
