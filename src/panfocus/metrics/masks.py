"""Metrics of decisions: does the mask, or the map of winning frames, follow the true one?"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.errors import InputError, UsageError

Labels = NDArray[Any]


def mask_iou(mask: Labels, truth: Labels) -> float:
    """Intersection over union of two masks; higher is better; 0..1, 1 if both are empty.

    Args:
        mask: ``(H, W)``; a pixel belongs to it if it is not 0.
        truth: of the same shape.
    """
    found, true = _labels(mask, truth)
    found, true = found != 0, true != 0
    union = int(np.count_nonzero(found | true))
    return int(np.count_nonzero(found & true)) / union if union else 1.0


def boundary_f(mask: Labels, truth: Labels, tolerance: float = 2.0) -> float:
    """F-measure of boundaries; higher is better; 0..1, 1 if neither has a boundary.

    The harmonic mean of precision (boundary pixels that lie within `tolerance` pixels of a true
    one) and recall (true ones within `tolerance` of a found one): Csurka, Larlus and Perronnin,
    BMVC 2013. It sees what IoU does not: ragged borders of large areas.

    Args:
        mask: ``(H, W)`` mask or map of frame indices; boundaries are where labels change.
        truth: of the same shape.
        tolerance: Euclidean distance in pixels, >= 0.
    """
    if not tolerance >= 0:
        raise UsageError("a distance cannot be negative", where="tolerance", got=str(tolerance))
    found, true = (_boundary(labels) for labels in _labels(mask, truth))
    if not found.any() or not true.any():
        return float(found.any() == true.any())
    precision = float((_distance_to(true)[found] <= tolerance).mean())
    recall = float((_distance_to(found)[true] <= tolerance).mean())
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def _labels(mask: Labels, truth: Labels) -> tuple[Labels, Labels]:
    found, true = np.asarray(mask), np.asarray(truth)
    if found.ndim != 2 or found.shape != true.shape or found.size == 0:
        raise InputError(
            "a mask is compared with a true mask of its own size",
            expected="two arrays (H, W) of one shape, not empty",
            got=f"shapes {found.shape} and {true.shape}",
        )
    return found, true


def _boundary(labels: Labels) -> NDArray[np.bool_]:
    """Mark every pixel whose right or lower neighbour has another label."""
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    return edge


def _distance_to(marked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return every pixel's Euclidean distance to the nearest marked one."""
    away = (~marked).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float64)
