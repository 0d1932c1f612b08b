"""Texts of the page: no language lacks any, and no key is asked for that is not there."""

import json
import re
from typing import get_args

import pytest

from panfocus.guard.left_out import TOLD
from panfocus.io.volumes.reading import Way
from panfocus.io.volumes.vendors import MOSAICS
from panfocus.pipeline.options import ABOUT
from panfocus.registration.options import FREEDOMS
from panfocus.systems import list_systems
from panfocus.systems.uses import USES
from panfocus.web.app import STATIC
from panfocus.web.form import GROUPS, PRESETS, form

#: Choices that are called alike in all languages.
BY_NAME = ("cuda", "directml", "coreml", "openvino", "8", "16")
LANGUAGES = ("de", "zh", "ja", "fr", "es")
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in (STATIC / "js").glob("*.js")}


def texts(language):
    return json.loads((STATIC / f"texts/{language}.json").read_text(encoding="utf-8"))


#: English help comes from the options themselves.
HELP = {f"option.{name}.help" for name in ABOUT if name not in ("maps", "system")}
HELP |= {f"system.{name}" for name in USES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_text(language):
    wanted, found = set(texts("en")) | HELP, set(texts(language))
    assert sorted(wanted - found) == []
    assert sorted(found - wanted) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_put_in_is_the_same(language):
    def holes(text):
        return set(re.findall(r"\{(\w+)[}#]", text))

    english = texts("en")
    other = texts(language)
    assert [k for k, text in english.items() if holes(text) != holes(other[k])] == []
    assert [k for k, text in other.items() if not text.strip()] == []


def test_every_key_that_is_asked_for_is_there():
    asked = {
        key
        for script in SCRIPTS.values()
        for key in re.findall(r"""\bt\(\s*["']([\w.µ]+)["']""", script)
    }
    assert len(asked) > 100
    assert sorted(asked - set(texts("en"))) == []


def test_keys_that_are_put_together_are_there():
    english = texts("en")
    wanted = [f"option.{n}" for n in ABOUT if n != "maps"] + [f"group.{n}" for n in GROUPS]
    wanted += [f"preset.{n}{tail}" for n in PRESETS for tail in ("", ".help")]
    wanted += [f"tab.{n}" for n in ("fuse", "see", "mend", "save")]
    wanted += [f"map.{n}" for n in ("index", "depth", "confidence")]
    wanted += [f"mark.{n}" for n in ("blurred", "exposure", "order", *TOLD)]
    wanted += [
        f"choice.{o['name']}.{c}"
        for group in form()["groups"]
        for o in group["options"]
        for c in o["choices"]
        if c not in BY_NAME
    ]
    wanted += [f"choice.align_dof.{name}" for name in FREEDOMS]
    wanted += [f"read.{way}{tail}" for way in get_args(Way) for tail in ("", ".help")]
    wanted += [f"read.mosaic.{name}" for name in MOSAICS]
    wanted += [f"choice.reference.{name}" for name in ("middle", "first", "last")]
    assert [key for key in wanted if key not in english] == []


def test_systems_that_come_with_panfocus_say_what_they_are_for():
    assert sorted(USES) == sorted(card.name for card in list_systems())


def test_no_key_is_left_over():
    said = "\n".join(SCRIPTS.values())
    starts = ("option.", "choice.", "group.", "preset.", "tab.", "map.", "mark.", "unit.",
              "stage.", "job.", "look.", "keys.", "theme.", "mend.", "save.", "read.")  # fmt: skip
    left = [k for k in texts("en") if f'"{k}"' not in said and not k.startswith(starts)]
    assert left == []


def test_nothing_is_fetched_from_elsewhere():
    for path in STATIC.rglob("*"):
        if path.suffix in (".js", ".css", ".html") and "vendor" not in path.parts:
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
            assert not re.search(r"https?://|//cdn|@import", text), path.name
