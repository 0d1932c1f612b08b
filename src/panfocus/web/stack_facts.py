"""What a page is told of an open stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panfocus.web.readings import reading_facts

if TYPE_CHECKING:
    from panfocus.web.stacks import OpenStack


def facts_of_stack(stack: OpenStack) -> dict[str, Any]:
    """Return what a page is told of a stack."""
    count, height, width = stack.frames.shape
    marks = {f.number: {"kind": f.kind, "text": f.text} for f in stack.survey.findings}
    sharpness, aligned = stack.survey.sharpness, stack.survey.aligned
    frames = [
        {
            "number": n,
            "name": name,
            "used": stack.used[n],
            "mark": marks.get(n),
            "sharpness": sharpness[n] if n < len(sharpness) else None,
            "align": aligned[n] if n < len(aligned) else None,
            "thumb": n < len(stack.survey.thumbs),
        }
        for n, name in enumerate(stack.frames.names)
    ]
    with stack.lock:
        results = [
            {**result.facts(), "is_part": stack.is_part(result.used)}
            for result in stack.results.values()
        ]
    return {
        "id": stack.id,
        "title": stack.title,
        "kind": "volume" if stack.volume else "photos",
        "folder": str(stack.folder),
        "count": count,
        "height": height,
        "width": width,
        "reference": stack.reference,
        "can_switch": stack.can_switch,
        "reading": reading_facts(stack.inputs, stack.reading),
        "key": stack.key,
        "version": stack.version,
        "frames": frames,
        "results": results,
        "notes": stack.notes,
        "options": stack.options,
        "levels": stack.levels.facts(),
        "found_levels": stack.survey.levels.facts(),
        "strokes": len(stack.mending.drawn),
        "mended": stack.mending.version,
        "dropped": stack.is_dropped,
        "pixel_um": stack.frames.pixel_um,
        "volume": stack.volume and {"positions": stack.volume.facts(), "place": list(stack.place)},
    }
