import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.errors import OutputError
from panfocus.surface.height_map import draw_height_map
from panfocus.surface.mesh import build_surface, mesh_files, smooth_depth, write_mesh
from tests.conftest import focal_stack, texture
from tests.fusion.test_subframe_depth import tilted_plane

trimesh = pytest.importorskip("trimesh")


def ramp(height=60, width=90, low=10.0, high=55.0):
    depth = np.broadcast_to(np.linspace(low, high, width, dtype=np.float32), (height, width))
    return depth, np.ones_like(depth)


def test_a_mesh_has_the_size_of_the_thing():
    depth, sure = ramp()
    surface = build_surface(texture(60, 90), depth, sure, pixel_um=2.0, is_length=True)
    extent = np.ptp(surface.vertices, axis=0)
    np.testing.assert_allclose(extent[:2], [2 * 89, 2 * 59], rtol=1e-4)
    assert extent[2] == pytest.approx(45, rel=0.1)
    # near is towards the camera
    left = surface.vertices[:, 0].argmin()
    assert surface.vertices[left, 2] == surface.vertices[:, 2].max()


def test_the_order_turns_the_relief():
    depth, sure = ramp()
    near = build_surface(texture(60, 90), depth, sure, pixel_um=1, is_length=True)
    far = build_surface(texture(60, 90), depth, sure, pixel_um=1, is_length=True, near_first=False)
    np.testing.assert_allclose(near.vertices[:, 2], -far.vertices[:, 2], atol=1e-4)


def test_faces_look_at_the_camera_and_cover_the_picture():
    depth, sure = ramp()
    surface = build_surface(texture(60, 90), depth, sure)
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    assert (normal[:, 2] > 0).all()
    assert len(surface.faces) == 2 * 59 * 89
    assert normal[:, 2].sum() / 2 == pytest.approx(59 * 89, rel=1e-4)


def test_large_pictures_are_thinned():
    depth, sure = ramp(300, 400)
    surface = build_surface(texture(300, 400), depth, sure, most_vertices=5000)
    assert 2500 < len(surface.vertices) <= 5000
    assert surface.texture.shape == (300, 400, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_every_kind_of_picture_becomes_a_texture(dtype, channels):
    depth, sure = ramp(20, 30)
    shape = (20, 30) if channels is None else (20, 30, channels)
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    surface = build_surface(np.full(shape, top, dtype), depth, sure)
    assert surface.texture.shape == (20, 30, 3)
    assert (surface.texture == 255).all()


def test_the_void_takes_the_depth_around_it():
    depth = np.full((80, 80), 5, np.float32)
    rng = np.random.default_rng(0)
    depth[30:50, 30:50] = rng.integers(0, 12, (20, 20))
    sure = np.ones_like(depth)
    sure[30:50, 30:50] = 0
    smooth = smooth_depth(depth, sure)
    assert np.abs(smooth - 5).max() < 0.5
    assert np.abs(depth - 5).max() == 6


@pytest.mark.parametrize("ending", [".ply", ".obj", ".glb"])
def test_a_mesh_is_read_back_as_it_was(tmp_path, ending):
    depth, sure = ramp(20, 30)
    image = texture(20, 30)
    surface = build_surface(image, depth, sure, pixel_um=2, is_length=True)
    path = tmp_path / f"m{ending}"
    write_mesh(path, surface)
    assert sorted(tmp_path.iterdir()) == sorted(mesh_files(path))
    mesh = trimesh.load_mesh(path, process=False)
    np.testing.assert_allclose(mesh.extents, np.ptp(surface.vertices, axis=0), rtol=1e-3)
    assert len(mesh.faces) == len(surface.faces)
    if ending == ".ply":
        np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], surface.colours)
    else:
        material = mesh.visual.material
        found = material.image if ending == ".obj" else material.baseColorTexture
        np.testing.assert_array_equal(np.asarray(found.convert("RGB")), image)
        # the upper left point looks up the upper left of the texture
        corner = (mesh.vertices * [1, -1, 0]).sum(axis=1).argmin()
        assert mesh.visual.uv[corner][0] < 0.1
        assert mesh.visual.uv[corner][1] > 0.9


def test_a_mesh_that_exists_is_not_replaced(tmp_path):
    depth, sure = ramp(20, 30)
    path = tmp_path / "m.ply"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        write_mesh(path, build_surface(texture(20, 30), depth, sure))
    assert path.read_bytes() == b"mine"


def test_a_height_map_runs_from_red_to_blue():
    depth, _ = ramp(120, 200)
    picture = draw_height_map(depth, "µm")
    assert picture.shape[0] == 120
    assert picture.shape[1] > 220
    near, far = picture[60, 2].astype(int), picture[60, 197].astype(int)
    assert near[0] > near[2] + 50
    assert far[2] > far[0] + 1
    turned = draw_height_map(depth, "µm", near_first=False)
    np.testing.assert_array_equal(turned[60, :200], picture[60, :200][::-1])


def test_height_maps_bear_flat_broken_and_small_depth():
    flat = np.full((16, 16), 3, np.float32)
    assert np.ptp(draw_height_map(flat, "frames")[:, :16].reshape(-1, 3), axis=0).max() == 0
    flat[3, 4] = np.nan
    assert (draw_height_map(flat, "frames")[3, 4] == 0).all()
    assert (draw_height_map(flat * np.nan, "frames")[:, :16] == 0).all()


@pytest.fixture
def shots(tmp_path):
    frames, _ = tilted_plane(6)
    folder = tmp_path / "shots"
    folder.mkdir()
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"f{n}.png")
    return folder


def fuse(*words):
    return main(["fuse", *map(str, words)])


def test_mesh_and_height_map_from_the_command_line(shots, tmp_path):
    out, mesh, heights = (tmp_path / name for name in ("out.png", "m.glb", "h.png"))
    sizes = ("--pixel-size", 0.5, "--z-step", 3)
    code = fuse(shots, "-o", out, "-s", "guided", "--mesh", mesh, "--height-map", heights, *sizes)
    assert code == 0
    extents = trimesh.load_mesh(mesh).extents
    np.testing.assert_allclose(extents[:2], [0.5 * 239, 0.5 * 95], rtol=0.01)
    assert extents[2] == pytest.approx(4 * 3, rel=0.15)  # from frame 0.5 to 4.5, 3 µm each
    with Image.open(heights) as picture:
        assert picture.size[0] > 240


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--mesh", "m.stl"), "format"),
        (("--height-map", "h.bmp"), "h.bmp"),
        (("--mesh", "m.ply", "-s", "pyramid"), "knows no depth"),
        (("--mesh", "m.obj", "--height-map", "m_texture.png"), "same name"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(shots, tmp_path, capsys, words, message):
    out = tmp_path / "out.png"
    words = [tmp_path / w if "." in w else w for w in words]
    assert fuse(shots, "-o", out, *words) in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_without_trimesh_the_remedy_is_told(shots, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "trimesh", None)
    assert fuse(shots, "-o", tmp_path / "o.png", "--mesh", tmp_path / "m.ply") == 2
    assert "panfocus[mesh]" in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()


def test_height_maps_need_no_trimesh(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "trimesh", None)
    result = panfocus.fuse(focal_stack(4)[0], system="guided")
    assert draw_height_map(result.depth, "frames").dtype == np.uint8
