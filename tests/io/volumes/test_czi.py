"""CZI files of pylibCZIrw, Zeiss' own writer, through bioio-czi; skipped where these are absent."""

import struct
from contextlib import closing

import numpy as np
import pytest

from panfocus import fuse_volume
from panfocus.io.volumes.open import open_volume
from tests.conftest import focal_stack

pytest.importorskip("bioio_czi")
czi = pytest.importorskip("pylibCZIrw.czi")

H, W, OVERLAP = 60, 80, 12
SIZE = (2 * H - OVERLAP, 2 * W - OVERLAP)
FRAMES = focal_stack(4, *SIZE)[0].astype(np.uint16) * 9
STACK = np.moveaxis(FRAMES, -1, 0)[:2]  # (C, Z, Y, X)
PLACES = [(y, x) for y in (0, H - OVERLAP) for x in (0, W - OVERLAP)]
_METADATA_AT = 32 + 4 * 4 + 16 * 2 + 4 + 8  # in a CZI's header, where its metadata lie


def write(path, places, *, size, names):
    with czi.create_czi(str(path)) as file:
        for scene in range(len(names)):
            for y, x in places:
                for c, z in np.ndindex(*STACK.shape[:2]):
                    tile = STACK[c, z, y : y + size[0], x : x + size[1]] // (scene + 1)
                    place = (1000 * scene + x, y)
                    plane = {"C": c, "Z": z, "T": 0}
                    file.write(np.ascontiguousarray(tile)[..., None], place, plane, scene=scene)
        lengths = {"scale_x": 2e-7, "scale_y": 2e-7, "scale_z": 1.5e-6}
        file.write_metadata("m", channel_names={0: "DAPI", 1: "GFP"}, **lengths)
    name_scenes(path, names)
    return path


def name_scenes(path, names):
    """Put a list of scenes into the metadata, which a microscope writes and pylibCZIrw does not."""
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<q", data, _METADATA_AT)
    (length,) = struct.unpack_from("<i", data, start + 32)
    scenes = "".join(f'<Scene Index="{n}" Name="{name}"/>' for n, name in enumerate(names))
    xml = bytes(data[start + 288 : start + 288 + length])
    xml = xml.replace(b"</Dimensions>", f"<S><Scenes>{scenes}</Scenes></S></Dimensions>".encode())
    used = 256 + len(xml)
    room = -(-used // 32) * 32
    data += bytes(-len(data) % 32)
    struct.pack_into("<q", data, _METADATA_AT, len(data))
    data += b"ZISRAWMETADATA".ljust(16, b"\0") + struct.pack("<qqi", room, used, len(xml))
    data += bytes(252) + xml + bytes(room - used)
    path.write_bytes(data)


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory):
    path = tmp_path_factory.mktemp("czi") / "mosaic.czi"
    return write(path, PLACES, size=(H, W), names=["A1", "B2"])


def test_scenes_are_positions(tmp_path):
    path = write(tmp_path / "two.czi", [(0, 0)], size=SIZE, names=["A1", "B2"])
    with closing(open_volume(path)) as volume:
        assert [p.name for p in volume.positions] == ["A1", "B2"]
        for n, position in enumerate(volume.positions, 1):
            assert [c.name for c in position.channels] == ["DAPI", "GFP"]
            assert position.voxel_um == pytest.approx((1.5, 0.2, 0.2))
            np.testing.assert_array_equal(position.read(0, 1, 3), STACK[1, 3] // n)


def test_a_mosaic_is_whole(mosaic):
    with closing(open_volume(mosaic)) as volume:
        assert len(volume.notes) == 2
        for n, position in enumerate(volume.positions, 1):
            np.testing.assert_array_equal(position.read(0, 1, 3), STACK[1, 3] // n)
    whole = fuse_volume(mosaic, system="guided", only="P=B2")
    plain = fuse_volume(STACK // 2, axes="CZYX", system="guided")
    np.testing.assert_array_equal(whole.image, plain.image)


def test_tiles_lie_where_the_file_says(mosaic, tmp_path):
    fused = fuse_volume(mosaic, system="guided", mosaic="tiles", only="P=4-7")
    fused.save(tmp_path / "tiles.ome.tif")
    with closing(open_volume(mosaic, mosaic="tiles")) as volume:
        assert [p.name for p in volume.positions][3:5] == ["A1 tile 3", "B2 tile 0"]
        for position, (y, x) in zip(volume.positions, PLACES, strict=False):
            part = STACK[1, 3, y : y + H, x : x + W]
            np.testing.assert_array_equal(position.read(0, 1, 3), part)
    with closing(open_volume(tmp_path / "tiles.ome.tif")) as volume:
        for position, (y, x) in zip(volume.positions, PLACES, strict=True):
            assert position.stage_um == pytest.approx((0.2 * y, 0.2 * (x + 1000)))
