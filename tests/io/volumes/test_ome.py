"""OME-XML that is damaged or fits other pages is refused; lengths are kept, or it is told."""

import json

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.io.units import micrometres
from tests.conftest import focal_stack

Z, H, W = 5, 40, 56
PLANES = np.concatenate([focal_stack(Z, H, W, seed=s)[0][..., 0] for s in (0, 1)])  # C, Z


def xml(*, pixels="", tiffdata="<TiffData/>", planes="", order="XYZCT", c=2, z=Z, t=1, **more):
    sizes = {"SizeX": W, "SizeY": H, "SizeZ": z, "SizeC": c, "SizeT": t, **more}
    said = " ".join(f'{k}="{v}"' for k, v in sizes.items())
    channels = "".join(f'<Channel ID="Channel:0:{n}" SamplesPerPixel="1"/>' for n in range(2))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OME '
        'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="i">'
        f'<Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint8" {said} {pixels}>'
        f"{channels}{tiffdata}{planes}</Pixels></Image></OME>"
    )


def write(path, text, pages=PLANES):
    with tifffile.TiffWriter(path) as writer:
        for n, page in enumerate(pages):
            writer.write(
                page,
                contiguous=False,
                description=text.encode() if n == 0 else None,
                metadata=None,
                photometric="minisblack",
            )
    return path


def fuse(source, out, *options):
    return main(["fuse", str(source), "-o", str(out), "-s", "guided", *options])


UNSOUND = {
    "cut": xml()[:-40] + "OME>",
    "cut short": xml()[:-3],
    "one channel of two": xml(c=1),
    "half the depths": xml(z=3),
    "no channel": xml(c=0),
    "no depth": xml(z=0),
    "no time": xml(t=0),
    "negative channel": xml(c=-2),
    "negative depth": xml(z=-5),
    "a word": xml(c="two"),
    "too many channels": xml(c=4),
    "too many depths": xml(z=9),
    "huge": xml(z=2**40),
    "wide": xml(SizeX=W * 2),
    "high": xml(SizeY=H - 1),
    "odd order": xml(order="YXZCT"),
    "unknown order": xml(order="XYZZT"),
    "no order": xml().replace('DimensionOrder="XYZCT" ', ""),
    "page beyond the end": xml(tiffdata='<TiffData IFD="5" PlaneCount="10"/>'),
    "page far away": xml(tiffdata='<TiffData IFD="400"/>'),
    "negative page": xml(tiffdata='<TiffData IFD="-1" PlaneCount="10"/>'),
    "channel beyond": xml(tiffdata='<TiffData FirstC="2" IFD="0" PlaneCount="10"/>'),
    "one page for all": xml(
        tiffdata="".join(
            f'<TiffData FirstC="{c}" FirstZ="{k}" IFD="0"/>' for c in (0, 1) for k in range(Z)
        )
    ),
    "half of them": xml(tiffdata='<TiffData IFD="0" PlaneCount="5"/>'),
    "none of them": xml(tiffdata=""),
    "no picture": '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"></OME>',
    "part of a set": '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<BinaryOnly MetadataFile="first.ome.tif" UUID="urn:uuid:1"/></OME>',
}


@pytest.mark.parametrize("ending", [".ome.tif", ".tif"])
@pytest.mark.parametrize("name", UNSOUND)
def test_what_cannot_be_believed_is_refused_and_axes_help(tmp_path, capsys, name, ending):
    source = write(tmp_path / f"s{ending}", UNSOUND[name])
    out = tmp_path / "o.ome.tif"
    assert fuse(source, out) == 1
    err = capsys.readouterr().err
    for part in (source.name, "expected", "got", "--axes"):
        assert part in err
    assert not out.exists()
    single = write(tmp_path / f"one{ending}", UNSOUND[name], PLANES[:Z])
    assert fuse(single, out, "--axes", "ZYX") == 0
    assert tifffile.imread(out).shape == (H, W)


