"""Where files cannot be mapped they are written, and whoever asks is told why."""

import subprocess
import sys
from pathlib import Path

import pytest

from agenttrace.record import files
from agenttrace.record.files import Medium, filesystem_among, kind_of
from agenttrace.record.folder import SpoolFolder, SpoolFullError, bytes_in

MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:25 / /home rw,relatime - nfs4 server:/home rw
31 30 0:26 / /home/me/local rw - xfs /dev/vdb rw
32 22 0:27 / /mnt/my\040disk rw - fuse.sshfs me@there:/ rw
33 22 0:28 / /mnt/twice rw - ext4 /dev/vdc rw
34 22 0:29 / /mnt/twice rw - cifs //server/share rw
broken line
""".splitlines()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/spool", "ext4"),
        ("/home/me/spool", "nfs4"),
        ("/home", "nfs4"),
        ("/homestead", "ext4"),
        ("/home/me/local/spool", "xfs"),
        ("/mnt/my disk/spool", "fuse.sshfs"),
        ("/mnt/twice/spool", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_and_latest_mount(path: str, expected: str) -> None:
    assert filesystem_among(MOUNTS, path) == expected


@pytest.mark.parametrize(
    ("mounted", "expected"),
    [
        ("ext4", Medium("mapped", "ext4 is local")),
        ("overlay", Medium("mapped", "overlay is local")),
        ("nfs4", Medium("written", "nfs4 may be shared with other machines")),
        ("fuse.sshfs", Medium("written", "fuse.sshfs may be shared with other machines")),
        ("9p", Medium("written", "9p may be shared with other machines")),
    ],
)
def test_files_that_other_machines_may_change_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounted: str, expected: Medium
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 0:1 / / rw - {mounted} none rw\n")
    monkeypatch.setattr(files, "_MOUNTS", mounts)
    assert kind_of(tmp_path / "not there yet") == expected


def test_where_the_kernel_does_not_tell_files_are_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MOUNTS", tmp_path / "none")
    assert kind_of(tmp_path) == Medium("mapped", "the file system is not known to be shared")


WITHOUT = """
import logging, os, random, sys, tempfile, threading, weakref
from pathlib import Path
for name in ("fcntl", "mmap"):
    sys.modules[name] = None
for name in ("register_at_fork", "posix_fallocate", "pwrite"):
    delattr(os, name)
from agenttrace.record.spool import Spool
spool = Spool(Path(sys.argv[1]), "test")
slot = spool.begin(b'{"n":1}\\n')
spool.begin(b'{"n":2}\\n')
spool.append(b'{"n":1}\\n', slot)
print(spool.medium.reason)
spool.close()
"""


def test_a_platform_without_locks_maps_and_forks_records_all_the_same(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, tmp_path], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "this platform has no fcntl\n"
    (segment,), (table,) = tmp_path.glob("*.seg"), tmp_path.glob("*.flight")
    assert segment.read_bytes().endswith(b'}\n{"n":1}\n')
    assert b'{"n":2}' in table.read_bytes()
    assert b'{"n":1}' not in table.read_bytes()


def test_a_limit_counts_what_is_reserved_and_refuses_a_file_beyond_it(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, "test", max_bytes=20_000)
    file = folder.new_file("one", 12_000)
    assert 12_000 <= bytes_in(tmp_path) <= 16_384
    with pytest.raises(SpoolFullError, match="allows 20,000: `agenttrace store fold` empties it"):
        folder.new_file("two", 12_000)
    file.discard()
    folder.new_file("two", 12_000).discard()
    assert list(tmp_path.iterdir()) == []
