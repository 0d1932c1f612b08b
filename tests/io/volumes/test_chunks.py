"""Zarr chunks that are missing, cut off, damaged or no files: refused by plane, never darkness."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from panfocus.cli import main

zarr = pytest.importorskip("zarr")

STACK = np.random.default_rng(4).integers(200, 4000, (3, 64, 96)).astype(np.uint16)

CODECS = {
    "2-blosc": (2, {}),
    "3-zstd": (3, {}),
    "3-blosc": (3, {"compressors": "blosc"}),
    "2-none": (2, {"compressors": None}),
    "3-none": (3, {"compressors": None}),
    "2-zlib": (2, {"compressors": "zlib"}),
    "3-gzip": (3, {"compressors": "gzip"}),
    "3-shards": (3, {"shards": (1, 64, 96), "chunks": (1, 32, 48)}),
}


def write(path, kind="2-blosc", chunks=(1, 64, 96), axes="zyx"):
    version, options = CODECS[kind]
    options = dict(options)
    named = options.get("compressors")
    if named == "blosc":
        options["compressors"] = zarr.codecs.BloscCodec()
    elif named == "gzip":
        options["compressors"] = zarr.codecs.GzipCodec()
    elif named == "zlib":
        import numcodecs

        options["compressors"] = numcodecs.Zlib()
    shape = tuple(STACK.shape["zyx".index(a)] for a in axes)
    chunks = tuple(chunks["zyx".index(a)] for a in axes)
    root = zarr.open_group(str(path), mode="w", zarr_format=version)
    options.setdefault("chunks", chunks)
    array = root.create_array("0", shape=shape, dtype="uint16", **options)
    array[:] = STACK.transpose(["zyx".index(a) for a in axes])
    about = {
        "multiscales": [
            {
                "axes": [{"name": a, "type": "space", "unit": "micrometer"} for a in axes],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [{"type": "scale", "scale": [1.5] * 3}],
                    }
                ],
            }
        ]
    }
    root.attrs.update({"ome": {"version": "0.5", **about}} if version == 3 else about)
    return path


def chunk(path, z=1, rest="0"):
    """The file of a plane's first chunk."""
    if (path / "0" / "c").exists():
        return path / "0" / "c" / str(z) / rest / rest
    return path / "0" / f"{z}.{rest}.{rest}"


def fuse(path, out, *options):
    return main(["fuse", str(path), "-o", str(out), "-s", "guided", *options])


