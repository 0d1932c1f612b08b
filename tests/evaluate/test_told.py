"""What lies in place of scores and of lists of results is told in words."""

import os

import pytest

from panfocus.errors import DataError, InputError, OutputError
from panfocus.evaluate.contestants import file_hash
from panfocus.evaluate.matching import _listed
from panfocus.evaluate.store import NAME, Store


def test_scores_that_are_no_numbers_are_told(tmp_path):
    (tmp_path / NAME).write_text("image,system,key,seconds,Q\na,b,c,1,x\n")
    with pytest.raises(OutputError, match="the text 'x' in place of a number"):
        Store.open(tmp_path, [])


def test_a_folder_in_place_of_the_scores_is_told(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(OutputError, match="no ordinary file"):
        Store.open(tmp_path, [])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes")
def test_a_pipe_in_place_of_a_list_is_told(tmp_path):
    os.mkfifo(tmp_path / "list.csv")
    with pytest.raises(DataError, match="no ordinary file"):
        _listed(tmp_path / "list.csv")


def test_a_picture_of_any_length_is_not_read_through_to_tell_it_from_others(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(2**36)
    with pytest.raises(InputError, match="a file of 65536 MiB"):
        file_hash(tmp_path / "a.png")
