"""The non-volatile memory in a file: kept, compacted, locked, and met with every kind of wrong file."""

import errno
import fcntl
import json
import os
import stat
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from firmware_sim import memory_file
from firmware_sim.errors import NvmFileError, SeedError
from firmware_sim.memory.image import snapshot
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session import SessionMemory
from firmware_sim.memory.session_steps import BeginCycle, CloseSession, EndCycle, OpenSession, PowerOn, SetPhase
from firmware_sim.memory.steps import LatchAlarm, Put, Step
from firmware_sim.memory_file import FileStore, load
from protocols.language.checksum import crc32c
from protocols.language.enums import CloseReason, Ending, NeedleOutcome, Phase
from protocols.language.records import Boot

Memory = tuple[Nvm, FileStore]
MARK = memory_file._encode_step("synced", [])
PAGE = 512
VERSION_3 = Path(__file__).parent / "memory" / "version_3"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "device.nvm"


def opened(path: Path, **options: Any) -> Memory:
    nvm = load(path, **options)
    store = nvm.store
    assert isinstance(store, FileStore)
    return nvm, store


def keep(nvm: Nvm, step: Step) -> None:
    """Keep a step, and sync it as before it is shown."""
    nvm.keep(step)
    nvm.sync()


def begin_session(nvm: Nvm) -> None:
    keep(nvm, PowerOn(0))
    keep(nvm, OpenSession(SessionMemory(1, 1, 300, 600, 3000, (70,), 70, 16, 48).to_json(), 5))


def run_cycle(nvm: Nvm) -> None:
    keep(nvm, BeginCycle(nvm.last_cycle_no + 1, 0, 3, 3000))
    keep(nvm, Put("stroke_latch", True))
    keep(nvm, SetPhase(Phase.COUNT))
    outcomes = [NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.COUNTED]
    keep(nvm, EndCycle(Ending.COMPLETED, Phase.COUNT, outcomes, zone=0, cell=3, depth_um=3000, uptime_ms=9))


def reopened(path: Path) -> dict[str, Any]:
    nvm, store = opened(path)
    image = snapshot(nvm)
    store.close()
    return image


def test_memory_outlives_its_process(path: Path) -> None:
    nvm, store = opened(path, epoch=42)
    begin_session(nvm)
    run_cycle(nvm)
    store.close()
    store.close()
    assert reopened(path) == snapshot(nvm)
    assert snapshot(nvm)["epoch"] == 42


@pytest.mark.parametrize(("drawn", "epoch"), [(b"\1\2\3\4", 0x04030201), (bytes(4), 1)])
def test_an_epoch_is_drawn_and_is_never_zero(
    path: Path, monkeypatch: pytest.MonkeyPatch, drawn: bytes, epoch: int
) -> None:
    monkeypatch.setattr(os, "urandom", lambda size: drawn)
    nvm, store = opened(path)
    store.close()
    assert nvm.epoch == epoch


def test_new_memory_draws_an_epoch(path: Path) -> None:
    nvm, store = opened(path)
    assert 0 < nvm.epoch <= 0xFFFF_FFFF
    store.close()
    assert reopened(path)["epoch"] == nvm.epoch
    path.write_bytes(b"")  # an empty file holds nobody's memory
    assert reopened(path)["boot_count"] == 0


def test_epoch_is_only_for_a_new_memory(path: Path) -> None:
    opened(path, epoch=1)[1].close()
    nvm, store = opened(path, epoch=2)
    assert nvm.epoch == 1
    store.close()


def test_file_is_compacted_and_says_the_same(path: Path) -> None:
    nvm, store = opened(path, compact_size=4000)
    begin_session(nvm)
    sizes = []
    for _ in range(60):
        run_cycle(nvm)
        sizes.append(path.stat().st_size)
    assert any(later < earlier for earlier, later in pairwise(sizes))
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(NvmFileError, match="in use by another device"):
        load(path)  # the file that took its place is locked as well
    store.close()
    assert reopened(path) == snapshot(nvm)


