"""What the system refuses to give is said as such, and not as a fault of panfocus."""

import errno

import pytest

from panfocus.cli.last_resort import told


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_told(number):
    assert "too many files are open" in str(told(OSError(number, "Too many open files"), []))
