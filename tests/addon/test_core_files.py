"""Files that the extension replaces: their rights and links stay, as with the command line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from osmnet_addon.core.errors import AddonError
from osmnet_addon.core.files import replaced

posix = pytest.mark.skipif(os.name != "posix", reason="rights and links as Unix has them")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_rights(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "take.npz"
    path.write_bytes(b"old")
    path.chmod(mode)
    with replaced(path) as stream:
        [temporary] = [entry for entry in tmp_path.iterdir() if entry != path]
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        stream.write(b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_a_new_file_has_the_rights_of_an_ordinary_one(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    with replaced(tmp_path / "take.npz") as stream:
        stream.write(b"new")
    assert (tmp_path / "take.npz").stat().st_mode == ordinary.stat().st_mode


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "b.npz", tmp_path / "a.npz"
    link.symlink_to("elsewhere/b.npz")
    for words in (b"first", b"second"):  # leading nowhere, and to a file
        with replaced(link) as stream:
            stream.write(words)
        assert link.is_symlink()
        assert target.read_bytes() == words
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["a.npz", "b.npz", "elsewhere"]


@posix
def test_a_link_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").symlink_to("b.npz")
    (tmp_path / "b.npz").symlink_to("a.npz")
    with pytest.raises(AddonError, match="circle"), replaced(tmp_path / "a.npz"):
        pass


@posix
def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(AddonError, match="too long"), replaced(tmp_path / ("n" * 260)):
        pass
