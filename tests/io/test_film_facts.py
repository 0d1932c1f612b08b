"""What a film's container tells of day, place and camera is in the fused picture."""

import shutil
import struct
import subprocess
from datetime import UTC, datetime

import pytest
from PIL import ExifTags, Image

from panfocus.cli import main
from panfocus.io.film_facts import film_metadata

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="beetle"/></rdf:RDF></x:xmpmeta>'
)
UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
MADE = int(
    (
        datetime(2024, 5, 1, 10, 11, 12, tzinfo=UTC) - datetime(1904, 1, 1, tzinfo=UTC)
    ).total_seconds()
)
PLACE = "-33.8568+151.2153+004.500/"


def box(kind, *inside):
    data = b"".join(inside)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def made(seconds, version=0):
    return box(b"mvhd", bytes([version, 0, 0, 0]), struct.pack(">Q" if version else ">I", seconds))


def text(kind, said):
    data = said.encode()
    return box(kind, struct.pack(">HH", len(data), 0x15C7), data)


def listed(said, *, version=b"", by_key=True):
    """The box meta, with names in a list of their own, or each its own name."""
    names = [box(b"mdta", name.encode()) for name in said] if by_key else []
    items = [
        box(
            struct.pack(">I", n) if by_key else name.encode("latin-1"),
            box(b"data", bytes([0, 0, 0, 1, 0, 0, 0, 0]), value.encode()),
        )
        for n, (name, value) in enumerate(said.items(), start=1)
    ]
    keys = box(b"keys", struct.pack(">II", 0, len(names)), *names) if by_key else b""
    handler = box(b"hdlr", bytes(24))
    return box(b"meta", version, handler, keys, box(b"ilst", *items))


def chunk(kind, data):
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


APPLE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 15",
    "com.apple.quicktime.creationdate": "2024-05-01T12:11:12+0200",
    "com.apple.quicktime.location.ISO6709": PLACE,
    "com.apple.quicktime.author": "A. Łak",
}
FILES = {
    "MOV of a phone": box(b"moov", made(MADE), listed(APPLE)),
    "MP4 of a phone": box(
        b"moov",
        made(MADE, 1),
        box(
            b"udta",
            text(b"\xa9xyz", PLACE),
            text(b"\xa9mak", "Apple"),
            text(b"\xa9mod", "iPhone 15"),
        ),
        listed({"com.android.version": "14"}, version=bytes(4)),
    ),
    "MP4 of an editor": box(b"ftyp", b"mp42")
    + box(
        b"moov",
        made(MADE),
        box(
            b"udta",
            listed({"\xa9day": "2024-05-01T12:11:12+02:00"}, version=bytes(4), by_key=False),
            box(
                b"loci",
                *(bytes(4), b"\x15\xc7", b"Sydney\0", b"\0"),
                struct.pack(">3i", *(round(n * 65536) for n in (151.2153, -33.8568, 4.5))),
            ),
            box(b"manu", b"Apple"),
            box(b"modl", b"iPhone 15\0"),
        ),
    )
    + box(b"uuid", UUID, XMP),
    "AVI": b"RIFF"
    + struct.pack("<I", 400)
    + b"AVI "
    + chunk(
        b"LIST",
        b"hdrl"
        + chunk(b"avih", bytes(56))
        + chunk(b"IDIT", b"Wed May 01 12:11:12 2024\n\0")
        + chunk(b"LIST", b"exif" + chunk(b"ecor", b"Apple\0") + chunk(b"emdl", b"iPhone 15\0")),
    )
    + chunk(b"LIST", b"INFO" + chunk(b"ICOP", b"mine\0")),
}


def exif_of(path):
    data = film_metadata(path).exif
    assert data is not None
    found = Image.Exif()
    found.load(data)
    return found


@pytest.mark.parametrize("kind", FILES)
def test_day_place_and_camera_are_told(tmp_path, kind):
    path = tmp_path / "a.mov"
    path.write_bytes(FILES[kind])
    exif = exif_of(path)
    assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Model]) == ("Apple", "iPhone 15")
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    day, zone = inner[ExifTags.Base.DateTimeOriginal], inner.get(ExifTags.Base.OffsetTimeOriginal)
    if kind == "MP4 of a phone":
        assert (day, zone) == ("2024:05:01 10:11:12", "+00:00")
    else:
        assert (day, zone) == ("2024:05:01 12:11:12", None if kind == "AVI" else "+02:00")
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    if kind == "AVI":
        assert not place
        assert exif[ExifTags.Base.Copyright] == "mine"
        return
    assert (place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef]) == ("S", "E")
    latitude = sum(float(n) / 60**k for k, n in enumerate(place[ExifTags.GPS.GPSLatitude]))
    longitude = sum(float(n) / 60**k for k, n in enumerate(place[ExifTags.GPS.GPSLongitude]))
    assert latitude == pytest.approx(33.8568, abs=2e-5)
    assert longitude == pytest.approx(151.2153, abs=2e-5)
    assert float(place[ExifTags.GPS.GPSAltitude]) == pytest.approx(4.5)
    if kind == "MP4 of an editor":
        assert b"beetle" in (film_metadata(path).xmp or b"")
    if kind == "MOV of a phone":
        assert exif[ExifTags.Base.Artist].encode("latin-1").decode() == "A. Łak"


