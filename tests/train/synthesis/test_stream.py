import numpy as np
import pytest

from panfocus.errors import DataError, UsageError
from panfocus.train import pictures, synthesis
from panfocus.train.synthesis import Stream


def test_batches_are_a_function_of_seed_step_and_position(sources):
    stream = Stream("varied", sources, 3)
    whole = stream.batch(7, range(4), 32)
    halves = [stream.batch(7, half, 32) for half in (range(2), range(2, 4))]
    for a, b, c in zip(whole, *halves, strict=True):
        assert np.array_equal(a, np.concatenate((b, c)))
    assert not np.array_equal(whole.first, stream.batch(8, range(4), 32).first)
    assert not np.array_equal(
        whole.first, Stream("varied", sources, 4).batch(7, range(4), 32).first
    )


def test_wrong_data_is_told(tmp_path, folder):
    with pytest.raises(DataError, match="does not exist"):
        pictures.load([tmp_path / "nowhere"], 64)
    with pytest.raises(DataError, match="no pictures"):
        pictures.load([tmp_path], 64)
    with pytest.raises(DataError, match="too few") as told:
        pictures.load([folder], 500)
    assert told.value.got == "0 of 4"
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"broken\.png"):
        pictures.load([tmp_path], 64)
    with pytest.raises(UsageError, match="published or varied"):
        Stream("plain", synthesis.Sources(pictures.load([folder], 64)), 0)
