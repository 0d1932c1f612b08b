"""Other people's results belong to samples by a list, a name, a number or their order."""

from pathlib import Path

import pytest

from panfocus.errors import DataError
from panfocus.evaluate.matching import match_results

LYTRO = [f"lytro-{n:02d}" for n in range(1, 13)]


def folder(tmp_path, names):
    place = tmp_path / "results"
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"")
    return place


def found(place, samples):
    matched = match_results(place, samples)
    return {n: p.relative_to(place).as_posix() for n, p in matched.files.items()}, matched.note


@pytest.mark.parametrize(
    ("form", "note"),
    [
        ("{name}.png", None),
        ("fused_{name}.jpg", None),
        ("{name}_drpl.png", "by the samples' names in theirs"),
        ("a-{name}-b.png", "by the samples' names in theirs"),
        ("{number:02d}.jpg", "by their numbers"),
        ("{number}.png", "by their numbers"),
        ("color_lytro_{number:02d}_v2.tif", "by their numbers"),
        ("520_{number}.png", "by their numbers"),
    ],
)
def test_every_sample_finds_its_picture(tmp_path, form, note):
    names = {name: form.format(name=name, number=n) for n, name in enumerate(LYTRO, 1)}
    place = folder(tmp_path, names.values())
    files, told = found(place, LYTRO)
    assert files == names
    assert (told is None) == (note is None)
    assert note is None or f"{note}: {names[LYTRO[0]]} for lytro-01" in told


def test_by_number_a_larger_set_does_not_disturb(tmp_path):
    place = folder(tmp_path, [f"{n}.png" for n in range(1, 31)])
    files, _ = found(place, LYTRO)
    assert files["lytro-07"] == "7.png"
    assert len(files) == 12


def test_order_is_the_last_way_and_told(tmp_path):
    place = folder(tmp_path, [f"{n}.png" for n in range(12)])  # counted from 0
    files, told = found(place, LYTRO)
    assert files["lytro-01"] == "0.png" and files["lytro-11"] == "10.png"
    assert "in natural order" in told and "and 9 more" in told
    place = folder(tmp_path, ["one too many.png"])
    assert found(place, LYTRO) == ({}, None)


def test_some_that_are_named_are_not_mixed_with_others(tmp_path):
    place = folder(tmp_path, ["lytro-01.png", "2.png", "3.png"])
    assert found(place, LYTRO[:3]) == ({"lytro-01": "lytro-01.png"}, None)


def test_samples_of_kinds_are_looked_for_in_their_folders(tmp_path):
    place = folder(tmp_path, ["hair/1.png", "hair/2.png", "void/1.png", "void/2.png"])
    files, _ = found(place, ["hair/a01", "hair/a02", "void/a01", "void/a02"])
    assert files["void/a02"] == "void/2.png"


def test_a_list_goes_before_all(tmp_path):
    place = folder(tmp_path, ["a.png", "b.png", "lytro-01.png"])
    (place / "results.csv").write_text("image,file\nlytro-01,b.png\nlytro-02,a.png\n")
    assert found(place, LYTRO[:2]) == ({"lytro-01": "b.png", "lytro-02": "a.png"}, None)
    elsewhere = tmp_path / "mine.csv"
    elsewhere.write_text("file,image,seconds\nresults/a.png,lytro-01,3\n")
    matched = match_results(elsewhere, LYTRO[:2])
    assert dict(matched.files) == {"lytro-01": Path(tmp_path / "results/a.png")}


@pytest.mark.parametrize(
    "text",
    [
        "", "name,path\na,b\n", "image,file\nlytro-01,none.png\n", "image,file\n,a.png\n",
        "image,file\nx,a.png\nx,a.png\n", "image,file\nx\n", "\x00\xff",
    ],
)  # fmt: skip
def test_a_list_that_is_none_is_refused(tmp_path, text):
    place = folder(tmp_path, ["a.png"])
    (place / "results.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="list of results"):
        match_results(place, LYTRO[:2])
