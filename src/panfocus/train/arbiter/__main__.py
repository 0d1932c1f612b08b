"""``python -m panfocus.train.arbiter DATA ... --out RUN``: train an arbiter, and export it.

DATA are folders of defocused pairs and stacks, as `panfocus train dualpath` takes them. The run is
resumed where RUN holds a checkpoint of one.
"""

from panfocus.train.arbiter.pack import write
from panfocus.train.arbiter.task import ArbiterRecipe, ArbiterTask
from panfocus.train.helper_run import train_helper

if __name__ == "__main__":
    train_helper(
        "arbiter", __doc__, lambda sources, seed: ArbiterTask(ArbiterRecipe(), sources, seed), write
    )
