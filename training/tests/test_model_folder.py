"""Manifest, card, ONNX export and check."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import jinja2
import numpy as np
import onnx
import pytest

from training.model_folder.card import write_card
from training.model_folder.manifest import (
    described,
    read_manifest,
    versions,
    write_manifest,
)
from training.model_folder.onnx_file import ExportError, check_distance, open_session


def test_a_file_is_described_by_path_hash_and_size(tmp_path: Path) -> None:
    (tmp_path / "goldens").mkdir()
    path = tmp_path / "goldens" / "a.png"
    path.write_bytes(b"pixels")
    assert described(path, tmp_path) == {"path": "goldens/a.png", "sha256": hashlib.sha256(b"pixels").hexdigest(), "bytes": 6}


def test_a_manifest_keeps_its_order_and_letters(tmp_path: Path) -> None:
    manifest = {"name": "ü", "format": 1}
    write_manifest(tmp_path, manifest)
    assert list(read_manifest(tmp_path).items()) == [("name", "ü"), ("format", 1)]
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    assert "ü" in (tmp_path / "manifest.json").read_text(encoding="utf-8")


def test_versions_are_those_of_installed_packages() -> None:
    found = versions(["numpy", "no-such-package"])
    assert found == {"python": sys.version.split()[0], "numpy": np.__version__}


def test_a_card_is_rendered_and_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    template = tmp_path / "card.md.jinja"
    template.write_text("# {{ name }}\n{% for row in rows %}\n| {{ row }} |\n{% endfor %}\n<&>\n")
    write_card(tmp_path, template, name="A", rows=[1, 2])
    assert (tmp_path / "README.md").read_text() == "# A\n| 1 |\n| 2 |\n<&>\n"
    with pytest.raises(jinja2.UndefinedError, match="rows"):
        write_card(tmp_path, template, name="A")


def test_a_distance_above_the_tolerance_is_an_error() -> None:
    assert check_distance(np.zeros(3), np.full(3, 0.5), 0.6) == 0.5
    with pytest.raises(ExportError, match="0.5 away"):
        check_distance(np.zeros(3), np.full(3, 0.5), 0.5)
    with pytest.raises(ExportError, match="nan"):
        check_distance(np.zeros(3), np.array([0, np.nan, 0]), 0.5)


def test_an_exported_file_names_labels_and_dimensions_and_no_file_of_the_machine(tmp_path: Path) -> None:
    import torch

    from training.model_folder.onnx_export import export

    class Scaled(torch.nn.Module):
        def forward(self, pixels):
            return pixels.float() / 255

    path = tmp_path / "model.onnx"
    names = {"pixels": ["batch", "height", None]}
    export(Scaled(), torch.zeros((2, 5, 3), dtype=torch.uint8), path, names, {"scaled": ["batch", "height", None]}, ("a", "b"))
    model = onnx.load(path)
    assert {entry.key: entry.value for entry in model.metadata_props} == {"labels": "a,b"}
    for value in (model.graph.input[0], model.graph.output[0]):
        assert [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] == ["batch", "height", 3]
    assert b".py" not in path.read_bytes()
    found = open_session(path).run(["scaled"], {"pixels": np.full((1, 2, 3), 51, np.uint8)})[0]
    assert found == pytest.approx(np.full((1, 2, 3), 0.2))
