"""``python -m panfocus.train.scout DATA ... --out RUN``: train a scout, and export it.

DATA are folders of defocused pairs and stacks, as `panfocus train dualpath` takes them. The run is
resumed where RUN holds a checkpoint of one.
"""

from panfocus.train.helper_run import train_helper
from panfocus.train.scout.pack import write
from panfocus.train.scout.task import ScoutRecipe, ScoutTask

if __name__ == "__main__":
    train_helper(
        "scout", __doc__, lambda sources, seed: ScoutTask(ScoutRecipe(), sources, seed), write
    )
