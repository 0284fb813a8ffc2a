"""Files are written whole or not at all, alone and together."""

import os

import pytest

from blina.atomic import write_all, write_whole


class OutOfSpace(OSError):
    pass


def half_written(path):
    path.write_text("half")
    raise OutOfSpace(28, "No space left on device")


def names(folder):
    return sorted(os.listdir(folder))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_text("former a")
    (tmp_path / "b.txt").write_text("former b")
    return tmp_path


@pytest.mark.parametrize(
    "content, expected",
    [
        ("né\nà\r\n", "né\nà\r\n".encode()),
        (b"\xef\xbb\xbfx", b"\xef\xbb\xbfx"),
        (lambda path: path.write_bytes(b"by a function"), b"by a function"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "new.txt"])
def test_a_file_holds_exactly_what_it_was_given(folder, name, content, expected):
    write_whole(folder / name, content)
    assert (folder / name).read_bytes() == expected
    assert names(folder) == sorted({"a.txt", "b.txt", name})


def test_files_that_belong_together_are_all_written(folder):
    paths = [folder / "a.txt", folder / "c.txt"]
    assert write_all({paths[0]: "a", paths[1]: b"c"}) == paths
    assert [path.read_text() for path in paths] == ["a", "c"]
    assert names(folder) == ["a.txt", "b.txt", "c.txt"]


@pytest.mark.parametrize("failing", range(3))
def test_a_failure_half_way_leaves_the_old_files_whole_and_no_part(folder, failing):
    files = {folder / "a.txt": "new a", folder / "b.txt": "new b", folder / "c.txt": "new c"}
    files[list(files)[failing]] = half_written
    with pytest.raises(OutOfSpace):
        write_all(files)
    assert names(folder) == ["a.txt", "b.txt"]
    assert (folder / "a.txt").read_text() == "former a"
    assert (folder / "b.txt").read_text() == "former b"


def test_nothing_is_replaced_before_all_are_written(folder):
    def look(path):
        assert (folder / "a.txt").read_text() == "former a"
        path.write_text("new b")

    write_all({folder / "a.txt": "new a", folder / "b.txt": look})
    assert (folder / "a.txt").read_text() == "new a"
    assert (folder / "b.txt").read_text() == "new b"


def test_being_stopped_leaves_no_part(folder):
    def stopped(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(folder / "a.txt", stopped)
    assert names(folder) == ["a.txt", "b.txt"]
    assert (folder / "a.txt").read_text() == "former a"


def test_a_file_that_cannot_be_replaced_stays_and_leaves_no_part(folder, monkeypatch):
    def refused(source, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError):
        write_all({folder / "a.txt": "new a", folder / "c.txt": "new c"})
    assert names(folder) == ["a.txt", "b.txt"]
    assert (folder / "a.txt").read_text() == "former a"
