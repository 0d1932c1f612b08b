"""Pictures of scikit-image, and sources of them."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def picture():
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[100:300, 100:330])


@pytest.fixture(scope="module")
def supply(picture):
    from skimage import data

    from panfocus.train.dualpath.redefocus import sources_of

    return sources_of([picture, np.ascontiguousarray(data.coffee()[100:300, 200:430])])
