"""Results carry a mark by which they are told from photographs; frames carry none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import panfocus
from panfocus import io
from panfocus.cli import main
from panfocus.io.animation import write_animation
from panfocus.io.ifd import ASCII, Block, Tag
from panfocus.io.ifd_pack import pack
from panfocus.io.metadata import parse_exif
from panfocus.io.provenance import is_made_by_panfocus
from panfocus.io.psd import write_psd
from panfocus.io.psd_layers import LayeredPicture, PsdLayer
from tests.pipeline.test_project import write_stack

ENDINGS = (".jpg", ".png", ".webp", ".tif")
CAMERA = b"Ver.1.03\0"


def picture(dtype: str = "uint8") -> np.ndarray:
    grid = np.arange(48 * 64 * 3).reshape(48, 64, 3)
    return (grid % 251).astype(dtype)


def camera() -> io.Metadata:
    block = Block()
    block.put_bytes(Tag.SOFTWARE, ASCII, CAMERA)
    return io.Metadata(exif=pack(block))


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_an_animation_carries_the_mark(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"turn{ending}"
    write_animation(path, iter([picture(), picture()[::-1]]), milliseconds=100)
    assert is_made_by_panfocus(path)
    Image.fromarray(picture()).save(path, save_all=True, append_images=[Image.new("RGB", (64, 48))])
    assert not is_made_by_panfocus(path)


@pytest.mark.parametrize("ending", [".psd", ".psb"])
@pytest.mark.parametrize("metadata", [io.Metadata(), camera()], ids=["bare", "camera"])
def test_layers_carry_the_mark(tmp_path: Path, ending: str, metadata: io.Metadata) -> None:
    path = tmp_path / f"layers{ending}"
    layered = LayeredPicture(picture(), [PsdLayer("a")], iter([(picture(), None)]))
    write_psd(path, layered, metadata)
    assert is_made_by_panfocus(path)
    whole = path.read_bytes()
    assert not is_marked_without(whole, tmp_path / f"plain{ending}")
    for length in (3, 27, 31, 40, 60):  # cut off: no mark, and no error
        path.write_bytes(whole[:length])
        assert not is_made_by_panfocus(path)


def is_marked_without(layers: bytes, path: Path) -> bool:
    path.write_bytes(layers.replace(b"panfocus", b"painting"))
    return is_made_by_panfocus(path)


def test_what_shows_a_fusion_is_left_out_beside_its_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shots = tmp_path / "shots"
    write_stack(shots)
    names = {name: shots / name for name in ("a.webp", "r.gif", "l.psd", "s.jpg")}
    options = zip(("animation", "rocking", "layers", "stereo"), names.values(), strict=True)
    panfocus.fuse(shots, system="guided").save(
        shots / "fused.png", height_map=shots / "h.png", **dict(options)
    )
    main(["fuse", str(shots), "-o", str(tmp_path / "again.png"), "-s", "guided"])
    told = capsys.readouterr().err
    assert "6 results of an earlier run" in told
    assert "4 frames fused" in told


def only(path: Path) -> io.FrameInfo:
    return io.find_frames([str(path)])[0][0]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("metadata", [io.Metadata(), camera()], ids=["bare", "camera"])
def test_a_picture_carries_the_mark(tmp_path: Path, ending: str, metadata: io.Metadata) -> None:
    path = tmp_path / f"fused{ending}"
    io.write_image(path, picture(), metadata, is_result=True)
    assert is_made_by_panfocus(path)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("metadata", [io.Metadata(), camera()], ids=["bare", "camera"])
def test_a_frame_carries_none(tmp_path: Path, ending: str, metadata: io.Metadata) -> None:
    path = tmp_path / f"frame{ending}"
    io.write_image(path, picture(), metadata)
    assert not is_made_by_panfocus(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_the_camera_told_of_itself_stays(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"fused{ending}"
    io.write_image(path, picture(), camera(), is_result=True)
    exif = io.read_frame(only(path)).metadata.exif
    assert exif is not None
    assert parse_exif(exif).data(Tag.SOFTWARE) == CAMERA


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_mark_stands_where_other_programs_look(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"fused{ending}"
    io.write_image(path, picture(), io.Metadata(), is_result=True)
    with Image.open(path) as opened:
        said = opened.info.get("Software") or opened.getexif().get(Tag.SOFTWARE)
    assert said == f"panfocus {panfocus.__version__}"


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("metadata", [io.Metadata(), camera()], ids=["bare", "camera"])
def test_the_mark_does_not_spread_to_frames_made_of_a_result(
    tmp_path: Path, ending: str, metadata: io.Metadata
) -> None:
    fused, aligned = tmp_path / f"fused{ending}", tmp_path / f"aligned{ending}"
    io.write_image(fused, picture(), metadata, is_result=True)
    frame = io.read_frame(only(fused))
    io.write_image(aligned, frame.pixels, frame.metadata)
    assert not is_made_by_panfocus(aligned)


def test_exif_too_large_for_a_jpeg_leaves_the_mark(tmp_path: Path) -> None:
    block = Block()
    block.put_bytes(0x010E, ASCII, b"x" * 70_000)
    path = tmp_path / "fused.jpg"
    notes = io.write_image(path, picture(), io.Metadata(exif=pack(block)), is_result=True)
    assert any("does not fit" in note for note in notes)
    assert is_made_by_panfocus(path)


@pytest.mark.parametrize("ending", [".tif", ".png"])
@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_maps_carry_the_mark(tmp_path: Path, ending: str, dtype: str) -> None:
    path = tmp_path / f"map{ending}"
    io.write_map(path, picture(dtype)[..., 0])
    assert is_made_by_panfocus(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gone.png", None),
        ("empty.png", b""),
        ("text.tif", b"panfocus 0.1.0"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("cut.jpg", b"\xff\xd8\xff\xe1\0\x40Exif"),
        ("cut.webp", b"RIFF\x40\0\0\0WEBPEXIF"),
        ("cut.tif", b"II\x2a\0\x40\0\0\0"),
        ("huge.tif", b"MM\0\x2a\xff\xff\xff\xff"),
    ],
)
def test_a_damaged_file_carries_none(tmp_path: Path, name: str, data: bytes | None) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    assert not is_made_by_panfocus(path)


@pytest.mark.parametrize("said", ["panfocus-gallery 2", "made by panfocus", "Panfocus X", ""])
def test_only_the_mark_itself_counts(tmp_path: Path, said: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture(), software=said, metadata=None)
    assert not is_made_by_panfocus(path)


def stack(folder: Path) -> Path:
    folder.mkdir()
    near, far = picture(), picture()
    near[:, 32:] = near[:, 32:].mean((0, 1))
    far[:, :32] = far[:, :32].mean((0, 1))
    for n, frame in enumerate((near, far)):
        tifffile.imwrite(folder / f"f{n}.tif", frame, photometric="rgb", metadata=None)
    return folder


def test_all_that_a_fusion_writes_is_marked_and_aligned_frames_are_not(tmp_path: Path) -> None:
    frames = str(stack(tmp_path / "in"))
    out = tmp_path / "out"
    words = ["-o", str(out / "f.jpg"), "--depth-map", "--index-map", "--confidence-map"]
    assert main(["fuse", frames, *words, "--height-map", str(out / "h.png"), "-q"]) == 0
    assert main(["fuse", frames, "--align-only", str(tmp_path / "aligned"), "-q"]) == 0
    written, aligned = [*out.iterdir()], [*(tmp_path / "aligned").iterdir()]
    assert len(written) == 5
    assert len(aligned) == 2
    assert [p.name for p in written if not is_made_by_panfocus(p)] == []
    assert [p.name for p in aligned if is_made_by_panfocus(p)] == []


@pytest.mark.parametrize("out", ["o.ome.tif", "o.tif", "o.ome.zarr"])
@pytest.mark.parametrize("kind", ["ome", "imagej"])
def test_volumes_carry_the_mark(tmp_path: Path, out: str, kind: str) -> None:
    if out.endswith(".zarr"):
        pytest.importorskip("zarr")
    planes = np.stack([picture("uint16")[..., 0]] * 3)
    source, path = tmp_path / "in.tif", tmp_path / out
    options = {"ome": {"ome": True}, "imagej": {"imagej": True}}[kind]
    tifffile.imwrite(source, planes[None, :, None], metadata={"axes": "TZCYX"}, **options)
    words = ["fuse", str(source), "--axes", "ZYX", "-o", str(path), "--depth-map", "-q"]
    assert main(words) == 0
    assert not is_made_by_panfocus(source)
    written = [p for p in tmp_path.iterdir() if p != source]
    assert len(written) == 2
    assert all(is_made_by_panfocus(p) for p in written)


@pytest.mark.parametrize("creator", [None, "panfocus", {"name": "ngff-zarr"}, ["panfocus"]])
def test_a_zarr_of_another_program_carries_none(tmp_path: Path, creator: object) -> None:
    (tmp_path / ".zattrs").write_text(json.dumps({"_creator": creator}))
    assert not is_made_by_panfocus(tmp_path)


def test_a_zarr_of_version_3_is_recognised(tmp_path: Path) -> None:
    about = {"attributes": {"_creator": {"name": "panfocus", "version": "9"}}}
    (tmp_path / "zarr.json").write_text(json.dumps(about))
    assert is_made_by_panfocus(tmp_path)