@pytest.mark.parametrize("kind", FILES)
def test_what_is_cut_off_or_wrong_tells_nothing_and_does_no_harm(tmp_path, kind):
    path, whole = tmp_path / "a.mov", FILES[kind]
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        film_metadata(path)
        path.write_bytes(whole[:end] + b"\xff\xff\xff\xff" + whole[end + 4 :])
        film_metadata(path)


@pytest.mark.parametrize(
    ("said", "degrees"),
    [
        ("+4812.492+01622.428/", (48.2082, 16.3738)),
        ("+481229.52+0162225.68+100/", (48.2082, 16.3738)),
        ("+00.0000+000.0000/", None),
        ("+99.0+016.0/", None),
        ("home", None),
    ],
)
def test_places_in_degrees_minutes_and_seconds(tmp_path, said, degrees):
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"moov", made(MADE), box(b"udta", text(b"\xa9xyz", said))))
    place = exif_of(path).get_ifd(ExifTags.IFD.GPSInfo)
    if degrees is None:
        assert not place
        return
    for tag, wanted in zip(
        (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude), degrees, strict=True
    ):
        found = sum(float(n) / 60**k for k, n in enumerate(place[tag]))
        assert found == pytest.approx(wanted, abs=2e-5)


@pytest.mark.parametrize(
    "inside",
    [
        box(b"mvhd"),
        made(2**64 - 1, 1),
        box(b"udta", box(b"loci"), box(b"\xa9xyz", b"\xff\xff")),
        box(
            b"udta",
            text(b"\xa9day", "2024-13-99T99:99:99"),
            text(b"\xa9xyz", "+" + "9" * 400 + "+1/"),
        ),
        box(b"meta"),
        box(b"meta", bytes(4), box(b"ilst", box(b"\0\0\0\x09", box(b"data", bytes(8))))),
    ],
)
def test_odd_boxes_tell_nothing(tmp_path, inside):
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"moov", inside))
    assert film_metadata(path).exif is None


def test_lists_within_lists_without_end_tell_nothing(tmp_path):
    path = tmp_path / "a.avi"
    lists = b"".join(b"LIST" + struct.pack("<I", 2**31) + b"hdrl" for _ in range(3000))
    path.write_bytes(b"RIFF" + struct.pack("<I", 2**31) + b"AVI " + lists)
    assert film_metadata(path).exif is None


def test_a_day_before_there_were_such_films_is_none(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"moov", made(0)))
    assert film_metadata(path).exif is None


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg writes the film")
@pytest.mark.parametrize("ending", ["mp4", "mov", "avi"])
def test_the_fused_picture_has_them(tmp_path, ending):
    source, out = tmp_path / f"a.{ending}", tmp_path / "o.jpg"
    told = {"creation_time": "2024-05-01T10:11:12Z", "date": "2024-05-01T12:11:12+0200"}
    told |= {"location": PLACE, "make": "Panasonic", "model": "DC-G9", "artist": "A. Lak"}
    words = [word for name, value in told.items() for word in ("-metadata", f"{name}={value}")]
    made_by = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=160x120:rate=5:duration=1",
    ]
    subprocess.run([*made_by, *words, "-movflags", "use_metadata_tags", source], check=True)
    assert main(["fuse", str(source), "-o", str(out), "-s", "guided", "--align", "none"]) == 0
    with Image.open(out) as picture:
        exif = picture.getexif()
        assert exif[ExifTags.Base.Artist] == "A. Lak"
        day = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal]
        assert day == "2024:05:01 12:11:12"
        if ending != "avi":
            assert exif[ExifTags.Base.Model] == "DC-G9"
            place = exif.get_ifd(ExifTags.IFD.GPSInfo)
            assert place[ExifTags.GPS.GPSLatitude][:2] == (33, 51)
