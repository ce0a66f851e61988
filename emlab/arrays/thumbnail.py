"""Small pictures of images, for people."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from emlab.arrays.module import array_module

Array = NDArray[Any]


def thumbnail(image: Array, width: int = 512) -> Array:
    """Small grey picture of an image: uint8 (y, x), neither side longer than ``width`` px.

    Parameters
    ----------
    image
        Axes (y, x). Pixels that are not finite count as the image's mean.
    width
        px.

    Notes
    -----
    Whole pixels are averaged, so the Nyquist noise of a counting camera does not alias; up to a binning
    factor less one px of the last rows and columns are left out. Grey runs from the 0.5th to the 99.5th
    percentile: one hot pixel or a piece of carbon does not flatten the rest.
    """
    xp = array_module(image)
    factor = -(-max(image.shape) // width)
    height, breadth = image.shape[0] // factor or 1, image.shape[1] // factor or 1
    cropped = image[: height * factor, : breadth * factor].astype(xp.float32)
    rows = cropped.reshape(height, -1, cropped.shape[1]).mean(axis=1)
    binned = rows.reshape(height, breadth, -1).mean(axis=2)
    finite = xp.isfinite(binned)
    if not finite.any():
        return xp.full(binned.shape, 128, xp.uint8)  # type: ignore[no-any-return]
    if not finite.all():
        binned = xp.where(finite, binned, binned[finite].mean())
    dark, bright = xp.percentile(binned, xp.asarray([0.5, 99.5]))
    if bright <= dark:
        return xp.full(binned.shape, 128, xp.uint8)  # type: ignore[no-any-return]
    return xp.clip((binned - dark) * (255.0 / (bright - dark)) + 0.5, 0, 255).astype(xp.uint8)  # type: ignore[no-any-return]