def test_second_device_is_kept_out(path: Path) -> None:
    _, store = opened(path)
    with pytest.raises(NvmFileError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: is in use by another device"
    assert (caught.value.path, caught.value.reason) == (str(path), "is in use by another device")
    store.close()
    reopened(path)


def test_file_that_was_replaced_before_the_lock_is_opened_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(path, epoch=1)[1].close()
    other = path.with_name("other.nvm")
    opened(other, epoch=2)[1].close()
    lock = fcntl.flock

    def replacing_flock(descriptor: int, operation: int) -> None:
        if other.exists():
            other.replace(path)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", replacing_flock)
    assert reopened(path)["epoch"] == 2


NO_STEP = "is damaged at byte 12; move it away to start with an empty memory"
NEWER = struct.pack("<8sI", memory_file.MAGIC, 5)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"#!/bin/sh\n", "is not a memory file of this simulator"),
        (b"HLP/NVM", "is not a memory file of this simulator"),
        (NEWER[:-1], "is not a memory file of this simulator"),
        (NEWER, "was written by a newer version (5; this one reads up to 4)"),
        (struct.pack("<8sI", memory_file.MAGIC, 1), NO_STEP),
        (struct.pack("<8sI", memory_file.MAGIC, 2), NO_STEP),
        (struct.pack("<8sI", memory_file.MAGIC, 3), NO_STEP),
        (struct.pack("<8sI", memory_file.MAGIC, 4), NO_STEP),
    ],
)
def test_wrong_file_is_refused_and_left_alone(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)
    with pytest.raises(NvmFileError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {says}"
    assert path.read_bytes() == content


def test_the_seed_is_kept_with_all_else(path: Path) -> None:
    nvm, store = opened(path)
    nvm.keep_seed(2**63 - 1)
    size = path.stat().st_size
    nvm.keep_seed(2**63 - 1)
    assert path.stat().st_size == size
    store.close()
    assert reopened(path)["seed"] == 2**63 - 1
    nvm, store = opened(path, compact_size=1)
    keep(nvm, PowerOn(0))  # compacted
    store.close()
    nvm, store = opened(path)
    with pytest.raises(SeedError) as caught:
        nvm.keep_seed(7)
    assert (caught.value.kept, caught.value.wanted) == (2**63 - 1, 7)
    store.close()


def older_file(path: Path, version: int, *, compacted: bool) -> bytes:
    """A file as that version wrote it, of a memory with epoch 42 that was booted once."""
    _, store = opened(path, epoch=42)
    store.close()
    image = reopened(path)
    if version == 1:
        del image["seed"]
    first = memory_file._encode_step("snapshot", image) if compacted else memory_file._encode_step("epoch", [42])
    return struct.pack("<8sI", memory_file.MAGIC, version) + first + memory_file._encode_step("boot", [5])


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_an_older_file_is_read_and_rewritten(path: Path, version: int, compacted: bool) -> None:
    """It has no marks, that of version 1 no seed either, and is no file for the program that wrote it any more."""
    path.write_bytes(older_file(path, version, compacted=compacted))
    nvm, store = opened(path)
    assert (nvm.epoch, nvm.seed, nvm.boot_count) == (42, None, 1)
    assert path.read_bytes().startswith(struct.pack("<8sI", memory_file.MAGIC, memory_file.VERSION))
    nvm.keep_seed(7)
    store.close()
    assert reopened(path) == snapshot(nvm)


@pytest.mark.parametrize("name", ["steps", "snapshot"])
def test_a_file_of_version_3_is_read_as_the_program_of_then_read_it(path: Path, name: str) -> None:
    """Both files, and the image, were made by that program: each step it had, and what they came to."""
    path.write_bytes((VERSION_3 / f"{name}.memory").read_bytes())
    image = json.loads((VERSION_3 / "image.json").read_text())
    nvm, store = opened(path)
    assert json.loads(json.dumps(snapshot(nvm))) == image
    assert path.read_bytes().startswith(struct.pack("<8sI", memory_file.MAGIC, memory_file.VERSION))
    keep(nvm, PowerOn(0))
    store.close()
    assert nvm.session is not None and nvm.session.aborted == 1, "the cycle that was open"
    assert reopened(path) == snapshot(nvm)


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_file_has_no_holes(path: Path, version: int) -> None:
    """Nothing in it tells what was synced: damage before a whole step is an error."""
    data = bytearray(older_file(path, version, compacted=False) + memory_file._encode_step("boot", [6]) + bytes(100))
    path.write_bytes(data)
    assert reopened(path)["boot_count"] == 2
    at = data.index(b'["boot",[5]]') - 8
    data[at + 9] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(NvmFileError, match=f"is damaged at byte {at}; move it away"):
        load(path)
    assert path.read_bytes() == data


# -- what the path leads to --------------------------------------------------------------------------------------------


def test_a_file_beside_the_memory_is_not_overwritten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the name that a version before took, nor by the one that it draws."""
    precious, link = path.with_name("precious"), path.with_name("device.nvm.new")
    precious.write_text("mine")
    link.symlink_to(precious)
    nvm, store = opened(path)
    store.rewrite()
    monkeypatch.setattr(os, "urandom", bytes)
    path.with_name("device.nvm.00000000.new").symlink_to(precious)
    with pytest.raises(NvmFileError, match="could not be compacted: File exists"):
        store.rewrite()
    keep(nvm, PowerOn(0))
    store.close()
    other = path.with_name("other.nvm")
    path.with_name("other.nvm.00000000.new").symlink_to(precious)
    with pytest.raises(NvmFileError, match="cannot be used: File exists"):
        load(other)
    assert precious.read_text() == "mine" and link.is_symlink() and not other.exists()


def test_a_symbolic_link_to_the_memory_stays_a_link(path: Path) -> None:
    """Else the file that it led to would be left behind as it was."""
    link = path.with_name("link.nvm")
    for _ in range(2):  # a link that leads nowhere yet, and one to a memory
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        nvm, store = opened(link)
        keep(nvm, PowerOn(0))
        store.rewrite()
        store.close()
        assert link.is_symlink() and reopened(path) == snapshot(nvm)


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_a_memory_that_is_rewritten_keeps_its_permissions(path: Path, mode: int) -> None:
    for content in (b"", None):  # of a file that somebody made for it, and of a memory
        if content is not None:
            path.write_bytes(content)
        path.chmod(mode)
        _, store = opened(path)
        store.rewrite()
        store.close()
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_what_is_no_regular_file_is_left_alone(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(NvmFileError, match="device.nvm: is no regular file"):
        load(path)
    assert path.is_fifo()


@pytest.mark.parametrize("there", [False, True])
def test_of_two_programs_that_make_a_memory_at_once_one_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    if there:
        path.touch()
    replace = os.replace

    def overtaken(source: Path, target: Path) -> None:
        with pytest.raises(NvmFileError, match="is in use by another device"):
            load(path)
        replace(source, target)

    monkeypatch.setattr(os, "replace", overtaken)
    nvm, store = opened(path)
    store.close()
    assert reopened(path)["epoch"] == nvm.epoch


@pytest.mark.parametrize("there", [False, True])
def test_a_memory_that_cannot_be_made_leaves_what_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    if there:
        path.touch()
    for name in ("write", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full_disk)
            with pytest.raises(NvmFileError, match="cannot be used: No space left on device"):
                load(path)
        assert list(path.parent.iterdir()) == [path] * there


def test_path_out_of_reach_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NvmFileError, match="cannot be used: Is a directory"):
        load(tmp_path)
    with pytest.raises(
        NvmFileError, match="cannot be used: No such file or directory; name a file in a folder that exists$"
    ):
        load(tmp_path / "nowhere" / "device.nvm")


def test_torn_last_step_is_cut_off_at_every_byte(path: Path) -> None:
    nvm, store = opened(path, epoch=1)
    begin_session(nvm)
    before, whole = snapshot(nvm), path.stat().st_size
    keep(nvm, LatchAlarm(1501))
    store.close()
    data = path.read_bytes()
    for size in range(whole, len(data) - len(MARK)):
        path.write_bytes(data[:size])
        assert reopened(path) == before
        assert path.stat().st_size == whole
    path.write_bytes(data[:whole] + bytes(len(data) - whole))  # length grew, blocks were never written
    assert reopened(path) == before


def test_damage_before_a_whole_step_is_an_error(path: Path) -> None:
    nvm, store = opened(path, epoch=1)
    begin_session(nvm)
    at = path.stat().st_size
    run_cycle(nvm)
    store.close()
    data = bytearray(path.read_bytes())
    for offset in (at, at + 4, at + 12):  # length, CRC, body
        damaged = data.copy()
        damaged[offset] ^= 0x40
        path.write_bytes(damaged)
        with pytest.raises(NvmFileError, match=f"is damaged at byte {at}; move it away"):
            load(path)
        assert path.read_bytes() == damaged


def test_damage_to_any_byte_that_was_synced_is_noticed(path: Path) -> None:
    """Also in the last step, behind which there is nothing but the mark."""
    nvm, store = opened(path, epoch=1)
    keep(nvm, PowerOn(0))
    keep(nvm, LatchAlarm(1501))
    store.close()
    data = path.read_bytes()
    for offset in range(len(data) - len(MARK)):
        damaged = bytearray(data)
        damaged[offset] ^= 0x40
        path.write_bytes(damaged)
        with pytest.raises(NvmFileError):
            load(path)
        assert path.read_bytes() == damaged


def unsynced_pages(path: Path) -> tuple[bytes, dict[str, Any], int]:
    """A file with many steps behind its last sync; the memory at that sync, and the page after the one it was in."""
    nvm, _ = opened(path, epoch=1)
    begin_session(nvm)
    before, size = snapshot(nvm), path.stat().st_size
    for _ in range(24):
        nvm.append(Boot(event_no=nvm.head, uptime_ms=1, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    data = path.read_bytes()
    memory_file.close(nvm)
    return data, before, (size + PAGE) // PAGE * PAGE


def test_a_hole_in_what_was_not_synced_is_where_the_memory_ends(path: Path) -> None:
    """Two pages of steps, and the disk wrote the second one first."""
    data, before, page = unsynced_pages(path)
    assert len(data) > page + 2 * PAGE and MARK not in data[page:]
    path.write_bytes(data[:page] + bytes(PAGE) + data[page + PAGE :])
    after = reopened(path)
    records = bytes.fromhex(after["journal"][2])
    assert before["journal"][0] < after["journal"][0] < before["journal"][0] + 24, "up to the hole, and no further"
    assert bytes.fromhex(before["journal"][2]) == records[: 32 * (before["journal"][0] - 1)]
    assert {**after, "journal": None} == {**before, "journal": None}
    kept = path.read_bytes()
    assert data.startswith(kept) and len(kept) <= page


def test_what_is_behind_a_hole_does_not_come_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is off the disk before the next step is written, which may be just as long as the hole."""
    data, _, page = unsynced_pages(path)
    path.write_bytes(data[:page] + bytes(PAGE) + data[page + PAGE :])
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    opened(path)[1].close()
    assert sizes == [path.stat().st_size]


def test_a_sync_after_a_hole_makes_damage_of_the_next_one(path: Path) -> None:
    data, _, page = unsynced_pages(path)
    path.write_bytes(data[:page] + bytes(PAGE) + data[page + PAGE :])
    nvm, store = opened(path)
    at = path.stat().st_size
    keep(nvm, PowerOn(0))
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[: at + 2] + b"?" + data[at + 3 :])
    with pytest.raises(NvmFileError, match=f"is damaged at byte {at}; move it away"):
        load(path)


