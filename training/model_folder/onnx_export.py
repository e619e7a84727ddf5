"""Exports PyTorch networks as ONNX files."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from torch import nn

OPSET = 21
Dimensions = list[str | None]


def export(
    network: nn.Module, example: torch.Tensor, path: Path, inputs: dict[str, Dimensions], outputs: dict[str, Dimensions], labels: tuple[str, ...],
    *, optimize: bool = True,
) -> None:
    """Writes `network` in evaluation mode. `inputs` and `outputs` name the tensors and their dimensions; None is a fixed one.

    The file names its labels, so that the manifest of another model doesn't fit. With `optimize` constants are folded.
    """
    dynamic = tuple({index: torch.export.Dim.DYNAMIC for index, name in enumerate(names) if name} for names in inputs.values())
    program = torch.onnx.export(
        network.eval(), (example,), dynamo=True, opset_version=OPSET, input_names=list(inputs), output_names=list(outputs),
        dynamic_shapes=dynamic, optimize=optimize, verbose=False,
    )
    model = program.model_proto
    for value, names in zip((*model.graph.input, *model.graph.output), (*inputs.values(), *outputs.values()), strict=True):
        for dimension, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
            if name:
                dimension.dim_param = name
    _remove_traces(model.graph)
    onnx.helper.set_model_props(model, {"labels": ",".join(labels)})
    onnx.checker.check_model(model, full_check=True)
    save(model, path)


def save(model: onnx.ModelProto, path: Path) -> None:
    """Writes the file in one step, so that a reader never sees half of it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    partial.replace(path)


def _remove_traces(graph: onnx.GraphProto) -> None:
    """Removes the stack traces that the exporter notes, which name files of the machine."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
