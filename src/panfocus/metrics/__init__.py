"""Metrics of fused pictures, verified against published programs.

Every metric is a pure function of pictures: ``f(fused)``, ``f(sources, fused)`` or
``f(reference, fused)``, returning a float. `METRICS` lists them with direction, range, citation
and pitfall; `evaluate_all` computes many at once; `mask_iou` and
`boundary_f` judge decisions. Pictures are uint8, uint16 or floating point
in [0, 1], grey ``(H, W)`` or RGB ``(H, W, 3)``, at least 16 x 16; see `Grey.of`.
"""

from panfocus.metrics.masks import boundary_f, mask_iou
from panfocus.metrics.picture import Grey
from panfocus.metrics.table import METRICS, Metric, evaluate_all, metric

__all__ = ["METRICS", "Grey", "Metric", "boundary_f", "evaluate_all", "mask_iou", "metric"]