@pytest.mark.parametrize("taken", [0, 7])
def test_a_memory_whose_marks_cannot_be_written_is_read_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    nvm, store = opened(path)
    write = os.pwrite

    def without_marks(descriptor: int, raw: bytes, offset: int) -> int:
        if raw == MARK and not taken:
            full_disk()
        return write(descriptor, raw[:taken] if raw == MARK else raw, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", without_marks)
        begin_session(nvm)
        run_cycle(nvm)
    store.close()
    assert path.read_bytes().count(MARK) == 1, "that of the new file"
    assert reopened(path) == snapshot(nvm)


def looks_like(body: bytes, length: int) -> bytes:
    """A step of `length` bytes whose checksum is right for a body of another length."""
    raw = struct.pack("<I", length)
    return raw + struct.pack("<I", crc32c(raw + body)) + body


@pytest.mark.parametrize("tail", [looks_like(b"{}", 2), looks_like(b'["boot"', 500)], ids=["too short", "too long"])
def test_what_only_looks_like_a_step_is_cut_off(path: Path, tail: bytes) -> None:
    nvm, store = opened(path)
    keep(nvm, PowerOn(0))
    store.close()
    data = path.read_bytes()
    path.write_bytes(data + tail)
    assert reopened(path) == snapshot(nvm)
    assert path.read_bytes() == data


def test_a_file_is_read_to_its_end_in_pieces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvm, store = opened(path)
    begin_session(nvm)
    store.close()
    read = os.pread
    monkeypatch.setattr(os, "pread", lambda descriptor, size, offset: read(descriptor, min(size, 11), offset))
    assert reopened(path) == snapshot(nvm)


def test_a_step_that_is_not_known_is_an_error_and_frees_the_lock(path: Path) -> None:
    path.write_bytes(struct.pack("<8sI", memory_file.MAGIC, 1) + memory_file._encode_step("dance", []))
    for _ in range(2):
        with pytest.raises(NvmFileError, match="is damaged: step 0 .dance. cannot be repeated"):
            load(path)


def test_full_disk_leaves_file_and_memory_as_they_were(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvm, store = opened(path)
    begin_session(nvm)
    before, data = snapshot(nvm), path.read_bytes()
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, raw, offset: write(descriptor, raw[:5], offset))
    with pytest.raises(NvmFileError, match="only 5 of .* bytes were written: is the disk full"):
        keep(nvm, LatchAlarm(1501))
    assert snapshot(nvm) == before and path.read_bytes() == data
    monkeypatch.undo()
    keep(nvm, LatchAlarm(1501))  # there is room again
    store.close()
    assert reopened(path) == snapshot(nvm) != before


def failing(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_file_that_cannot_be_cut_back_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvm, store = opened(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", failing)
        patch.setattr(os, "ftruncate", failing)
        with pytest.raises(NvmFileError, match="Input/output error"):
            keep(nvm, PowerOn(0))
    with pytest.raises(NvmFileError, match="could not be cut back .Input/output error.; restart the device"):
        keep(nvm, PowerOn(0))
    store.close()


def test_failed_sync_is_never_trusted_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvm, store = opened(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(NvmFileError, match="could not be synced .Input/output error.; restart the device"):
            keep(nvm, PowerOn(0))
    with pytest.raises(NvmFileError, match="could not be synced"):
        keep(nvm, PowerOn(0))
    for sync in (nvm.sync, store.sync):  # the system may say yes the next time, of data that it has thrown away
        with pytest.raises(NvmFileError, match="could not be synced"):
            sync()
    store.close()
    with pytest.raises(NvmFileError, match="is closed"):
        keep(nvm, PowerOn(0))
    assert reopened(path)["boot_count"] == 1  # it was written after all: more is remembered than was promised


@pytest.mark.parametrize("broken", ["write", "short", "fsync", "place"])
def test_file_that_cannot_be_compacted_grows_on(path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    nvm, store = opened(path, compact_size=1)
    store.reserve(100)
    inode, write, sync = path.stat().st_ino, os.write, os.fsync
    with monkeypatch.context() as patch:
        if broken == "fsync":  # of the new file alone
            patch.setattr(os, "fsync", lambda it: failing() if os.fstat(it).st_ino != inode else sync(it))
        elif broken == "place":
            patch.setattr(os, "posix_fallocate", failing)
        else:
            patch.setattr(os, "write", failing if broken == "write" else lambda it, raw: write(it, raw[:3]))
        keep(nvm, PowerOn(0))
        keep(nvm, PowerOn(0))
        with pytest.raises(NvmFileError, match="could not be compacted"):
            store.rewrite()
    assert path.stat().st_ino == inode and list(path.parent.iterdir()) == [path]
    store.rewrite()
    keep(nvm, PowerOn(0))
    assert path.stat().st_ino != inode
    store.close()
    assert reopened(path) == snapshot(nvm)
    assert nvm.boot_count == 3


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_file_that_may_have_been_replaced_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    nvm, store = opened(path)
    keep(nvm, PowerOn(0))
    before, sync = snapshot(nvm), os.fsync
    with monkeypatch.context() as patch:
        if broken == "replace":
            patch.setattr(os, "replace", failing)
        else:
            patch.setattr(os, "fsync", lambda it: failing() if stat.S_ISDIR(os.fstat(it).st_mode) else sync(it))
        with pytest.raises(NvmFileError, match="could not be replaced .Input/output error.; restart the device"):
            store.rewrite()
    with pytest.raises(NvmFileError, match="could not be replaced"):
        nvm.keep(PowerOn(0))
    with pytest.raises(NvmFileError, match="could not be replaced"):
        nvm.reserve(1)
    store.close()
    assert reopened(path) == before


# -- place for steps to come -------------------------------------------------------------------------------------------


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_place_that_was_taken_is_there_when_the_disk_is_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvm, store = opened(path)
    begin_session(nvm)
    store.reserve(1000)
    size = path.stat().st_size
    monkeypatch.setattr(os, "posix_fallocate", full_disk)
    while True:
        try:
            nvm.reserve(1000)
        except NvmFileError as error:
            assert str(error) == f"{path}: No space left on device"
            break
        run_cycle(nvm)
    nvm.reserve(100)
    keep(nvm, CloseSession(CloseReason.ABORTED, 1))
    assert path.stat().st_size == size, "all of it went into the place that was taken"
    store.close()
    assert path.stat().st_size < size, "what was not needed is given back"
    assert reopened(path) == snapshot(nvm)


def test_memory_of_a_device_that_was_killed_has_zeros_behind_it(path: Path) -> None:
    nvm, store = opened(path)
    begin_session(nvm)
    store.reserve(1000)
    run_cycle(nvm)
    data = path.read_bytes()
    store.close()
    path.write_bytes(data)
    assert data.endswith(bytes(1000)) and reopened(path) == snapshot(nvm)
    path.write_bytes(data[: data.rindex(b"end_cycle") + 3] + bytes(len(data)))  # and its last step was torn
    torn = reopened(path)
    assert torn["register"] == [1, Phase.COUNT] and torn["last_cycle"] == ""


def test_place_goes_with_a_compacted_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvm, store = opened(path)
    begin_session(nvm)
    store.reserve(1000)
    store.rewrite()
    monkeypatch.setattr(os, "posix_fallocate", full_disk)
    nvm.reserve(1000)
    size = path.stat().st_size
    run_cycle(nvm)
    assert path.stat().st_size == size
    store.close()
    assert reopened(path) == snapshot(nvm)


@pytest.mark.parametrize("missing", ["call", "support"])
def test_place_is_written_where_it_cannot_be_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    if missing == "call":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    else:
        monkeypatch.setattr(os, "posix_fallocate", unsupported)
    nvm, store = opened(path)
    nvm.reserve(1000)
    size = path.stat().st_size
    assert size > 1000 and path.stat().st_blocks * 512 >= 1000
    begin_session(nvm)
    assert path.stat().st_size == size
    write = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda descriptor, raw, offset: write(descriptor, raw[:7], offset))
        with pytest.raises(NvmFileError, match="the disk is full"):
            nvm.reserve(1 << 20)
    nvm.reserve(500)
    store.close()
    assert reopened(path) == snapshot(nvm)


def test_less_place_is_taken_where_there_is_not_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, store = opened(path)
    asked, take = [], os.posix_fallocate

    def nearly_full(descriptor: int, start: int, size: int) -> None:
        asked.append(size)
        if size > 1000:
            full_disk()
        take(descriptor, start, size)

    monkeypatch.setattr(os, "posix_fallocate", nearly_full)
    store.reserve(1000)
    store.reserve(1000)
    assert asked == [1000 + memory_file.PLACE_SIZE, 1000]
    store.close()


def test_memory_is_closed_with_its_file(path: Path) -> None:
    nvm, _ = opened(path)
    memory_file.close(nvm)
    memory_file.close(Nvm(epoch=1))
    assert reopened(path)["epoch"] == nvm.epoch


def test_store_without_a_memory_only_appends(path: Path) -> None:
    _, loaded = opened(path)
    loaded.close()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    store = FileStore(path, descriptor, path.stat().st_size, compact_size=1)
    store.append("next_link_id", [])
    store.sync()
    store.close()
    assert reopened(path)["link_count"] == 1


def test_a_working_folder_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(
        NvmFileError, match="cannot be used: No such file or directory; name a file in a folder that exists$"
    ):
        load("device.nvm")
