"""The library names parameters, the command line flags."""

import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.cli.flags import in_flags
from panfocus.errors import UsageError
from panfocus.pipeline.options import FIELDS, flag_of


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ('align them by `align="auto"`', "align them by --align auto"),
        ("without `keep_size=True` it is cropped", "without --keep-size it is cropped"),
        ("`keep_size=False` crops", "--crop crops"),
        ("  where: z_step_um", "  where: --z-step"),
        ("  where: path /a/b.tif, mesh /a/c.glb", "  where: -o /a/b.tif, --mesh /a/c.glb"),
        ("  where: axes ZZYX, s.tif", "  where: --axes ZZYX, s.tif"),
        ("  where: frame 3", "  where: frame 3"),
        ("`panfocus systems` lists them", "`panfocus systems` lists them"),
    ],
)
def test_flags_stand_for_parameters(said, shown):
    assert in_flags(f"what\n{said}") == f"what\n{shown}"


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_setting_has_a_flag_in_messages(name):
    assert in_flags(f"  where: {name}") == f"  where: {flag_of(name)}"


def test_one_error_with_two_faces(tmp_path, capsys):
    with pytest.raises(ValueError, match="where: mode") as told:  # a plain ValueError for others
        panfocus.fuse(["a.png", "b.png"], mode="average")
    assert isinstance(told.value, UsageError)
    with pytest.raises(UsageError, match="where: z_step_um"):
        panfocus.fuse(["a.png", "b.png"], z_step_um=-1.0)
    code = main(["fuse", "a.png", "b.png", "-o", str(tmp_path / "o.png"), "--reference", "best"])
    assert code == 2
    assert "where: --reference" in capsys.readouterr().err


def test_a_file_that_is_called_like_a_parameter_is_no_flag():
    assert in_flags("what\n  where: out", ["fuse", "out"]) == "what\n  where: out"
    assert in_flags("what\n  where: out", ["fuse", "--out", "x"]) == "what\n  where: --out"


def test_an_output_that_is_called_like_a_parameter_is_told_by_its_name(capsys, tmp_path):
    names = [str(tmp_path / f"{n}.png") for n in range(2)]
    for n, name in enumerate(names):
        Image.fromarray(np.full((32, 32), 90 * n + 9, np.uint8)).save(name)
    assert main(["fuse", *names, "-o", "out"]) == 2
    assert "where: out\n" in capsys.readouterr().err
