"""Information that the fused picture shares with its sources, from joint grey-level histograms.

All stretch every picture to 0..255 first and use 256 bins. Mutual information asks whether grey
levels *predict* each other, pixel by pixel: a hard copy of source pixels predicts perfectly, so
these metrics favour hard decision maps over better pictures (negative rank correlation with
ground truth on Real-MFF, docs/metrics.md).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from panfocus.metrics.picture import Grey, Picture, Plane, Sources, exactly_two, greys

_LEVELS = 256
#: Rows are counted in strips, for numpy widens the indices to 8 bytes.
_STRIP = 1 << 20
#: The exponent of the Tsallis entropy in the published program.
TSALLIS_Q = 1.85


def joint(x: Grey, y: Grey) -> Plane:
    """Return the ``(256, 256)`` joint distribution of two pictures' stretched levels."""
    a, b = x.levels.ravel(), y.levels.ravel()
    counts = np.zeros(_LEVELS**2, np.int64)
    for start in range(0, a.size, _STRIP):
        part = slice(start, start + _STRIP)
        index = (a[part].astype(np.uint16) << 8) | b[part]
        counts += np.bincount(index, minlength=_LEVELS**2)
    return counts.reshape(_LEVELS, _LEVELS) / a.size


def entropy(p: Plane) -> float:
    """Return ``-sum p log2 p`` of a distribution of any shape, in bits."""
    seen = p[p > 0]
    return float(-(seen * np.log2(seen)).sum())


def _information(p: Plane) -> tuple[float, float]:
    """Return mutual information and the sum of both entropies of a joint distribution."""
    both = entropy(p.sum(axis=1)) + entropy(p.sum(axis=0))
    return both - entropy(p), both


def q_mi(sources: Sources, fused: Picture) -> float:
    """Normalised mutual information; higher is better; 0..2, and 2 if F = A = B.

    ``2 (I(A,F) / (H(A) + H(F)) + I(B,F) / (H(B) + H(F)))`` (Hossny, Nahavandi and Creighton,
    Electronics Letters 44(18), 2008). N sources: ``4/N`` times the sum, so that the range
    stays. Two constant pictures share all that they have: their term is that of identity.

    Plain "MI" in other papers is the sum of the unnormalised I: another scale (6 to 7).
    """
    planes, out = greys(sources, fused)
    total = 0.0
    for source in planes:
        shared, both = _information(joint(source, out))
        total += shared / both if both > 0 else 0.5
    return 4 * total / len(planes)


def q_ncie(sources: Sources, fused: Picture) -> float:
    """Nonlinear correlation information entropy; higher is better; 1 - log256(N + 1)..1.

    ``1 + sum l/K log256(l/K)`` over the eigenvalues l of the K x K matrix (K = N + 1: sources
    and fused) of pairwise mutual informations in units of 8 bits (Wang, Shen and Jin, in Image
    Fusion: Algorithms and Applications, 2008, ch. 19). Any number of sources.

    Its whole useful range is some hundredths above 0.8.
    """
    planes, out = greys(sources, fused)
    pictures = [*planes, out]
    correlation = np.eye(len(pictures))
    for i, k in combinations(range(len(pictures)), 2):
        shared, _ = _information(joint(pictures[i], pictures[k]))
        correlation[i, k] = correlation[k, i] = shared / 8
    share = np.linalg.eigvalsh(correlation) / len(pictures)
    share = share[share > 0]
    return float(1 + (share * np.log2(share)).sum() / 8)


def q_te(
    sources: Sources, fused: Picture, *, q: float = TSALLIS_Q, corrected: bool = False
) -> float:
    """Tsallis mutual information; higher is said to be better; unbounded.

    ``I_q(A,F) + I_q(B,F)``, ``I_q = (1 - sum p(a,f)^q / (p(a) p(f))^(q-1)) / (1 - q)``
    (Cvejic, Canagarajah and Bull, Electronics Letters 42(11), 2006). Any number of sources: the
    mean of their terms, doubled.

    The published program exchanges the two marginal distributions, p(a) with p(f); all published
    values carry that slip and so does this function, until `corrected` is asked for. One grey
    level that is rare in one picture and common in the other then rules the sum: averages over a
    dataset are led by a few pictures. Do not draw conclusions from it.

    Args:
        sources: two or more pictures.
        fused: of the same size.
        q: Tsallis exponent, not 1.
        corrected: use each marginal where the formula has it.
    """
    planes, out = greys(sources, fused)
    terms = [_tsallis(joint(source, out), q, corrected) for source in planes]
    return 2 * float(np.mean(terms))


def _tsallis(p: Plane, q: float, corrected: bool) -> float:
    product = np.outer(p.sum(axis=1), p.sum(axis=0))
    if not corrected:
        product = product.T
    seen = (p > 0) & (product > 0)
    total = float((p[seen] ** q / product[seen] ** (q - 1)).sum())
    return (1 - total) / (1 - q)


def q_scd(sources: Sources, fused: Picture) -> float:
    """Sum of the correlations of differences; higher is said to be better; -2..2.

    ``corr(F - B, A) + corr(F - A, B)`` (Aslantas and Bendes, AEU 69(12), 2015). Two
    sources only: with more, "what the others gave" has no definition. The correlation with a
    constant is 0.

    It rewards exaggerated differences: a fused picture with too much contrast scores best.
    """
    planes, out = greys(sources, fused)
    a, b = exactly_two(planes, "Q_SCD")
    return _correlation(out.plane - b.plane, a.plane) + _correlation(out.plane - a.plane, b.plane)


def _correlation(x: Plane, y: Plane) -> float:
    dx, dy = x - x.mean(), y - y.mean()
    energy = float(np.sqrt((dx**2).sum() * (dy**2).sum()))
    return float((dx * dy).sum()) / energy if energy > 0 else 0.0
