"""The colors of figures are told apart in gray, by everybody who sees colors otherwise, and by markers without any."""

import numpy as np
import pytest

from edudiff import plot

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
SEEN = {  # linear RGB as it is seen (Machado, Oliveira & Fernandes 2009, table 1, severity 1)
    "everybody": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
ALL = ("#000000", *plot.COLORS, "#ffffff")


def lab(color, seen=SEEN["everybody"]):
    """CIE L*, a*, b* of a color #rrggbb."""
    value = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(seen) @ linear, 0, 1) / (0.9505, 1, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_colors_are_told_apart_in_gray():
    lightness = np.sort([lab(color)[0] for color in ALL])
    assert np.diff(lightness).min() > 12


@pytest.mark.parametrize("eyes", SEEN)
def test_the_colors_are_told_apart_by_all_eyes(eyes):
    points = [lab(color, SEEN[eyes]) for color in ALL]
    assert min(np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i]) > 20


def test_a_curve_has_a_marker_of_its_own():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axis = figure.subplots()
    for color in ("C0", "C1", "C2", "C3", "k"):
        plot.curve(axis, [1, 2], [[1, 0, 2], [2, 1, 3]], color, color)
    assert [line.get_color() for line in axis.lines] == [*plot.COLORS, "k"]
    assert len({line.get_marker() for line in axis.lines}) == 5