@pytest.mark.parametrize(
    "text",
    [
        xml(),
        xml(tiffdata='<TiffData IFD="0" PlaneCount="10"/>'),
        xml(tiffdata="".join(f'<TiffData FirstZ="{n % 5}" FirstC="{n // 5}" IFD="{n}"/>'
                             for n in range(10))),
    ],
)  # fmt: skip
def test_sound_ways_to_name_pages_are_read(tmp_path, text):
    assert fuse(write(tmp_path / "s.ome.tif", text), tmp_path / "o.ome.tif") == 0
    assert tifffile.imread(tmp_path / "o.ome.tif").shape == (2, H, W)


@pytest.mark.parametrize("order", ["XYZCT", "XYCZT", "XYCTZ", "XYTCZ", "XYTZC", "XYZTC"])
def test_every_order_of_dimensions_is_read(tmp_path, order):
    both = PLANES.reshape(2, Z, H, W)
    if order.index("C") < order.index("Z"):
        both = both.swapaxes(0, 1)
    source = write(tmp_path / "s.ome.tif", xml(order=order), both.reshape(-1, H, W))
    good = write(tmp_path / "g.ome.tif", xml())
    results = []
    for path in (source, good):
        assert fuse(path, tmp_path / f"o{path.name}") == 0
        results.append(tifffile.imread(tmp_path / f"o{path.name}"))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("lost", [1, 40, 200, 1000, 5000, 20_000])
@pytest.mark.parametrize("ending", [".ome.tif", ".tif"])
def test_lost_last_bytes_are_never_another_stack(tmp_path, lost, ending):
    source = tmp_path / f"s{ending}"
    stack = PLANES.reshape(1, 2, Z, H, W)
    tifffile.imwrite(source, stack, ome=True, metadata={"axes": "TCZYX"}, photometric="minisblack")
    whole = source.read_bytes()
    assert fuse(source, tmp_path / "good.ome.tif") == 0
    source.write_bytes(whole[:-lost])
    if fuse(source, tmp_path / "o.ome.tif") == 0:
        np.testing.assert_array_equal(
            tifffile.imread(tmp_path / "o.ome.tif"), tifffile.imread(tmp_path / "good.ome.tif")
        )


def places(*um, unit='PositionZUnit="µm"', start=0.0):
    return "".join(
        f'<Plane TheC="{c}" TheT="0" TheZ="{n}" PositionZ="{start + z}" {unit}/>'
        for c in (0, 1)
        for n, z in enumerate(um)
    )


def depth_of(tmp_path, capsys, **said):
    source = write(tmp_path / "s.ome.tif", xml(**said))
    report = tmp_path / "r.json"
    words = ("--depth-map", "--overwrite", "--json", str(report))
    assert fuse(source, tmp_path / "o.ome.tif", *words) == 0
    capsys.readouterr()
    depth = tifffile.imread(tmp_path / "o_depth.ome.tif")
    return float(depth.max()), json.loads(report.read_text())["warnings"]


@pytest.mark.parametrize(
    ("size", "unit", "um"),
    [
        ("2", None, 2.0), ("2000", "nm", 2.0), ("0.002", "mm", 2.0), ("0.00002", "dm", 2.0),
        ("20000", "Å", 2.0), ("0.0002", "cm", 2.0), ("2e-6", "m", 2.0), ("1e-4", "in", 2.54),
        ("2e-9", "km", 2.0), ("2e6", "pm", 2.0), ("0.1", "thou", 2.54), ("2e9", "fm", 2.0),
    ],
)  # fmt: skip
def test_a_step_in_any_unit_is_micrometres(tmp_path, capsys, size, unit, um):
    said = f'PhysicalSizeZ="{size}"' + (f' PhysicalSizeZUnit="{unit}"' if unit else "")
    top, notes = depth_of(tmp_path, capsys, pixels=said)
    assert top == pytest.approx(4 * um, rel=1e-5)
    assert not [note for note in notes if "PhysicalSize" in note]