@pytest.mark.parametrize("kind", CODECS)
def test_a_cut_chunk_is_refused_by_its_plane(tmp_path, capsys, kind):
    path = write(tmp_path / "s.zarr", kind)
    whole = chunk(path).read_bytes()
    for kept in (len(whole) // 2, len(whole) - 3, 12, 0):
        chunk(path).write_bytes(whole[:kept])
        assert fuse(path, tmp_path / "o.zarr") == 1, kept
        err = capsys.readouterr().err
        for part in ("a plane cannot be read", "Z 1", "remedy", "copy or export"):
            assert part in err
        assert fuse(path, tmp_path / "o.zarr", "--lenient") == 1
        assert not (tmp_path / "o.zarr").exists()
    chunk(path).write_bytes(whole)
    assert fuse(path, tmp_path / "o.zarr") == 0


@pytest.mark.parametrize("kind", ["2-blosc", "3-blosc", "2-none", "3-none"])
def test_a_chunk_with_another_length_in_it_is_refused(tmp_path, kind):
    path = write(tmp_path / "s.zarr", kind)
    other = write(tmp_path / "t.zarr", kind, chunks=(1, 32, 48))
    shutil.copy(chunk(other), chunk(path))
    assert fuse(path, tmp_path / "o.zarr") == 1


@pytest.mark.parametrize("kind", CODECS)
def test_a_missing_plane_is_refused_or_told(tmp_path, capsys, kind):
    path = write(tmp_path / "s.zarr", kind)
    chunk(path).unlink()
    assert fuse(path, tmp_path / "o.zarr") == 1
    err = capsys.readouterr().err
    for part in ("Z 1", "no chunk of it", "--lenient"):
        assert part in err
    report = tmp_path / "r.json"
    assert fuse(path, tmp_path / "o.zarr", "--lenient", "--json", str(report)) == 0
    assert "Z 1: all of its 1 chunk missing" in capsys.readouterr().err
    warnings = json.loads(report.read_text())["warnings"]
    assert sum("missing" in warning for warning in warnings) == 1


def test_a_missing_part_of_a_plane_is_told(tmp_path, capsys):
    """Writers leave out chunks of a single value, so this may be right."""
    path = write(tmp_path / "s.zarr", chunks=(1, 32, 48))
    chunk(path).unlink()
    assert fuse(path, tmp_path / "o.zarr") == 0
    assert "Z 1: 1 of its 4 chunks missing (1.0.0): taken as 0" in capsys.readouterr().err


@pytest.mark.parametrize("kind", CODECS)
def test_a_folder_in_place_of_a_chunk_is_refused(tmp_path, capsys, kind):
    path = write(tmp_path / "s.zarr", kind)
    chunk(path).unlink()
    chunk(path).mkdir()
    assert fuse(path, tmp_path / "o.zarr", "--lenient") == 1
    assert "is a folder" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
@pytest.mark.parametrize("kind", ["2-none", "3-none", "2-blosc"])
@pytest.mark.parametrize("what", ["group", "array", "chunk"])
def test_a_pipe_in_place_of_a_file_is_told_and_not_waited_for(tmp_path, capsys, kind, what):
    path = write(tmp_path / "s.zarr", kind)
    facts = {"group": ".zattrs", "array": "0/.zarray"} if kind[0] == "2" else {
        "group": "zarr.json", "array": "0/zarr.json"}  # fmt: skip
    pipe = chunk(path) if what == "chunk" else path / facts[what]
    pipe.unlink()
    os.mkfifo(pipe)
    assert fuse(path, tmp_path / "o.zarr", "--lenient") == 1
    assert "is a pipe" in capsys.readouterr().err
    assert not (tmp_path / "o.zarr").exists()
    # nor where such a folder would be replaced
    assert fuse(write(tmp_path / "t.zarr"), path, "--overwrite") == 1
    assert pipe.is_fifo()


@pytest.mark.parametrize("axes", ["xyz", "yxz", "yzx", "xzy"])
def test_axes_that_do_not_end_in_yx_are_read_in_their_order(tmp_path, axes):
    results = []
    for name in ("zyx", axes):
        path = write(tmp_path / f"{name}.zarr", axes=name)
        assert fuse(path, tmp_path / f"o_{name}.zarr", "--depth-map") == 0
        results.append(zarr.open(str(tmp_path / f"o_{name}.zarr"), mode="r")["0"][:])
    np.testing.assert_array_equal(*results)


def test_whole_arrays_are_read_without_a_word(tmp_path, capsys):
    for kind in CODECS:
        path = write(tmp_path / f"{kind}.zarr", kind)
        assert fuse(path, tmp_path / f"o{kind}.zarr") == 0
        assert "missing" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"chunks": [1, 0, 96]}, "hold nothing"),
        ({"chunks": [0, 0, 0]}, "hold nothing"),
        ({"shape": [3, 0, 96]}, "no pixels"),
        ({"shape": [3, 64, 0]}, "no pixels"),
        ({"shape": [3, 6000, 6000], "chunks": [1, 1, 1]}, "36000000 chunks"),
        ({"compressor": "x"}, "Got str instead"),
    ],
)
def test_arrays_that_cannot_be_are_told_in_words(tmp_path, capsys, facts, told):
    path = write(tmp_path / "s.zarr", "2-none")
    file = path / "0/.zarray"
    file.write_text(json.dumps({**json.loads(file.read_text()), **facts}))
    assert fuse(path, tmp_path / "o.zarr") == 1
    assert told in capsys.readouterr().err
