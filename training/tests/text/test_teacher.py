"""Pretrained weights of a teacher from an ONNX file, and a trained teacher from its folder. Needs torch and onnx."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from training.models.sentiment.encoders import EncoderError, exported
from training.models.sentiment.teacher_network import Teacher, encoder_config
from training.models.sentiment.teaching import TRAINED, trained_teacher

VOCABULARY, WIDTH, INNER, POSITIONS = 300, 64, 96, 20


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
    assert encoder_config(weights).num_hidden_layers == 2
    assert {name: value.numpy().tobytes() for name, value in weights.items()} == {name: value.tobytes() for name, value in tensors.items()}
    teacher = Teacher(encoder_config(weights), 1)
    teacher.load_pretrained(weights)
    assert torch.equal(teacher.encoder.encoder.layer[1].output.dense.weight, torch.from_numpy(tensors["encoder.layer.1.output.dense.weight"]))


def test_a_trained_teacher_is_read_without_its_corrections(tmp_path: Path) -> None:
    teacher = Teacher(encoder_config({name: torch.from_numpy(value) for name, value in bert_tensors(1).items()}), 3).eval()
    torch.save(teacher.state_dict(), tmp_path / TRAINED)
    read = trained_teacher(tmp_path).eval()
    ids = torch.tensor([[101, 200, 102]])
    assert len(read.source_output) == 0
    assert torch.allclose(read(ids), teacher(ids), atol=1e-6)


def test_what_is_no_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"missing\.onnx can't be read"):
        exported(tmp_path / "missing.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no model at all")
    with pytest.raises(EncoderError, match=r"broken\.onnx can't be read"):
        exported(tmp_path / "broken.onnx")
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "other", [], [])), tmp_path / "other.onnx")
    with pytest.raises(EncoderError, match="other names"):
        exported(tmp_path / "other.onnx")
