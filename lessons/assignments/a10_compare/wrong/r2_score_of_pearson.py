"""This is Pearson's r squared: R^2 compares the error of the prediction with the spread of the truth, and sees a
wrong brightness."""


def r2_score(truth, prediction):
    return pearson_r(truth, prediction) ** 2
