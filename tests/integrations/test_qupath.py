"""The script, run by Groovy on stand-ins for QuPath's classes; QuPath itself is not at hand."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from tests.conftest import focal_stack
from tests.integrations.groovy import PANFOCUS, has_groovy, run
from tests.integrations.test_imagej import ROOT

SCRIPT = ROOT / "integrations/qupath/Fuse_focal_stack.groovy"
STAND_INS = ROOT / "tests/integrations/qupath_stand_ins"

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(not (has_groovy() and PANFOCUS.exists()), reason="needs groovy"),
]


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    assert run("groovyc", "-d", folder, *sorted(STAND_INS.rglob("*.groovy")), cwd=folder) == ""
    return folder


@pytest.fixture
def cells(tmp_path):
    path = tmp_path / "the cells.ome.tif"
    frames = focal_stack(3, 64, 80)[0].astype(np.uint16) * 9
    with tifffile.TiffWriter(path, ome=True) as file:
        for n in range(2):
            about = {"axes": "CZYX", "PhysicalSizeZ": 1.5, "Name": f"field {n}"}
            stack = np.moveaxis(frames, -1, 0)[:2] + n
            file.write(stack, photometric="minisblack", metadata=about)
    return path


def told(classes, image, **properties):
    facts = {"command": PANFOCUS, "system": "guided", **properties}
    if image is not None:
        facts["image"] = image
    code = "\n".join(f"System.setProperty('{k}', '{v}')" for k, v in facts.items())
    start = classes / "start.groovy"
    start.write_text(f"{code}\nnew GroovyShell().evaluate(new File('{SCRIPT}'))\n")
    return run("groovy", "-cp", classes, start, cwd=classes)


def test_the_file_of_the_image_is_fused_and_joins_the_project(classes, cells):
    said = told(classes, cells, project=1, depth=1, series="[--series, 1]")
    fused = cells.with_name("the cells_fused.ome.tif")
    assert f"added {fused.as_uri().replace('///', '/')}" in said
    assert "named the cells_fused.ome.tif" in said
    assert said.rstrip().endswith("synced\nrefreshed\nopened the entry")
    with tifffile.TiffFile(fused) as file:
        assert len(file.series) == 1
        assert 'Name="field 1"' in file.ome_metadata
    assert cells.with_name("the cells_fused_depth.ome.tif").exists()


def test_a_selection_is_written_by_qupath_and_a_free_name_taken(classes, cells):
    cells.with_name("the cells_part_fused.ome.tif").write_bytes(b"mine")
    said = told(classes, cells, region="10.5,20,30,40", written=cells)
    assert "wrote all Z, all T, 10 20 30 40" in said
    fused = cells.with_name("the cells_part_fused_2.ome.tif")
    assert f"opened {fused}" in said
    with tifffile.TiffFile(fused) as file:
        assert len(file.series) == 2
    assert cells.with_name("the cells_part_fused.ome.tif").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        ({"slices": 1}, "several Z-slices"),
        ({"command": "/no/such"}, "takes the path of panfocus"),
        ({"system": "guided", "series": "[--series, 7]"}, "there is no such position"),
    ],
)
def test_what_goes_wrong_is_told(classes, cells, properties, error):
    said = told(classes, cells, **properties)
    assert "error " in said
    assert error in said
    assert "opened" not in said
    assert [p.name for p in cells.parent.iterdir()] == [cells.name]


def test_without_an_image_and_cancelled(classes, cells):
    assert "error Open an image" in told(classes, None)
    assert told(classes, cells, cancelled=1) == ""
