"""The surface as a textured mesh: PLY, OBJ or glTF for any 3-D program.

Depth is smoothed where the decision was unclear, thinned to a grid of at most half a million
points, and joined by triangles. x runs to the right and y upwards along the picture, z towards the
camera. With a pixel size and a distance between frames all three are micrometres; otherwise x and
y are pixels and z is stretched so that the relief is a fifth as deep as the picture is long.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.errors import FormatError, UsageError
from panfocus.io import Metadata, png_write
from panfocus.io.atomic import write_atomic
from panfocus.io.mark import mark

ENDINGS = (".ply", ".obj", ".glb")
#: Points of a mesh at most.
MOST_VERTICES = 500_000
#: Longer side of a texture at most.
_TEXTURE = 4096
#: Confidence at which depth is trusted as it is, and sigmas in grid points of the two smoothings.
_SURE = 0.2
_FINE, _COARSE = 1.0, 8.0
_RELIEF = 0.2


@dataclass(frozen=True)
class Surface:
    """A mesh.

    Attributes:
        vertices: ``(V, 3)`` float32.
        faces: ``(F, 3)`` int64, counter-clockwise as seen from the camera.
        uv: ``(V, 2)`` float32, place in the texture from its lower left corner, [0, 1].
        colours: ``(V, 3)`` uint8 RGB.
        texture: ``(h, w, 3)`` uint8 RGB.
    """

    vertices: Float
    faces: NDArray[np.int64]
    uv: Float
    colours: NDArray[np.uint8]
    texture: NDArray[np.uint8]


def smooth_depth(depth: Float, confidence: Float) -> Float:
    """Smooth depth ``(H, W)`` a little where it is sure and widely where it is not.

    Sure neighbours count more in the mean, so that a void takes the depth around it.
    """
    clean = np.asarray(cv2.medianBlur(depth.astype(np.float32), 5), np.float32)
    weight = confidence.astype(np.float32) + np.float32(0.01)

    def mean(sigma: float) -> Float:
        total = cv2.GaussianBlur(clean * weight, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        share = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        return np.asarray(total / share, np.float32)

    trust = np.clip(confidence / np.float32(_SURE), 0, 1)
    coarse = mean(_COARSE)
    return np.asarray(coarse + (mean(_FINE) - coarse) * trust, np.float32)


def build_surface(
    image: Pixels,
    depth: Float,
    confidence: Float,
    *,
    pixel_um: float | None = None,
    is_length: bool = False,
    near_first: bool = True,
    most_vertices: int = MOST_VERTICES,
) -> Surface:
    """Make a mesh of a fused picture.

    Args:
        image: ``(H, W[, C])``, any dtype of a frame.
        depth: ``(H, W)``, frames or micrometres.
        confidence: ``(H, W)`` in [0, 1].
        pixel_um: side of a pixel in micrometres.
        is_length: depth is in micrometres.
        near_first: small depth is near the camera.
        most_vertices: at most, >= 4.
    """
    height, width = depth.shape
    step = max(int(np.ceil(np.sqrt(height * width / most_vertices))), 1)
    size = (max(width // step, 2), max(height // step, 2))
    small = cv2.resize(depth, size, interpolation=cv2.INTER_AREA)
    sure = cv2.resize(confidence, size, interpolation=cv2.INTER_AREA)
    z = smooth_depth(np.asarray(small, np.float32), np.asarray(sure, np.float32))
    z = -z if near_first else z
    if pixel_um is not None and not 0 < pixel_um < float("inf"):
        raise UsageError(
            "a pixel must have a size",
            where="pixel_um",
            expected="micrometres above 0",
            got=str(pixel_um),
        )
    pixel = pixel_um if pixel_um and is_length else 1.0
    if not (pixel_um and is_length):
        z = z * (_RELIEF * max(height, width) / max(float(np.ptp(z)), 1e-6))
    u = np.broadcast_to(_centres(size[0]), z.shape)
    v = np.broadcast_to(1 - _centres(size[1])[:, None], z.shape)
    points = np.stack([u * width * pixel, v * height * pixel, z], axis=-1)
    texture = _texture(image)
    colours = np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Surface(
        points.reshape(-1, 3).astype(np.float32),
        _faces(size[1], size[0]),
        np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32),
        colours.reshape(-1, 3),
        texture,
    )


def _centres(count: int) -> NDArray[np.float64]:
    """Return the middles of `count` equal parts of [0, 1]."""
    return (np.arange(count, dtype=np.float64) + 0.5) / count


def _faces(rows: int, columns: int) -> NDArray[np.int64]:
    """Return two triangles per cell of a grid of points."""
    point = np.arange(rows * columns).reshape(rows, columns)
    a, b = point[:-1, :-1].ravel(), point[:-1, 1:].ravel()
    c, d = point[1:, :-1].ravel(), point[1:, 1:].ravel()
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def _texture(image: Pixels) -> NDArray[np.uint8]:
    """Return 8-bit RGB without opacity, at most `_TEXTURE` pixels long."""
    colour = image[..., None] if image.ndim == 2 else image
    colour = colour[..., :3] if colour.shape[2] >= 3 else colour[..., :1].repeat(3, axis=2)
    longest = max(colour.shape[:2])
    if longest > _TEXTURE:
        size = [max(round(side * _TEXTURE / longest), 1) for side in colour.shape[1::-1]]
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    levels = np.asarray(colour, np.float32) * np.float32(255 / white(image.dtype))
    return np.rint(np.clip(levels, 0, 255)).astype(np.uint8)


def check_mesh_path(path: Path) -> None:
    """Refuse what cannot be written, before any work.

    Raises:
        OutputError: the ending is none of `ENDINGS`.
        UsageError: trimesh is not installed.
    """
    if path.suffix.lower() not in ENDINGS:
        raise FormatError(
            "a mesh is not written in this format",
            where=str(path),
            expected=", ".join(ENDINGS),
            got=path.suffix or "no ending",
        )
    _trimesh()


def mesh_files(path: Path) -> list[Path]:
    """Return all files that a mesh consists of: an OBJ has a material and a texture beside it."""
    if path.suffix.lower() != ".obj":
        return [path]
    return [path, *(path.with_name(f"{path.stem}_texture{e}") for e in (".mtl", ".png"))]


def write_mesh(path: Path, surface: Surface, *, overwrite: bool = False) -> None:
    """Write a mesh: PLY with coloured points, OBJ and GLB with a texture.

    Raises:
        OutputError: unknown ending, exists, or cannot be written.
        UsageError: trimesh is not installed.
    """
    check_mesh_path(path)
    kind = path.suffix.lower()
    mesh = _textured(surface, f"{path.stem}_texture", has_points=kind == ".ply")
    if kind == ".obj":
        contents = _obj_files(mesh, surface, path)
    else:
        contents = {path: cast("bytes", mesh.export(file_type=kind[1:]))}
    for file, data in contents.items():
        write_atomic(file, [data], overwrite=overwrite)


def _trimesh() -> Any:  # noqa: ANN401  the library has no complete types
    try:
        import trimesh  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise UsageError(
            "meshes need the library trimesh",
            where="mesh",
            remedy="pip install 'panfocus[mesh]'",
        ) from error
    return cast("Any", trimesh)


def _textured(surface: Surface, name: str, *, has_points: bool) -> Any:  # noqa: ANN401
    from PIL import Image  # noqa: PLC0415  only for meshes

    trimesh = _trimesh()
    if has_points:
        visual = trimesh.visual.ColorVisuals(vertex_colors=surface.colours)
    else:
        material = trimesh.visual.material.SimpleMaterial(image=Image.fromarray(surface.texture))
        material.name = name
        visual = trimesh.visual.TextureVisuals(uv=surface.uv, material=material)
    # process would merge points and shuffle them
    return trimesh.Trimesh(surface.vertices, surface.faces, visual=visual, process=False)


def _obj_files(mesh: Any, surface: Surface, path: Path) -> dict[Path, bytes]:  # noqa: ANN401
    """Return the OBJ, its material and its texture; the OBJ last, when the others are there."""
    _, material, texture = mesh_files(path)
    text = cast("str", mesh.export(file_type="obj", mtl_name=material.name))
    pieces = png_write.encode(surface.texture, Metadata(), {"Software": mark()})
    lines = [f"newmtl {path.stem}_texture", "Kd 1 1 1", f"map_Kd {texture.name}", ""]
    return {
        texture: b"".join(pieces),
        # names of files as the system gives them, letters or not
        material: "\n".join(lines).encode(errors="surrogateescape"),
        path: text.encode(errors="surrogateescape"),
    }
