"""The windows of a local score that is drawn without a network to calibrate them on: those of a measured one."""

from collections.abc import Sequence

from edudiff.denoisers import WindowSchedule
from edudiff.schedule import cosine

# Calibrated on the UNets of figures/results/agreement.json, rows mnist_unet_zero and mnist_unet_zero_28: 2,000 digits,
# zero padding, one window for each of 20 steps of the cosine schedule, from noise to image. These see the whole image,
# so no receptive field bounds their windows.
MEASURED = {
    14: (21, 18.4, 16.4, 16.6, 16.6, 16.4, 14.2, 10.2, 10, 8, 7.8, 7.6, 6, 5.6, 4.2, 4, 3.6, 3.4, 2.2, 1.4),
    28: (24.4, 23.8, 20, 17.8, 15.8, 13.8, 12, 10, 9.8, 7.8, 7.6, 6, 5.8, 5.6, 4, 3.8, 3.4, 3.4, 2.4, 1.6),
}


def usual_windows(shape: Sequence[int], padding: str) -> WindowSchedule:
    """The measured windows of images of nearly this `shape` (H, W): 14 pixels, from 21 on 28; none is too large for it.

    A window counts in pixels, and at low noise it hardly depends on the size of the image.
    """
    measured = MEASURED[28 if max(shape) > 20 else 14]
    largest = 2 * max(shape) - 1 if padding == "zero" else min(shape) - 1 + min(shape) % 2
    levels = [cosine()(t) for t in cosine().times(len(measured))[:-1].tolist()]
    return WindowSchedule([sigma / alpha for alpha, sigma in levels], [float(min(size, largest)) for size in measured])
