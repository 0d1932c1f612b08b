"""How a picture was made, told in its XMP: by which program, with which options, of which frames.

As other programs tell it: an event in `xmpMM:History`, and the frames' names as `xmpMM:Ingredients`
(Adobe, "XMP Specification Part 2", media management). No time is told: the same frames and options
give the same file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from panfocus.io.mark import mark
from panfocus.io.xml_text import quoted

_SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
}
#: Frames that are named, at most: a JPEG holds 64 kB of XMP.
MOST_NAMED = 200
_END = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?RDF\s*>")
#: What XML cannot hold. Compiled where it is needed: it takes 3 ms.
_NO_TEXT = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_BEGIN = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}">\n'
)
_CLOSE = '</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'


def with_history(xmp: bytes | None, words: str, frames: Sequence[str]) -> bytes:
    """Return an XMP packet that tells how the picture was made as well.

    Args:
        xmp: of the photograph, UTF-8, without a history; None for none.
        words: what was done, such as a line of options.
        frames: names of the frames, without folders.
    """
    told = _told(words, frames)
    ends = [] if xmp is None else list(_END.finditer(xmp))
    if xmp is None or not ends:
        return (_BEGIN.format(**_SPACES) + told + _CLOSE).encode()
    at = ends[-1].start()
    return xmp[:at] + told.encode() + xmp[at:]


def _told(words: str, frames: Sequence[str]) -> str:
    spaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in _SPACES.items())
    event = f'stEvt:action="derived" stEvt:softwareAgent={_quoted(mark())}'
    parts = [f"<rdf:li stRef:filePath={_quoted(name)}/>" for name in frames[:MOST_NAMED]]
    return (
        f'<rdf:Description rdf:about="" {spaces}>\n'
        f"<xmpMM:History><rdf:Seq><rdf:li {event} stEvt:parameters={_quoted(words)}/>"
        "</rdf:Seq></xmpMM:History>\n"
        f"<xmpMM:Ingredients><rdf:Bag>{''.join(parts)}</rdf:Bag></xmpMM:Ingredients>\n"
        "</rdf:Description>\n"
    )


def _quoted(text: str) -> str:
    is_plain = text.isascii() and text.isprintable()
    return quoted(text if is_plain else re.sub(_NO_TEXT, "?", text))
