"""How a picture was made stands in its XMP, beside what the photograph tells."""

import json
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus import io
from panfocus.io.history import MOST_NAMED, with_history
from panfocus.io.mark import mark
from panfocus.io.metadata import clean_xmp
from tests.io.test_xmp import packet
from tests.pipeline.test_project import write_stack

MM, EVENT = (
    "{http://ns.adobe.com/xap/1.0/mm/}",
    "{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}",
)
REF = "{http://ns.adobe.com/xap/1.0/sType/ResourceRef#}"


def told(xmp):
    """Return program, options and frames of the one event of a packet."""
    root = ElementTree.fromstring(xmp)
    (event,) = [e for e in root.iter() if EVENT + "action" in e.attrib]
    frames = [e.attrib[REF + "filePath"] for e in root.iter() if REF + "filePath" in e.attrib]
    assert event.attrib[EVENT + "action"] == "derived"
    return event.attrib[EVENT + "softwareAgent"], event.attrib[EVENT + "parameters"], frames


@pytest.mark.parametrize("before", [None, b"no XML", packet('dc:format="image/tiff"')])
def test_an_event_is_added_to_what_is_there(before):
    made = with_history(before, 'fused by "guided" & <more>', ["a.jpg", "<b>&\x01.jpg"])
    program, words, frames = told(made)
    assert program == mark()
    assert words == 'fused by "guided" & <more>'
    assert frames == ["a.jpg", "<b>&?.jpg"]
    assert (b"image/tiff" in made) == (before is not None and before.startswith(b"<"))
    again = clean_xmp(made)
    assert b"History" not in again and b"stRef:filePath" not in again  # of the old file
    assert (b"image/tiff" in again) == (b"image/tiff" in made)


def test_frames_beyond_many_are_left_out():
    _, _, frames = told(with_history(None, "", [f"{n}.jpg" for n in range(5000)]))
    assert len(frames) == MOST_NAMED


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history") / "shots"
    write_stack(folder)
    return folder


def xmp_of(path):
    with Image.open(path) as image:
        found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
        found = found or image.tag_v2[700]
    return found.encode() if isinstance(found, str) else found


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
def test_every_format_tells_it(shots, tmp_path, ending):
    fusion = panfocus.fuse(shots, system="guided", mode="select", reference=1)
    fusion.save(tmp_path / f"a{ending}")
    _, words, frames = told(xmp_of(tmp_path / f"a{ending}"))
    expected = "4 frames fused by guided; options --system guided --reference 1 --mode select"
    assert words == expected
    assert frames == ["0.png", "1.png", "2.png", "3.png"]
    fusion.save(tmp_path / f"b{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif", ".webp"])
def test_exiftool_understands_it(shots, tmp_path, ending):
    if shutil.which("exiftool") is None:
        pytest.skip("ExifTool is not installed")
    path = tmp_path / f"a{ending}"
    panfocus.fuse(shots, system="guided").save(path)
    words = ["exiftool", "-j", "-XMP:all", "-validate", "-warning", str(path)]
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    (facts,) = json.loads(out)
    assert facts["HistorySoftwareAgent"] == mark()
    assert facts["HistoryParameters"] == "4 frames fused by guided; options --system guided"
    assert facts["IngredientsFilePath"] == ["0.png", "1.png", "2.png", "3.png"]


def test_folders_are_not_told(shots, tmp_path):
    flat = tmp_path / "secret" / "flat.png"
    flat.parent.mkdir()
    with Image.open(shots / "0.png") as image:
        like = np.asarray(image)
    Image.fromarray(np.full_like(like, 200)).save(flat)
    panfocus.fuse(shots, system="guided", flat_field=flat).save(tmp_path / "a.png")
    xmp = xmp_of(tmp_path / "a.png")
    assert b"--flat-field flat.png" in xmp
    assert b"secret" not in xmp and b"shots" not in xmp


def test_a_result_that_is_fused_again_tells_its_own_history(shots, tmp_path):
    for name, system in (("a.png", "guided"), ("b.png", "guided-sf")):
        panfocus.fuse(shots, system=system).save(tmp_path / name)
    inputs = [tmp_path / "a.png", tmp_path / "b.png"]
    panfocus.fuse(inputs, system="guided").save(tmp_path / "c.png")
    assert told(xmp_of(tmp_path / "c.png"))[2] == ["a.png", "b.png"]
    info = io.find_frames([tmp_path / "c.png"])[0][0]
    assert b"Ingredients" not in (io.read_frame(info).metadata.xmp or b"")
