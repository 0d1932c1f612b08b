"""Metrics of local structure: what SSIM is to a reference, these are to the sources."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from panfocus.metrics.filters import NOISE, Local, box, gaussian, prewitt, ratio, ssim_map
from panfocus.metrics.picture import Picture, Plane, Sources, exactly_two, greys

#: Piella's index is the universal quality index: constants only where division needs them.
_PIELLA_C = (1e-6 * 255) ** 2
#: The constants of Cvejic's and Yang's metrics in the published programs.
_NEXT_TO_ZERO = 2e-16
#: A window in which every source is flat counts as if each had this variance.
_FLAT_VARIANCE = 0.5
#: Yang et al.: windows whose sources are at least this similar are averaged, others compete.
_YANG_SIMILAR = 0.75


def q_s(sources: Sources, fused: Picture) -> float:
    """Piella's Q: local similarity to the sources, every window alike; higher is better; -1..1.

    Mean over 8 x 8 windows of ``sum_i lambda_i Q0(S_i, F)``, ``lambda_i`` the source's share of
    the variances, Q0 the universal quality index (Piella and Heijmans, ICIP 2003). Any
    number of sources.
    """
    planes, out = greys(sources, fused)
    quality, _ = _piella([p.plane for p in planes], out.plane)
    return float(quality.mean())


def q_w(sources: Sources, fused: Picture) -> float:
    """Piella's Q_W: Q weighted by local saliency; higher is better; -1..1, 1 if F = A = B.

    `q_s` with every window weighted by the largest variance among the sources (Piella and
    Heijmans, ICIP 2003). Any number of sources. Of the metrics without a reference this
    one follows the truth best.

    The original toolbox took 11 x 11 Gaussian windows and SSIM's constants: 0.01 to 0.02 higher.
    """
    planes, out = greys(sources, fused)
    return _weighted([p.plane for p in planes], out.plane)


def q_e(sources: Sources, fused: Picture) -> float:
    """Piella's Q_E: Q_W of the pictures times Q_W of their edges; higher is better; -1..1.

    ``Q_W(A, B, F) Q_W(A', B', F')`` with Prewitt gradient magnitudes A', B', F' (Piella and
    Heijmans, ICIP 2003, alpha = 1). Any number of sources.
    """
    planes, out = greys(sources, fused)
    pictures = _weighted([p.plane for p in planes], out.plane)
    edges = _weighted([prewitt(p.plane) for p in planes], prewitt(out.plane))
    return pictures * edges


def _weighted(sources: Sequence[Plane], fused: Plane) -> float:
    quality, saliency = _piella(sources, fused)
    return float((quality * saliency).sum() / saliency.sum())


def _piella(sources: Sequence[Plane], fused: Plane) -> tuple[Plane, Plane]:
    """Return the quality and the saliency of every 8 x 8 window.

    Sums run over the sources one at a time, so that memory does not grow with their number.
    """
    f = Local.of(fused, box)
    shape = f.mean.shape
    by_variance, plain = np.zeros(shape), np.zeros(shape)
    variances, saliency = np.zeros(shape), np.zeros(shape)
    for source in sources:
        s = Local.of(source, box)
        similar = ssim_map(s, f, s.covariance(f, box), _PIELLA_C, _PIELLA_C)
        by_variance += s.variance * similar
        plain += similar
        variances += s.variance
        np.maximum(saliency, s.variance, out=saliency)
    flat = variances == 0
    quality = np.where(flat, plain / len(sources), ratio(by_variance, variances, 0.0))
    saliency[flat] = _FLAT_VARIANCE
    return quality, saliency


def q_c(sources: Sources, fused: Picture) -> float:
    """Cvejic's metric: similarity weighted by covariance; higher is better; -1..1.

    Mean over 8 x 8 windows of ``sim Q0(A, F) + (1 - sim) Q0(B, F)``,
    ``sim = clip(cov(A,F) / (cov(A,F) + cov(B,F)), 0, 1)`` (Cvejic, Loza, Bull and Canagarajah,
    Int. J. Signal Processing 2(3), 2005). Two sources only: the clipping has no third
    way. Where neither source covaries with F both count half.
    """
    planes, out = greys(sources, fused)
    a, b = (Local.of(p.plane, box) for p in exactly_two(planes, "Q_C"))
    f = Local.of(out.plane, box)
    with_a, with_b = a.covariance(f, box), b.covariance(f, box)
    share = np.clip(ratio(with_a, with_a + with_b, 0.5), 0, 1)
    similar_a = ssim_map(a, f, with_a, _NEXT_TO_ZERO, _NEXT_TO_ZERO)
    similar_b = ssim_map(b, f, with_b, _NEXT_TO_ZERO, _NEXT_TO_ZERO)
    return float((share * similar_a + (1 - share) * similar_b).mean())


def q_y(sources: Sources, fused: Picture, *, guarded: bool = True) -> float:
    """Yang's metric, SSIM to the better source; higher is better; -1..1, 1 if F = A = B.

    Under 7 x 7 Gaussian windows (sigma 1.5): where ``SSIM(A, B) >= 0.75``,
    ``lambda SSIM(A, F) + (1 - lambda) SSIM(B, F)`` with lambda A's share of both variances, else
    the larger of both; the mean of all windows (Yang, Zhang, Wang and Zhang, Information Fusion
    9(2), 2008). Two sources only.

    Its SSIM has no constants to speak of (2e-16). In flat or clipped areas ``E[x^2] - mean^2``
    is rounding noise of either sign and the unguarded formula returns noise divided by noise:
    the published program itself gives 6.49 on a Lytro pair, out of a range that ends at 1.

    Args:
        sources: two pictures.
        fused: of the same size.
        guarded: take variances and covariances below 1e-9 for 0, negative variances included.
            False computes the bare formula, noise and all.
    """
    planes, out = greys(sources, fused)
    first, second = exactly_two(planes, "Q_Y")
    window, noise = gaussian(7, 1.5), NOISE if guarded else -np.inf
    a, b, f = (Local.of(p.plane, window, noise) for p in (first, second, out))

    def similarity(x: Local, y: Local) -> Plane:
        return ssim_map(x, y, x.covariance(y, window, noise), _NEXT_TO_ZERO, _NEXT_TO_ZERO)

    share = ratio(a.variance, a.variance + b.variance, 0.5)
    to_a, to_b = similarity(a, f), similarity(b, f)
    blended = share * to_a + (1 - share) * to_b
    alike = similarity(a, b) >= _YANG_SIMILAR
    return float(np.where(alike, blended, np.maximum(to_a, to_b)).mean())
