"""Structural similarity from local means: what losses share, whatever their window is."""

from __future__ import annotations

from torch import Tensor

#: ``(0.01 L)^2`` and ``(0.03 L)^2`` for numbers up to L = 1 (Wang et al., IEEE TIP 2004).
C1, C2 = 0.01**2, 0.03**2


def similarity(
    mean_a: Tensor, mean_b: Tensor, square_a: Tensor, square_b: Tensor, product: Tensor
) -> Tensor:
    """Return the mean SSIM (eq. 13 there) of pictures a and b in [0, 1].

    In float32: variances are differences of near numbers.

    Args:
        mean_a: local means of a, any shape.
        mean_b: of b; as all others, the same shape.
        square_a: of ``a^2``.
        square_b: of ``b^2``.
        product: of ``a b``.
    """
    covariance = product - mean_a * mean_b
    variances = square_a - mean_a**2 + square_b - mean_b**2
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return (luminance * (2 * covariance + C2) / (variances + C2)).mean()
