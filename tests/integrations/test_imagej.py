"""The macro, run by ImageJ under a virtual display; skipped where there is no ImageJ."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.conftest import focal_stack
from tests.integrations.groovy import PANFOCUS, has_groovy, run

JAR = Path("/usr/share/java/ij.jar")
ROOT = Path(__file__).parents[2]
MACRO = ROOT / "integrations/imagej/Fuse_focal_stack.ijm"
SCRIPT = ROOT / "integrations/imagej/Fuse_focal_stack_with_progress.groovy"

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(
        not (JAR.exists() and shutil.which("java") and PANFOCUS.exists()),
        reason="needs ImageJ and java",
    ),
]

ABOUT = """
getDimensions(w, h, c, s, f); getVoxelSize(vw, vh, vd, unit);
print("@" + getTitle() + ";" + w + ";" + h + ";" + c + ";" + s + ";" + f + ";" + bitDepth() + ";"
    + vw + ";" + vd + ";" + unit);
"""


def told_by_imagej(tmp_path, screen, *lines):
    script = tmp_path / "test.ijm"
    script.write_text("\n".join([*lines, 'print(getInfo("log"));', 'run("Quit");']))
    words = ["java", f"-Duser.home={tmp_path}", "-jar", str(JAR)]
    done = subprocess.run(
        [*words, "-batch", str(script)],
        env=screen, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.stdout


def run_macro(words):
    return f'runMacro("{MACRO}", "command={PANFOCUS} system=guided align=none {words}");'


def test_a_hyperstack_comes_back_with_maps_units_and_colours(tmp_path, screen):
    frames = focal_stack(5)[0].astype(np.uint16) * 13
    # (T, Z, C, H, W): a channel is a colour, later times are darker
    stack = np.stack([np.moveaxis(frames, -1, 1)[:, :2] // (t + 1) for t in range(2)])
    facts = {"axes": "TZCYX", "unit": "um", "spacing": 1.5, "finterval": 2.0}
    tifffile.imwrite(tmp_path / "cells.tif", stack, imagej=True, resolution=(2, 2), metadata=facts)
    colours = 'getLut(r, g, b); print("colour " + r[200] + " " + g[200] + " " + b[200]);'
    told = told_by_imagej(
        tmp_path,
        screen,
        f'open("{tmp_path / "cells.tif"}");',
        'Stack.setDisplayMode("composite"); Stack.setChannel(2); run("Cyan");',
        run_macro("depth index confidence"),
        "Stack.setChannel(2);",
        colours,
        "list = getList('image.titles');",
        "for (i = 0; i < list.length; i++) { selectWindow(list[i]);",
        ABOUT,
        "}",
    )
    facts = {row.split(";")[0][1:]: row.split(";")[1:] for row in told.splitlines() if "@" in row}
    assert facts["cells.tif fused"][2:6] == ["2", "1", "2", "16"]
    assert facts["cells.tif depth"][2:6] == ["2", "1", "2", "32"]
    assert set(facts) == {"cells.tif", *(f"cells.tif {m}" for m in
                          ("fused", "depth", "index", "confidence"))}  # fmt: skip
    assert all(row[6:] == facts["cells.tif"][6:] for row in facts.values())
    assert facts["cells.tif"][6:] == ["0.5", "1.5", "µm"]
    assert "colour 0 200 200" in told


def test_a_plain_stack_taken_for_times_is_fused_and_colours_too(tmp_path, screen):
    frames, _ = focal_stack(3)
    tifffile.imwrite(tmp_path / "rgb.tif", frames, imagej=True, metadata={"axes": "TYXS"})
    told = told_by_imagej(
        tmp_path, screen, f'open("{tmp_path / "rgb.tif"}");', run_macro(""), ABOUT
    )
    assert "@rgb.tif fused;120;80;1;1;1;24" in told


def test_what_goes_wrong_is_told(tmp_path, screen):
    frames, _ = focal_stack(3)
    tifffile.imwrite(tmp_path / "z.tif", frames[..., 0], imagej=True, metadata={"axes": "ZYX"})
    start = f'open("{tmp_path / "z.tif"}");'
    nowhere = told_by_imagej(tmp_path, screen, start, f'runMacro("{MACRO}", "command=/no/such");')
    assert "panfocus could not fuse the stack" in nowhere
    unknown = told_by_imagej(tmp_path, screen, start, f'runMacro("{MACRO}", "sistem=guided");')
    assert "unknown word sistem=guided" in unknown


START = """
import ij.*
Prefs.set("panfocus.command", "nothing that is there")
new ImageJ(ImageJ.NO_SHOW)
WindowManager.tempCurrentImage = IJ.openImage("{stack}")
Thread.currentThread().name = 'Run$_script'  // by which dialogues know a macro
Macro.options = "panfocus={command} system=guided {words} "
IJ.redirectErrorMessages(true)  // into the log: nobody closes a window here
new GroovyShell().evaluate(new File("{script}"))
(WindowManager.IDList ?: []).each {{
    def image = WindowManager.getImage(it)
    def size = [image.NChannels, image.NSlices, image.NFrames, image.bitDepth]
    def lengths = [image.calibration.pixelWidth, image.calibration.unit]
    image.setC(image.NChannels)
    def colour = image.processor.lut.getRGB(200) & 0xffffff
    println "@" + ([image.title, *size, *lengths, colour].join(";"))
}}
println "log: " + (IJ.log ?: "")
System.exit(0)
"""


def told_by_groovy(tmp_path, screen, stack, words, command=PANFOCUS):
    if not has_groovy():
        pytest.skip("needs groovy")
    start = tmp_path / "start.groovy"
    start.write_text(START.format(stack=stack, command=command, words=words, script=SCRIPT))
    environ = {**screen, "JAVA_OPTS": f"-Duser.home={tmp_path}"}
    return run("groovy", "-cp", JAR, start, cwd=tmp_path, environ=environ)


def test_the_script_gives_the_same_and_lets_a_channel_decide(tmp_path, screen):
    frames = focal_stack(4)[0].astype(np.uint16) * 13
    stack = np.moveaxis(frames, -1, 1)[:, :2]  # (Z, C, H, W)
    luts = [np.array([np.linspace(0, c, 256)] * 3, np.uint8) for c in (255, 100)]
    facts = {"axes": "ZCYX", "unit": "um", "spacing": 1.5, "mode": "composite", "LUTs": luts}
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, stack, imagej=True, resolution=(2, 2), metadata=facts)
    words = "align=none channels=[channel 2] depth index"
    said = told_by_groovy(tmp_path, screen, path, words)
    rows = {r.split(";")[0][1:]: r.split(";")[1:] for r in said.splitlines() if r[:1] == "@"}
    assert rows["cells.tif fused"] == ["2", "1", "1", "16", "0.5", "µm", str(0x4E4E4E)]
    # one channel decides: one map for all
    assert rows["cells.tif depth"][:4] == ["1", "1", "1", "32"]
    assert set(rows) == {"cells.tif fused", "cells.tif depth", "cells.tif index"}


def test_the_script_tells_what_goes_wrong(tmp_path, screen):
    frames, _ = focal_stack(3)
    flat = tmp_path / "flat.tif"
    tifffile.imwrite(flat, frames[0, ..., 0], imagej=True)
    assert "one plane along Z" in told_by_groovy(tmp_path, screen, flat, "")
    path = tmp_path / "z.tif"
    tifffile.imwrite(path, frames[..., 0], imagej=True, metadata={"axes": "ZYX"})
    said = told_by_groovy(tmp_path, screen, path, "align=none", command="/no/such")
    assert "which panfocus" in said
    assert "@" not in said
