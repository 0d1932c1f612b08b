"""The export target, run by darktable under a virtual display; skipped where there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.conftest import focal_stack, psnr

FOLDER = Path(__file__).parents[2] / "integrations/darktable"
PANFOCUS = Path(sys.executable).with_name("panfocus")

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(
        not (shutil.which("darktable") and PANFOCUS.exists()), reason="needs darktable"
    ),
]

LUA = """
package.path = "{folder}/?.lua;" .. package.path
local dt = require "darktable"
local panfocus = require "panfocus"
dt.preferences.write("panfocus", "command", "file", "{program}")
local out = io.open("{told}.part", "w")
local function work()
  local exported = {{}}
  local format = dt.new_format("tiff")
  format.bpp = 16
  for n = {count} - 1, 0, -1 do
    local image = dt.database.import("{shots}/it's " .. n .. ".jpg")
    image.rating = n + 1
    image.green = n == 1
    dt.tags.attach(dt.tags.create("beetles|scarab"), image)
    exported[image] = "{exported}/exported " .. n .. ".tif"
    format:write_image(image, exported[image])
  end
  local fused = panfocus.fuse(exported, "{words}")
  if fused == nil then out:write("nothing\\n") return end
  out:write(fused.filename .. " " .. fused.rating .. " " .. tostring(fused.green) .. "\\n")
  for _, tag in ipairs(dt.tags.get_tags(fused)) do out:write(tag.name .. "\\n") end
  out:write("group of " .. #fused:get_group_members() .. "\\n")
end
local ok, error = pcall(work)
out:write(tostring(ok) .. " " .. tostring(error) .. "\\n")
out:close()
os.rename("{told}.part", "{told}")
"""


def told_by_darktable(tmp_path, screen, words, count=3):
    """Import, export and fuse a made stack in darktable; return what the script wrote."""
    (tmp_path / "shots").mkdir()
    (tmp_path / "exported").mkdir()
    (tmp_path / "conf").mkdir()
    frames, truth = focal_stack(3, 240, 360)
    for n, frame in enumerate(frames[:count]):
        exif = Image.Exif()
        exif[36867] = f"2026:11:26 10:00:0{n}"
        how = {"quality": 98, "subsampling": 0, "exif": exif}
        Image.fromarray(frame).save(tmp_path / f"shots/it's {n}.jpg", **how)
    told = tmp_path / "told"
    places = {"shots": tmp_path / "shots", "exported": tmp_path / "exported", "told": told}
    lua = LUA.format(folder=FOLDER, program=PANFOCUS, words=words, count=count, **places)
    (tmp_path / "conf/luarc").write_text(lua)
    # its caches are the test's own: two that start at once would share one
    own = [word for name in ("configdir", "cachedir") for word in (f"--{name}", tmp_path / "conf")]
    log = tmp_path / "darktable.log"
    with log.open("w") as printed, subprocess.Popen(
        ["darktable", "--disable-opencl", *own, "--library", ":memory:"],
        env=screen, stdout=printed, stderr=printed,
    ) as process:  # fmt: skip
        try:
            end = time.monotonic() + 300
            while not told.exists() and time.monotonic() < end and process.poll() is None:
                time.sleep(0.5)
        finally:
            process.kill()  # asked to end, it may wait for an answer that nobody gives
    assert told.exists(), log.read_text()
    return told.read_text().splitlines(), truth


def test_frames_are_fused_and_the_picture_is_taken_in(tmp_path, screen):
    told, truth = told_by_darktable(tmp_path, screen, "--system guided --align none")
    assert told[0] == "it's 0_fused.tif 3 true"
    assert "beetles|scarab" in told
    assert told[-2:] == ["group of 2", "true nil"]
    fused = tifffile.imread(tmp_path / "shots/it's 0_fused.tif")
    assert fused.dtype == np.uint16
    assert psnr((fused / 257).astype(np.uint8), truth) > 30
    assert list((tmp_path / "exported").iterdir()) == []


def test_what_panfocus_refuses_takes_nothing_in(tmp_path, screen):
    told, _ = told_by_darktable(tmp_path, screen, "--system nothing-of-this-name")
    assert told == ["nothing", "true nil"]
    assert not list((tmp_path / "shots").glob("*_fused*"))
    assert list((tmp_path / "exported").iterdir()) == []


def test_one_frame_is_no_stack(tmp_path, screen):
    told, _ = told_by_darktable(tmp_path, screen, "", count=1)
    assert told == ["nothing", "true nil"]
