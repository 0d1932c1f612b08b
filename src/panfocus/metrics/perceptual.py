"""Metrics with a model of human contrast vision: Chen-Blum, Chen-Varshney, and VIF for fusion."""

from __future__ import annotations

import numpy as np

from panfocus.metrics.filters import (
    Local,
    Window,
    gaussian,
    gaussian_profile,
    ratio,
    separable,
    sobel,
)
from panfocus.metrics.picture import Grey, Picture, Plane, Sources, greys


def _frequencies(shape: tuple[int, ...]) -> Plane:
    """Return ``(H, W // 2 + 1)`` radial frequencies in cycles per picture, for rfft2."""
    rows, columns = shape
    down = np.fft.fftfreq(rows, 1 / rows)
    across = np.fft.rfftfreq(columns, 1 / columns)
    return np.hypot(down[:, None], across[None, :])


def _filtered(plane: Plane, response: Plane) -> Plane:
    """Filter a ``(H, W)`` plane by a real, symmetric response given for rfft2."""
    return np.fft.irfft2(np.fft.rfft2(plane) * response, s=plane.shape)


# Chen-Blum ------------------------------------------------------------------------------------


def q_cb(sources: Sources, fused: Picture) -> float:
    """Chen-Blum: masked contrast kept; higher is better; 0..1, 1 if F = A = B.

    Pictures are stretched to 0..255 and filtered by the difference-of-Gaussians contrast
    sensitivity ``exp(-(r/15.3870)^2) - 0.7622 exp(-(r/1.3456)^2)``; contrast is
    ``C = (G2 * I) / (G4 * I) - 1``, masked ``C' = |C|^3 / (C^2 + 1e-4)``; a pixel's quality is
    ``sum_i lambda_i min(C'_i, C'_F) / max(C'_i, C'_F)`` with lambda the source's share of the
    C'^2; the mean of all pixels (Chen and Blum, Image and Vision Computing 27(10), 2009). Any
    number of sources.

    Frequencies count cycles per 15th of the picture, so a crop does not score as its place in
    the whole. Where nothing has contrast, quality is 1.
    """
    planes, out = greys(sources, fused)
    response = _contrast_sensitivity(out.plane.shape)
    contrast_f = _masked_contrast(out, response)
    shape = out.plane.shape
    kept, plain, weights = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for source in planes:
        contrast = _masked_contrast(source, response)
        least, most = np.minimum(contrast, contrast_f), np.maximum(contrast, contrast_f)
        quality = ratio(least, most, 1.0)
        contrast *= contrast
        kept += contrast * quality
        plain += quality
        weights += contrast
    # shares of nothing are equal shares
    return float(np.where(weights > 0, ratio(kept, weights, 0.0), plain / len(planes)).mean())


def _contrast_sensitivity(shape: tuple[int, ...]) -> Plane:
    r = _frequencies(shape) / 15
    return np.exp(-((r / 15.3870) ** 2)) - 0.7622 * np.exp(-((r / 1.3456) ** 2))


def _masked_contrast(picture: Grey, response: Plane) -> Plane:
    seen = _filtered(picture.stretched, response)
    fine, coarse = (_blur(seen, sigma) for sigma in (2.0, 4.0))
    contrast = np.abs(ratio(fine, coarse, 1.0) - 1)
    return contrast**3 / (contrast**2 + 1e-4)


