"""Files and folders are replaced when the new one is complete, and nothing else is ever lost."""

import os
import threading

import pytest

from inside_musicnn.errors import InputError
from inside_musicnn.replacing import aside, new_version, put_in_place, write


def test_a_file_is_old_or_new_and_never_half(tmp_path):
    file = tmp_path / "x.txt"
    write(file, "old é")
    with pytest.raises(RuntimeError), new_version(file) as place:
        place.write_text("half")
        raise RuntimeError
    assert file.read_text(encoding="utf-8") == "old é"
    with new_version(file):
        pass  # it made nothing
    assert file.read_text(encoding="utf-8") == "old é"
    write(file, b"new")
    assert file.read_bytes() == b"new" and os.listdir(tmp_path) == ["x.txt"]
    assert file.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with aside(tmp_path / "out") as place:
        place.mkdir()
        (place / "new").touch()
    assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == ["new"]


def test_a_file_takes_no_folders_place_and_a_folder_no_files(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "mine").write_text("dear")
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        with aside(tmp_path / "music") as place:
            place.write_text("tags")
    assert (tmp_path / "music" / "mine").read_text() == "dear"
    (tmp_path / "song").write_text("dear")
    with pytest.raises(InputError, match="cannot be written"):
        with aside(tmp_path / "song") as place:
            place.mkdir()
    assert (tmp_path / "song").read_text() == "dear"
    assert sorted(os.listdir(tmp_path)) == ["music", "song"]


def test_a_full_disk_and_a_missing_folder_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be written: No such file"):
        with aside(tmp_path / "nowhere" / "x") as place:
            place.touch()
    with pytest.raises(InputError, match="is not a file"), aside("/dev/null"):
        pass


def test_many_at_once_leave_one(tmp_path):
    """As two runs that end at the same moment."""
    failed = []

    def replace(number):
        try:
            for turn in range(20):
                new = tmp_path / f"new-{number}-{turn}"
                new.mkdir()
                (new / "whose").write_text(str(number))
                put_in_place(new, tmp_path / "out")
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=replace, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out" / "whose").read_text() in {"0", "1", "2"}
