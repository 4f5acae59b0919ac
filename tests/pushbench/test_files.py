"""Files: written whole or not at all, and on the disk before they take the place of what was there."""

import os
import resource
import subprocess
from pathlib import Path

import pytest

from pushbench.files import write_whole
from tests.pushbench.tiny import PYTHON


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"first", b"", bytes(2**20)):
        write_whole(path, content)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]


def test_it_is_on_the_disk_before_it_has_its_name_and_then_its_name_is_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor: int) -> None:
        steps.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def note_replace(self: Path, target: Path) -> Path:
        steps.append(f"{self.name} becomes {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    write_whole(tmp_path / "file", b"content")
    assert steps == ["fsync .file.partial", ".file.partial becomes file", f"fsync {tmp_path.name}"]


TOO_MUCH = """
import sys
from pathlib import Path
from pushbench.files import write_whole
try:
    write_whole(Path("file"), bytes(10_000))
except OSError as error:
    print(error.strerror)
"""


def test_when_there_is_no_room_the_one_before_stays_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    done = subprocess.run(
        [PYTHON, "-c", TOO_MUCH],
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "File too large\n"
    assert (tmp_path / "file").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_directory_that_is_not_there_is_told_as_the_system_does(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "absent" / "file", b"content")