@pytest.mark.parametrize(
    ("size", "unit"),
    [("2", "pixel"), ("2", "reference frame"), ("-2", "µm"), ("0", "nm"), ("x", "m")],
)
def test_a_step_that_is_no_length_is_said(tmp_path, capsys, size, unit):
    said = f'PhysicalSizeZ="{size}" PhysicalSizeZUnit="{unit}"'
    top, notes = depth_of(tmp_path, capsys, pixels=said)
    assert top == 4.0
    assert any("PhysicalSizeZ" in note and "no length" in note for note in notes)


@pytest.mark.parametrize("start", [0.0, 1234.5, -80.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_step_that_only_positions_tell(tmp_path, capsys, start, sign):
    um = [sign * 1.5 * n for n in range(Z)]
    top, notes = depth_of(tmp_path, capsys, planes=places(*um, start=start))
    assert top == pytest.approx(6.0)
    assert any("PositionZ" in note and "1.5 µm apart" in note for note in notes)
    top, _ = depth_of(
        tmp_path, capsys, planes=places(*[1000 * u for u in um], unit='PositionZUnit="nm"')
    )
    assert top == pytest.approx(6.0)


def test_uneven_steps_are_told_and_depth_follows_them(tmp_path, capsys):
    top, notes = depth_of(tmp_path, capsys, planes=places(0, 1, 2, 5, 9))
    assert any("1 to 4 µm" in note for note in notes)
    assert top == pytest.approx(9.0)
    depth = tifffile.imread(tmp_path / "o_depth.ome.tif")
    counted, _ = depth_of(tmp_path, capsys)
    planes = tifffile.imread(tmp_path / "o_depth.ome.tif")
    assert counted == 4.0
    np.testing.assert_allclose(depth, np.interp(planes, range(Z), [0, 1, 2, 5, 9]), atol=1e-5)


def test_positions_that_gainsay_the_step_are_told(tmp_path, capsys):
    said = 'PhysicalSizeZ="2" PhysicalSizeZUnit="µm"'
    top, notes = depth_of(tmp_path, capsys, pixels=said, planes=places(0, 1, 2, 3, 4))
    assert top == pytest.approx(8.0)
    assert any("PhysicalSizeZ is 2 µm" in note and "1 µm apart" in note for note in notes)
    _, notes = depth_of(tmp_path, capsys, pixels=said, planes=places(0, 2, 4, 6, 8))
    assert not [note for note in notes if "PositionZ" in note]


@pytest.mark.parametrize(
    "planes",
    [
        places(0, 2, 1, 3, 4),
        places(1, 1, 1, 1, 1),
        places(0, 1, 2),
        places(0, 1, 2, 3, 4).replace('"3.0"', '"a"'),
    ],
)
def test_positions_that_are_no_depth_are_not_taken(tmp_path, capsys, planes):
    assert depth_of(tmp_path, capsys, planes=planes)[0] == 4.0


@pytest.mark.parametrize(
    ("unit", "um"),
    [
        ("um", 1), ("µm", 1), ("μm", 1), ("\\u00B5m", 1), ("micron", 1), ("microns", 1),
        ("micrometer", 1), ("micrometre", 1), ("Micrometers", 1), ("nanometer", 1e-3), ("nm", 1e-3),
        ("angstrom", 1e-4), ("Å", 1e-4), ("millimeter", 1e3), ("Mm", 1e12), ("mm", 1e3),
        ("decimeter", 1e5), ("hectometer", 1e8), ("inch", 25_400), ("inches", 25_400),
        ("foot", 304_800), ("meter", 1e6), ("yoctometer", 1e-18),
    ],
)  # fmt: skip
def test_units_as_formats_write_them(unit, um):
    assert micrometres(3, unit) == pytest.approx(3 * um, rel=1e-12)


@pytest.mark.parametrize(
    "value",
    [
        ("1", "pixel"),
        ("nan", "um"),
        ("inf", "um"),
        ("-1", "um"),
        ("", "um"),
        ("1", "meters per second"),
        ("1", "parsek"),
        ("1", ""),
    ],
)
def test_what_is_no_length(value):
    assert micrometres(*value) is None


def test_common_lengths_are_exact():
    assert micrometres(325.0, "nm") == 0.325
    assert micrometres(2, "mm") == 2000.0
    assert micrometres(0.3, "µm") == 0.3