def _blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian of 31 x 31 samples, density as in the formula (not renormalised), zero padded."""
    profile = gaussian_profile(31, sigma) / (np.sqrt(2 * np.pi) * sigma)
    return separable(plane, profile, profile)


# Chen-Varshney --------------------------------------------------------------------------------

_BLOCK = 16
_SALIENCY_POWER = 5


def q_cv(sources: Sources, fused: Picture) -> float:
    """Chen-Varshney: visible difference to the sources' edges; **lower** is better; >= 0.

    In blocks of 16 x 16, ``sum_i w_i D_i / sum_i w_i``: w the sum of Sobel strength^5 of the
    stretched source, D the mean square of source - fused behind the contrast sensitivity
    ``2.6 (0.0192 + 0.144 r) exp(-(0.144 r)^1.1)``, r in cycles per 4th of the picture (Chen and
    Varshney, Information Fusion 8(2), 2007). Any number of sources; flat ones weigh
    alike. 0 if F = A = B.

    Mannos and Sakrison's constant is 0.114; published values carry the program's 0.144. Blocks
    over the lower and right border are filled up with zeros, in D as well. The fifth power makes
    it the opinion of a few blocks with the hardest edges.
    """
    planes, out = greys(sources, fused)
    r = _frequencies(out.plane.shape) / 4
    response = 2.6 * (0.0192 + 0.144 * r) * np.exp(-((0.144 * r) ** 1.1))
    seen = total = plain = 0.0
    for source in planes:
        strength = np.hypot(*sobel(source.stretched))
        weight = _block_sums(strength**_SALIENCY_POWER)
        difference = _filtered(source.stretched - out.stretched, response)
        visible = _block_sums(difference**2) / _BLOCK**2
        seen += float((weight * visible).sum())
        total += float(weight.sum())
        plain += float(visible.mean())
    return seen / total if total > 0 else plain / len(planes)


def _block_sums(plane: Plane) -> Plane:
    """Sum over 16 x 16 blocks, incomplete ones filled up with zeros."""
    rows, columns = (list(range(0, side, _BLOCK)) for side in plane.shape)
    return np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)


# VIF for fusion -------------------------------------------------------------------------------

#: How much each of the four scales counts, fine to coarse.
_SCALE_WEIGHTS = (1 / 2.15, 0.0, 0.15 / 2.15, 1 / 2.15)
_VISUAL_NOISE = 0.005 * 255**2
#: 1e-7 in decimal logarithms, here natural ones.
_A_BIT = 1e-7 * np.log(10)
#: The smallest side that leaves a window at the coarsest scale.
_VIFF_SIDE = 41


def viff(sources: Sources, fused: Picture) -> float:
    """Visual information fidelity for fusion; higher is said to be better; >= 0, 1 if F = A = B.

    Over four scales (windows 17, 9, 5, 3; sigma a fifth), with gain ``g = cov(S,F) / var(S)``
    and residue ``v = var(F) - g cov``: ``sum log(1 + g^2 var(S) / (v + n)) / sum log(1 +
    var(S) / n)``, n = 0.005 255^2, each window from the source with the **smaller** gain;
    scales weigh 1, 0, 0.15, 1 over 2.15 (Han, Cai, Cao and Xu, Information Fusion 14(2), 2013).
    Any number of sources.

    More than 1 for exaggerated contrast: read it beside a metric that punishes that. Pictures
    under 41 pixels a side are mirrored out to 41, for the scales to exist.
    """
    planes, out = greys(sources, fused)
    pyramid = [_roomy(p.plane) for p in (*planes, out)]
    total = 0.0
    for scale, weight in enumerate(_SCALE_WEIGHTS):
        size = 2 ** (4 - scale) + 1
        window = gaussian(size, size / 5)
        if scale > 0:
            pyramid = [np.ascontiguousarray(window(p)[::2, ::2]) for p in pyramid]
        if weight > 0:
            total += weight * _fidelity(pyramid[:-1], Local.of(pyramid[-1], window), window)
    return total


def _roomy(plane: Plane) -> Plane:
    """Mirror a plane out, to the right and below, until the coarsest scale has a window."""
    missing = [max(0, _VIFF_SIDE - side) for side in plane.shape]
    return np.pad(plane, [(0, m) for m in missing], mode="symmetric")


def _fidelity(sources: list[Plane], f: Local, window: Window) -> float:
    """Return the share of visual information that arrives, at one scale."""
    least = np.full(f.mean.shape, np.inf)
    arrived, sent = np.zeros(f.mean.shape), np.zeros(f.mean.shape)
    for source in sources:
        s = Local.of(source, window)
        covariance = s.covariance(f, window)
        gain = np.maximum(ratio(covariance, s.variance, 0.0), 0)
        gain[f.variance == 0] = 0
        residue = np.maximum(np.where(gain > 0, f.variance - gain * covariance, f.variance), 0)
        # of equal gains the later source counts, as in the published program
        chosen = gain <= least
        least[chosen] = gain[chosen]
        power = s.variance[chosen]
        heard = gain[chosen] ** 2 * power / (residue[chosen] + _VISUAL_NOISE)
        arrived[chosen] = np.log1p(heard)
        sent[chosen] = np.log1p(power / _VISUAL_NOISE)
    # the bit added to both makes nothing out of nothing a 1
    return float((arrived + _A_BIT).sum() / (sent + _A_BIT).sum())
