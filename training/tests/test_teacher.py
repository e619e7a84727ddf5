"""Pretrained weights of a teacher from an ONNX file, and a trained teacher from its folder. Needs torch and onnx."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (training/requirements.txt): teachers are not tested here")
onnx = pytest.importorskip("onnx", reason="needs onnx (training/requirements.txt): teachers are not tested here")

from training.distillation.encoder import INNER, POSITIONS, VOCABULARY, WIDTH, Teacher
from training.distillation.pretrained import TeacherError, encoder_layers, exported
from training.distillation.teaching import trained_teacher


def bert_tensors(layers: int) -> dict[str, np.ndarray]:
    """Random weights under BERT's names."""
    generator = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (VOCABULARY, WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for layer in range(layers):
        for part, (outputs, inputs) in {
            "attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH), "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH), "intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER),
        }.items():
            shapes |= {f"encoder.layer.{layer}.{part}.weight": (outputs, inputs), f"encoder.layer.{layer}.{part}.bias": (outputs,)}
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"encoder.layer.{layer}.{part}.{kind}": (WIDTH,) for kind in ("weight", "bias")}
    return {name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def test_matrices_of_an_export_get_their_names_from_the_multiplications(tmp_path: Path) -> None:
    tensors, nodes, stored = bert_tensors(2), [], []
    for number, (name, value) in enumerate(tensors.items()):
        if name.startswith("encoder.") and value.ndim == 2:
            # As PyTorch's exporter writes them: turned, and named by a number.
            stored.append(onnx.numpy_helper.from_array(value.T.copy(), f"onnx::MatMul_{number}"))
            place = "/" + name.removesuffix(".weight").replace("layer.", "layer#").replace(".", "/").replace("layer#", "layer.") + "/MatMul"
            nodes.append(onnx.helper.make_node("MatMul", [f"input_{number}", f"onnx::MatMul_{number}"], [f"output_{number}"], place))
        else:
            stored.append(onnx.numpy_helper.from_array(value, name))
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph(nodes, "encoder", [], [], stored)), tmp_path / "encoder.onnx")

    weights = exported(tmp_path / "encoder.onnx")
    assert encoder_layers(weights) == 2
    assert {name: value.numpy().tobytes() for name, value in weights.items()} == {name: value.tobytes() for name, value in tensors.items()}
    teacher = Teacher(1, 2)
    teacher.load_pretrained(weights)
    assert torch.equal(teacher.layers[1].outer.weight, torch.from_numpy(tensors["encoder.layer.1.output.dense.weight"]))


def test_a_trained_teacher_is_read_without_its_corrections(tmp_path: Path) -> None:
    teacher = Teacher(3, 1).eval()
    torch.save({"average": teacher.state_dict()}, tmp_path / "checkpoint.pt")
    read = trained_teacher(tmp_path).eval()
    ids = torch.tensor([[101, 2_000, 102]])
    assert len(read.source_output) == 0
    assert torch.equal(read(ids), teacher(ids))


def test_what_is_no_encoder_and_no_teacher_is_named(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match=r"missing\.onnx can't be read"):
        exported(tmp_path / "missing.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no model at all")
    with pytest.raises(TeacherError, match=r"broken\.onnx can't be read"):
        exported(tmp_path / "broken.onnx")
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "other", [], [])), tmp_path / "other.onnx")
    with pytest.raises(TeacherError, match="other names"):
        exported(tmp_path / "other.onnx")
    with pytest.raises(TeacherError, match="holds no teacher"):
        trained_teacher(tmp_path)
