"""The colors of figures are told apart in gray, by everybody who sees colors otherwise, and by markers without any."""

import pickle
import re
from pathlib import Path

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
ALL = (*plot.COLORS, "#ffffff")


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
    pytest.importorskip("matplotlib")
    axis = plot.empty_figure(2, 2).subplots()
    for color in (*range(35), "gray"):
        plot.curve(axis, [1, 2], [[1, 0, 2], [2, 1, 3]], color, str(color))
    looks = [(line.get_color(), line.get_marker()) for line in axis.lines]
    assert len(set(looks)) == 36
    assert [color for color, _ in looks[:5]] == [*plot.COLORS]
    assert looks[-1][1] not in plot.MARKERS


def test_what_names_no_color_is_drawn_in_these():
    pytest.importorskip("matplotlib")
    figure = plot.empty_figure(4, 4)
    grid = [*figure.subplots(2, 1)[:1], figure.add_subplot(2, 2, 4)]
    for axis in grid:
        drawn = [axis.plot([0, 1], "o-")[0].get_color() for _ in plot.COLORS]
        bars = [axis.bar(0, 1).patches[0].get_facecolor()[:3] for _ in plot.COLORS]
        assert drawn == [*plot.COLORS]
        assert [tuple(round(255 * part) for part in bar) for bar in bars] == [
            tuple(bytes.fromhex(color[1:])) for color in plot.COLORS
        ]
    again = pickle.loads(pickle.dumps(figure))
    assert [line.get_color() for line in again.axes[0].lines] == [*plot.COLORS]


def test_nothing_is_drawn_in_the_colors_of_matplotlib():
    root = Path(__file__).parents[1]
    own = re.compile(r"""(["'])(C\d|tab:\w+|tab\d+\w?|hsv|jet|rainbow)\1|f(["'])C\{""")
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for folder in ("edudiff", "figures", "lessons")
        for path in sorted((root / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if own.search(line)
    ]
    assert found == []


def test_seams_lie_between_the_pieces():
    pytest.importorskip("matplotlib")
    axis = plot.empty_figure(2, 2).subplots()
    plot.seams(axis, np.array([[1, 1, 2], [1, 2, 2]]))
    found = {tuple(map(tuple, line)) for lines in axis.collections for line in lines.get_segments()}
    upright = {((1.5, -0.5), (1.5, 0.5)), ((0.5, 0.5), (0.5, 1.5))}
    assert found == upright | {((0.5, 0.5), (1.5, 0.5))}
