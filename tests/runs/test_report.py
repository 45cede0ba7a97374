"""What a run reports: counts of fingers, and a table that names what was measured."""

import math

import numpy as np

from edudiff.runs import report
from edudiff.runs.comparison import finger_counts


def test_finger_histograms_and_the_share_of_equal_counts():
    images = {
        "network": np.full((4, 2, 2, 1), 5.0),
        "els": np.array([5, 5, 4, 6.0]).reshape(4, 1, 1, 1) + np.zeros((2, 2, 1)),
    }
    table, counts = finger_counts(images, np.full((3, 2, 2, 1), 5.0), lambda b: b[:, 0, 0, 0].astype(int))
    assert table == {"training": {"5": 3}, "network": {"5": 4}, "els": {"4": 1, "5": 2, "6": 1}, "same_count": 0.5}
    np.testing.assert_array_equal(counts["els"], [5, 5, 4, 6])


def test_the_table_is_followed_by_a_sentence_that_says_what_it_shows():
    rows = {"local": {"pearson_r": 0.9}, "els": {"pearson_r": 0.957}, "ideal": {"pearson_r": 0.763}}
    said = report.meaning(rows)
    assert "els draws the images most like the network's (r 0.957)" in said
    assert "ideal, which copies training images, the least like them (0.763)" in said
    rows["ideal"]["pearson_r"] = 0.99
    assert "ideal draws the images most like" in report.meaning(rows)
    assert "local the least like them (0.900)" in report.meaning(rows)
    assert report.meaning({"els": {"pearson_r": 0.5}}).endswith("correlation with the network's is 0.500")
    flat = {"pearson_r": math.nan}
    assert "els draws images whose correlation" in report.meaning({"ideal": flat, "els": {"pearson_r": 0.5}})
    assert "no correlation" in report.meaning({"ideal": flat, "els": flat})


def test_agreement_of_fingers_is_told_with_what_chance_gives():
    table = {"same_count": 0.625, "correlation": 0.7, "by_finger": 0.86}
    table |= {"same_count_by_chance": 0.25, "by_finger_by_chance": 0.52}
    results = {"agreement": {"els": {"pearson_r": 0.9, "r_squared": 0.81, "r2_score": 0.8}}, "seeds": 8, "seconds": 1.0}
    said = list(report.lines({**results, "finger_agreement": {"els": table, "linear": table}}))
    assert said[-2:] == [
        "network and els: same count on 62% of the seeds, 25% by chance;",
        "  86% of single fingers are in both, 52% by chance",
    ]
    assert sum("same count" in line for line in said) == 1
