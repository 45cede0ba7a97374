"""Figures of pictures: what stands where."""

import numpy as np
import pytest

from edudiff import plot

pytest.importorskip("matplotlib")


def test_rows_show_every_picture_in_its_frame_above_its_caption():
    rng = np.random.default_rng(0)
    images = {"gray": rng.uniform(-1, 1, (5, 6, 14, 1)), "color": list(rng.uniform(-1, 1, (3, 6, 14, 3)))}
    figure = plot.rows(images, {"color": ["a", "b", "c", "d"]}, columns=4)
    assert [axis.get_ylabel() for axis in figure.axes] == list(images)
    for axis, batch in zip(figure.axes, images.values(), strict=True):
        [shown], [frames] = axis.get_images(), axis.get_lines()
        corners = frames.get_xydata().reshape(3, -1, 2)[:, :-1] + 0.5  # (columns, 5, 2)
        for image, corner in zip(batch, corners.astype(int), strict=False):
            (left, top), (right, bottom) = corner.min(0), corner.max(0)
            found = np.asarray(shown.get_array())[top:bottom, left:right].reshape(image.shape)  # (H, W, C)
            np.testing.assert_allclose(found, (image + 1) / 2)
    middle = corners[:, :, 0].mean(1, where=[True, True, True, True, False]) - 0.5  # (columns,)
    np.testing.assert_allclose(figure.axes[1].get_xticks(), middle)
    assert [text.get_text() for text in figure.axes[1].get_xticklabels()] == ["a", "b", "c"]
    assert not len(figure.axes[0].get_xticks())
