r"""A loss term of your own: masks that choose.

panfocus train dualpath --plugin examples/own_loss.py --set terms=decided=0.05 \
        --data my_stacks/ --minutes 20 --out runs/decided
"""

from panfocus.train.dualpath.own import Seen, register_term


@register_term("decided")
def decided(seen: Seen):
    """Return the mean of ``1 - sum_n M_n^2`` of the last step: 0 where one frame is taken whole.

    Where frames are alike nothing has to be chosen, so differences of frames weigh it.
    """
    mask = seen.steps[-1].mask  # (B, N, H, W)
    differs = (seen.frames.amax(1) - seen.frames.amin(1)).mean(1)  # (B, H, W)
    return (differs * (1 - mask.square().sum(1))).mean()
