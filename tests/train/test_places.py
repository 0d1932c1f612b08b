"""Training and exporting replace nothing that is read, or that somebody else made."""

import pytest

from panfocus.errors import OutputError, UsageError
from panfocus.train.checkpoint import NAME, write_bytes
from panfocus.train.places import check_run, check_system

FILES = ("card.json", "model.onnx", "model.safetensors")


def system(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or FILES:
        (folder / name).write_text("theirs")
    return folder


@pytest.mark.parametrize("name", [NAME, "report.json", "system/card.json", "rejected/model.onnx"])
def test_a_fresh_run_takes_nothing_of_anothers_place(tmp_path, name):
    out = tmp_path / "run"
    check_run(out, [], None, resume=False)
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("theirs")
    with pytest.raises(UsageError, match="already") as caught:
        check_run(out, [], None, resume=False)
    assert str(out / name) in str(caught.value)
    check_run(out, [], None, resume=True)


@pytest.mark.parametrize("folder", ["system", "rejected"])
def test_a_run_does_not_replace_the_system_that_it_starts_from(tmp_path, folder):
    start = system(tmp_path / "run" / folder)
    link = tmp_path / "link"
    link.symlink_to(start, target_is_directory=True)
    for named in (start, link, tmp_path / "run" / ".." / "run" / folder):
        with pytest.raises(OutputError, match="one of the inputs"):
            check_run(tmp_path / "run", [], named, resume=True)
    check_run(tmp_path / "other", [], start, resume=False)


def test_a_run_does_not_write_among_the_pictures_that_it_learns_from(tmp_path):
    (tmp_path / "run" / "pictures" / "deep").mkdir(parents=True)
    for data in ("run/pictures", "run/pictures/deep"):
        with pytest.raises(OutputError, match="one of the inputs"):
            check_run(tmp_path / "run", [tmp_path / data], None, resume=False)
    check_run(tmp_path / "run" / "run", [tmp_path / "run"], None, resume=False)


@pytest.mark.parametrize("name", FILES)
def test_an_export_takes_no_systems_place_unasked(tmp_path, name):
    run, out = tmp_path / "run", tmp_path / "out"
    check_system(out, run, overwrite=False)
    system(out, name)
    with pytest.raises(UsageError, match="--overwrite"):
        check_system(out, run, overwrite=False)
    check_system(out, run, overwrite=True)


def test_an_export_does_not_take_the_place_of_its_checkpoint(tmp_path):
    run, out = tmp_path / "run", tmp_path / "out"
    system(run, NAME)
    out.mkdir()
    (out / "model.safetensors").symlink_to(run / NAME)
    with pytest.raises(OutputError, match="one of the inputs"):
        check_system(out, run, overwrite=True)


def test_a_file_keeps_its_mode(tmp_path):
    path = tmp_path / "card.json"
    path.write_text("old")
    path.chmod(0o600)
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_best_weights_of_an_earlier_run_are_not_taken_for_a_new_one(tmp_path):
    """Without its checkpoint they would be exported as the new run's."""
    from panfocus.train.checkpoint import BEST

    (tmp_path / BEST).write_bytes(b"x")
    with pytest.raises(UsageError, match="already"):
        check_run(tmp_path, [], None, resume=False)
    check_run(tmp_path, [], None, resume=True)
