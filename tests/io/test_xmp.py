"""XMP: what tells of other data, edits and the old file is dropped; the photograph's is kept."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from panfocus.io import write_image
from panfocus.io.metadata import clean_xmp
from tests.support.files import foreign, photo, pillow, read_bytes, read_one

NAMESPACES = {
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "crss": "http://ns.adobe.com/camera-raw-saved-settings/1.0/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "GImage": "http://ns.google.com/photos/1.0/image/",
    "Device": "http://ns.google.com/photos/dd/1.0/device/",
    "darktable": "http://darktable.sf.net/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpGImg": "http://ns.adobe.com/xap/1.0/g/img/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "xmpDM": "http://ns.adobe.com/xmp/1.0/DynamicMedia/",
    "ixml": "http://ns.adobe.com/ixml/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "aapl": "http://ns.apple.com/HDRGainMap/1.0/",
}

STALE = [
    "crs:HasCrop", "crs:CropLeft", "crs:Exposure2012", "hdrgm:Version", "hdrgm:GainMapMax",
    "GCamera:MotionPhoto", "GCamera:MicroVideoOffset", "Container:Directory",
    "GPano:FullPanoWidthPixels", "GDepth:Data", "GImage:Data", "Device:Profiles",
    "darktable:history_end", "xmpMM:InstanceID", "xmpMM:DocumentID", "photoshop:LegacyIPTCDigest",
    "tiff:NativeDigest", "exif:NativeDigest", "tiff:ImageWidth", "exif:PixelYDimension",
    "xmpNote:HasExtendedXMP", "xmpDM:duration", "ixml:timecode", "xmp:Thumbnails",
    "dcterms:provenance", "digiKam:ImageHistory", "aapl:HDRGainMapVersion", "crss:Type",
    "tiff:BitsPerSample",
]  # fmt: skip
KEPT = [
    "dc:creator", "dc:rights", "dc:subject", "dc:title", "xmp:Rating", "xmp:Label",
    "xmp:CreateDate", "exif:GPSLatitude", "exif:GPSLongitude", "aux:Lens", "exifEX:LensModel",
    "lr:hierarchicalSubject", "xmpRights:Marked", "photoshop:Credit", "photoshop:City",
    "Iptc4xmpCore:Location", "exif:FNumber", "tiff:Make", "digiKam:TagsList",
]  # fmt: skip


def packet(attributes="", body="", begin='begin="\ufeff"'):
    declared = " ".join(f'xmlns:{p}="{uri}"' for p, uri in NAMESPACES.items())
    text = (
        f'<?xpacket {begin} id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<!-- a > b --><rdf:Description rdf:about="" {declared} {attributes}>{body}'
        '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
    )
    return text.encode()


def forms(name):
    """A property as an attribute, a text, a list, a structure, and empty."""
    prefix = name.split(":")[0]
    return [
        (f'{name}="a > &lt;b&gt;"', ""),
        (f"{name}='x \"y\" z'", ""),
        ("", f"<{name}>word</{name}>"),
        ("", f'<{name}><rdf:Seq><rdf:li rdf:parseType="Resource"><{prefix}:Part Item:Length="3"/>'
         f"</rdf:li><rdf:li>two</rdf:li></rdf:Seq></{name}>"),
        ("", f"<{name} rdf:parseType='Resource'><{name}>deeper</{name}></{name}>"),
        ("", f"<{name}/>"),
    ]  # fmt: skip


def names_in(data):
    """Every element and attribute, as prefix:local, of a packet that must be XML."""
    prefixes = {uri: prefix for prefix, uri in NAMESPACES.items()}
    found = set()
    for element in ElementTree.fromstring(data).iter():
        for name in (element.tag, *element.attrib):
            uri, _, local = name.removeprefix("{").rpartition("}")
            found.add(f"{prefixes.get(uri, '?')}:{local}")
    return found


@pytest.mark.parametrize("name", STALE)
def test_what_is_no_longer_true_is_dropped_in_every_form(name):
    for attributes, body in forms(name):
        near = "<dc:rights><rdf:Alt><rdf:li>(c) A. Person</rdf:li></rdf:Alt></dc:rights>"
        for whole in (body + near, near + body):
            clean = clean_xmp(packet(attributes, whole))
            assert name not in names_in(clean)
            assert "dc:rights" in names_in(clean)
            assert b"(c) A. Person" in clean


@pytest.mark.parametrize("name", KEPT)
def test_what_tells_of_the_photograph_is_kept_as_it_was(name):
    for attributes, body in forms(name):
        clean = clean_xmp(packet(attributes + ' crs:Tint="+3"', body))
        assert name in names_in(clean)
        assert b"crs:Tint" not in clean
        for piece in ("word</", "two</rdf:li>", "deeper", 'a > &lt;b&gt;"'):
            assert (piece in body + attributes) == (piece.encode() in clean)


def test_a_packet_without_anything_stale_is_not_touched():
    data = packet('dc:format="image/jpeg" xmp:Rating="4"', "<dc:title>a</dc:title>")
    only_kept = "xmlns:crs xmlns:dc".split()
    clean = clean_xmp(data)
    assert only_kept[0].encode() not in clean
    assert only_kept[1].encode() in clean
    assert clean_xmp(clean) == clean


def test_namespaces_count_and_not_their_prefixes():
    body = (
        '<z:CropLeft xmlns:z="http://ns.adobe.com/camera-raw-settings/1.0/">1</z:CropLeft>'
        '<crs:mine xmlns:crs="http://example.org/mine/">2</crs:mine>'
    )
    clean = clean_xmp(packet("", body))
    assert b"CropLeft" not in clean
    assert b"<crs:mine" in clean


def test_orientation_becomes_upright_and_sixteen_bit_text_is_read():
    data = packet('tiff:Orientation="6" crs:Version="15"').decode().encode("utf-16")
    clean = clean_xmp(data)
    assert b'tiff:Orientation="1"' in clean
    assert b"crs:Version" not in clean
    assert "tiff:Orientation" in names_in(clean)


@pytest.mark.parametrize(
    "data",
    [
        b"<x:xmpmeta><rdf:RDF crs:HasCrop='True'>",
        b"\xff\xfe\x00 no packet",
        b"text <a></a>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"\0\0\0",
    ],
)
def test_what_is_no_xml_is_given_up(data):
    assert clean_xmp(data) is None


def test_padding_of_zeros_behind_a_packet_is_no_harm():
    assert clean_xmp(packet() + bytes(2000)) is not None


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_every_output_holds_the_clean_packet(tmp_path, suffix):
    xmp = packet('crs:HasCrop="True" GCamera:MotionPhoto="1" xmp:Rating="5"')
    data = pillow(photo(), "JPEG", xmp=xmp)
    frame = read_bytes(tmp_path, data, ".jpg")
    out = tmp_path / f"out{suffix}"
    write_image(out, frame.pixels, frame.metadata)
    assert b"MotionPhoto" not in out.read_bytes()
    assert b"HasCrop" not in out.read_bytes()
    kept = read_one(out).metadata.xmp
    assert names_in(kept) >= {"xmp:Rating"}


def test_exif_carries_no_second_packet(tmp_path):
    from panfocus.io.ifd import Tag
    from panfocus.io.ifd_pack import pack
    from panfocus.io.metadata import parse_exif

    frame = read_bytes(tmp_path, foreign("JPEG")[0], ".jpg")
    block = parse_exif(frame.metadata.exif)
    block.put_bytes(Tag.XMP, 1, b"crs:HasCrop='True'")
    data = pillow(photo(), "JPEG", exif=b"Exif\0\0" + pack(block))
    assert b"crs:HasCrop" not in read_bytes(tmp_path, data, ".jpg").metadata.exif
