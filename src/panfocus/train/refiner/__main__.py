"""``python -m panfocus.train.refiner DATA ... --out RUN``: train a refiner, and export it.

DATA are folders of defocused pairs and stacks, as `panfocus train dualpath` takes them. The run is
resumed where RUN holds a checkpoint of one.
"""

from panfocus.train.helper_run import train_helper
from panfocus.train.refiner.pack import write
from panfocus.train.refiner.task import RefinerRecipe, RefinerTask

if __name__ == "__main__":
    train_helper(
        "refiner", __doc__, lambda sources, seed: RefinerTask(RefinerRecipe(), sources, seed), write
    )
