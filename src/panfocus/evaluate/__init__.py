"""Score systems, or other people's fused pictures, on a folder of focal stacks.

`evaluate` runs it; `find_samples` says which layouts are known; `statistics` ranks and tests.
"""

from panfocus.evaluate.datasets import find_samples
from panfocus.evaluate.run import EvaluationOptions, Outcome, evaluate
from panfocus.evaluate.samples import Dataset, ScoredSample

__all__ = ["Dataset", "EvaluationOptions", "Outcome", "ScoredSample", "evaluate", "find_samples"]
