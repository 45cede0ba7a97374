"""Right answers are told from wrong ones, in words, and equal answers have equal fingerprints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.course import answers
from edudiff.course.answers import agree, fingerprint, print_of

X = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("actual", "expected", "says"),
    [
        (X[0], X, r"shape \(2,\), expected \(2, 2\)"),
        (X.astype("float32"), X, "dtype float32, expected float64"),
        (X + 1e-6 * np.eye(2)[1] * np.eye(2), X, r"is 4.000001 at \(1, 1\), expected 4$"),
        (X + 1e-8, X, r"is 1.00000001 at \(0, 0\), expected 1$"),
        (-X, X, r"is -4 at \(1, 1\), expected 4; all values are -1 times the expected ones"),
        (2 * X, X, "all values are 2 times"),
        (X / 2, X, "all values are 1/2 times"),
        (3.0, 1.5, "expected 1.5; that is 2 times as much"),
        (X * np.nan, X, "4 NaN or infinite values of 4"),
        (None, X, "is None; is a return missing?"),
        ("passed", 1.0, "is a text, expected a number"),
        (X, (X, X), r"is an array of shape \(2, 2\), expected 2 values"),
        ((X, 1.0, X), (X, X), r"is a tuple of 3 values \(an array of shape \(2, 2\), the number 1, an array"),
        (None, (X, X), "is None, expected 2 values; is a return missing?"),
        ([1.0], X, r"is a list of 1 value \(the number 1\), expected an array of shape \(2, 2\)"),
        ((X, X + 1), (X, X), r"\[1\] is 2 at \(0, 0\)"),
        (float("inf"), 1.0, "NaN or infinite"),
        (float("nan"), float("inf"), "is nan, expected inf"),
    ],
)
def test_wrong_answers_are_told_in_words(actual, expected, says):
    with pytest.raises(AssertionError, match=says):
        agree(actual, expected)


def test_right_answers_agree():
    agree(X + 1e-10, X)
    agree((3, [X, 2.0]), (3.0, (X, np.float64(2))))
    agree(np.float32(0.5), 0.5)
    agree(float("-inf"), float("-inf"))
    agree(1e9 + 0.5, 1e9)
    agree(np.empty((0, 3)), np.empty((0, 3)))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5))
def test_rounding_errors_do_not_change_a_fingerprint(values):
    x = np.array(values)
    assert print_of(x) == print_of(x + 1e-13 * np.sign(x)) == print_of((x,))[1:-1]
    assert print_of(x) != print_of(x + 1e-3)


def test_fingerprints_tell_answers_apart():
    answers = [X, X.T, X[:1], X.astype("float32"), (X, X), None, True, 1, "1", np.nan * X, np.inf * X, -np.inf * X]
    assert len({fingerprint([print_of(a)]) for a in answers}) == len(answers)
    assert print_of(-0.0 * X) == print_of(0.0 * X)
    assert print_of(1.0) == print_of(np.float64(1)) == print_of(1) == print_of(np.int8(1))
    assert print_of(X.astype("float32")) == print_of(2 * X.astype("float32"))


def test_a_complex_answer_is_not_the_real_one():
    with pytest.raises(AssertionError, match="expected real numbers"):
        agree(np.array([1 + 3j]), np.array([1.0]))


def test_prints_do_not_depend_on_the_pieces(monkeypatch):
    array = np.random.default_rng(0).standard_normal((7, 5))
    whole = print_of(array)
    monkeypatch.setattr(answers, "PIECE", 4)
    assert print_of(array) == whole


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (0.8, "0.8 times the expected ones, and 0.8 is an argument"),
        (0.36, "0.6**2 times"),
        (1 / 0.6, "1 / 0.6 times"),
        (1.23, ""),
    ],
)
def test_a_ratio_that_is_one_of_the_arguments_is_named(factor, says):
    with pytest.raises(AssertionError) as caught:
        agree(factor * X, X)
    said = answers.times(caught.value, (X, (0.8, np.float64(0.6)), "text", None))
    assert says in said
    assert bool(said) == bool(says)


def test_answers_that_differ_in_no_clean_way_have_no_ratio():
    for wrong in (X + 1, X * [[1, 2], [1, 1]], 0 * X, X.T):
        with pytest.raises(AssertionError) as caught:
            agree(wrong, X)
        assert "times" not in str(caught.value)
        assert caught.value.ratio is None


def test_one_number_among_others_is_no_multiple():
    """A window of 9 beside an answer of 3 is another window, not a third of it; an array among others may be scaled."""
    for wrong, right, says in (([3, 5], [9, 5], ""), ([2.0], [1.0], "2 times"), ((1.0, 2 * X), (1.0, X), "2 times")):
        with pytest.raises(AssertionError) as caught:
            agree(wrong, right)
        assert says in str(caught.value)
        assert ("times" in str(caught.value)) == bool(says)
        assert answers.times(caught.value, ([3],)) == ""
