"""Small pictures from scikit-image, and few threads: the machine is shared."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="session", autouse=True)
def few_threads():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Four sharp pictures of 200 x 220."""
    from skimage import data

    path = tmp_path_factory.mktemp("sharp")
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        picture = getattr(data, name)()[20:220, 30:250]
        cv2.imwrite(str(path / f"{name}.png"), np.ascontiguousarray(picture[..., ::-1]))
    return path


@pytest.fixture(scope="session")
def sources(folder):
    from panfocus.train import pictures, synthesis

    return synthesis.Sources(pictures.load([folder], 100))
