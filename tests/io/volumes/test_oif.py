"""An OIF that is written here, with its folder of planes: places, dyes, lengths, times."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.errors import InputError
from panfocus.io.volumes.open import is_volume, open_volume
from tests.conftest import focal_stack

FRAMES, _ = focal_stack(4, 48, 64)
DEEP = FRAMES[..., 0].astype(np.uint16) * 16
MAIN = """[Axis 0 Parameters Common]
AxisCode="X"
MaxSize=64
[Axis 3 Parameters Common]
AxisCode="Z"
MaxSize=4
StartPosition=0.0
EndPosition=-4500.0
UnitName="nm"
[Axis 4 Parameters Common]
AxisCode="T"
MaxSize=2
StartPosition=0.0
EndPosition=5000.0
UnitName="ms"
[Axis Parameter Common]
AxisCount=5
AxisOrder="XYCZT"
[Channel 1 Parameters]
CH Name="CH1"
DyeName="DAPI"
[Channel 2 Parameters]
CH Name="CH2"
DyeName="None"
[ProfileSaveInfo]
Name="COFAImages"
Version="2.0.0.0"
[Reference Image Parameter]
HeightConvertValue=0.25
HeightUnit="um"
WidthConvertValue=0.25
WidthUnit="um"
"""


def plane(t, c, z):
    return (DEEP[z] // (1 + c) + 9 * t).astype(np.uint16)


def write_oif(path, name="s_C{c:03d}Z{z:03d}T{t:03d}.tif"):
    path.write_bytes(b"\xff\xfe" + MAIN.replace("\n", "\r\n").encode("utf-16-le"))
    folder = path.with_name(path.name + ".files")
    folder.mkdir()
    for t, c, z in np.ndindex(2, 2, 4):
        file = folder / name.format(t=t + 1, c=c + 1, z=z + 1)
        tifffile.imwrite(file, plane(t, c, z), metadata=None)
    return path


@pytest.fixture
def cells(tmp_path):
    pytest.importorskip("oiffile", reason="OIF is read by oiffile (extra bio)")
    return write_oif(tmp_path / "cells.oif")


def test_planes_lengths_and_names(cells, tmp_path):
    assert is_volume(cells)
    with closing(open_volume(cells)) as volume:
        (position,) = volume.positions
        assert (position.times, len(position.channels), position.depths) == (2, 2, 4)
        assert position.voxel_um == pytest.approx((1.5, 0.25, 0.25))
        assert position.facts == {"TimeIncrement": 5.0}
        assert [channel.name for channel in position.channels] == ["DAPI", "CH2"]
        for place in np.ndindex(2, 2, 4):
            np.testing.assert_array_equal(position.read(*place), plane(*place))
    out = tmp_path / "o.ome.tif"
    assert main(["fuse", str(cells), "-o", str(out), "-s", "guided"]) == 0
    with tifffile.TiffFile(out) as file:
        assert file.series[0].shape == (2, 2, 48, 64)
        assert 'PhysicalSizeX="0.25"' in file.ome_metadata


def test_what_is_missing_or_damaged_is_told(cells, tmp_path):
    folder = tmp_path / "cells.oif.files"
    last = folder / "s_C002Z004T002.tif"
    last.rename(tmp_path / "kept.tif")
    with pytest.raises(InputError, match="a plane is missing"):
        open_volume(cells)
    (tmp_path / "kept.tif").rename(folder / "s_C002Z004T002L001.tif")
    with pytest.raises(InputError, match="the axes L, too"):
        open_volume(cells)
    cells.write_bytes(b"\xff\xfe[")
    with pytest.raises(InputError):
        open_volume(cells)
    (tmp_path / "a.oib").write_bytes(b"no compound file")
    with pytest.raises(InputError, match="cannot be read"):
        open_volume(tmp_path / "a.oib")


def test_the_page_reads_no_planes_from_elsewhere(cells, tmp_path):
    """The folder of an OIF lies beside it; a link in its place leads out."""
    pytest.importorskip("starlette", reason="the page needs the extra web")
    from tests.web.conftest import serving

    home = tmp_path / "home"
    home.mkdir()
    cells.rename(home / "cells.oif")
    (home / "cells.oif.files").symlink_to(tmp_path / "cells.oif.files")
    with serving(home) as page:
        answer = page.post("/api/stacks", {"paths": [str(home / "cells.oif")]})
        assert answer.status_code == 403
        (home / "cells.oif.files").unlink()
        (tmp_path / "cells.oif.files").rename(home / "cells.oif.files")
        assert page.post("/api/stacks", {"paths": [str(home / "cells.oif")]}).status_code == 200
        page.idle()
