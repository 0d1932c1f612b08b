"""`python -m panfocus.demo` leaves alone what is not its own."""

from typing import Any, cast

import pytest

from panfocus import demo
from panfocus.errors import OutputError


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "fused.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="something else"):
        demo._write_story(tmp_path, cast("Any", None), cast("Any", None))
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"mine"]
