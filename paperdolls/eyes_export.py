"""Writes the eyes' networks as ONNX files with half-precision weights.

insightface feeds float32, so the graph stays float32: every large weight is stored as float16 with
a Cast behind it, which onnxruntime folds away when it opens the file.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from paperdolls.eyes_album import CROP, QUESTIONS, SIZE
from paperdolls.eyes_nets import STRIDES, Detector, Embedder, Reader

OPSET = 17
SMALL = 64
"""Tensors with fewer values stay float32."""


def export_detector(detector: Detector, path: Path) -> None:
    names = [f"{what}_{stride}" for what in ("score", "bbox", "kps") for stride in STRIDES]
    axes = {"input.1": {2: "height", 3: "width"}} | {name: {1: f"n_{name}"} for name in names}
    export(detector, torch.zeros(1, 3, SIZE, SIZE), path, ("input.1", names, axes))


def export_embedder(embedder: Embedder, path: Path) -> None:
    axes = {"input.1": {0: "n"}, "embedding": {0: "n"}}
    export(embedder, torch.zeros(1, 3, CROP, CROP), path, ("input.1", ["embedding"], axes))


def export_reader(reader: Reader, path: Path) -> None:
    """The questions' words go into the file's metadata, so that it explains itself."""
    names = list(reader.classes)
    axes = {name: {0: "n"} for name in ("picture", *names)}
    export(reader, torch.zeros(1, 3, SIZE, SIZE), path, ("picture", names, axes))
    model = onnx.load(path)
    helper.set_model_props(model, {"questions": json.dumps(QUESTIONS)})
    onnx.save(model, path)


def export(
    network: nn.Module,
    example: Tensor,
    path: Path,
    layout: tuple[str, list[str], dict[str, dict[int, str]]],
) -> None:
    """Trace `network`; `layout` names its input, its outputs and the axes free to vary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    given, told, axes = layout
    plain = network.eval().to("cpu", torch.float32)
    with warnings.catch_warnings():
        # The newer exporter needs onnxscript, one more dependency for nine small graphs.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            plain,
            (example,),
            path,
            input_names=[given],
            output_names=told,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.save(halved(onnx.load(path)), path)


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with its large weights stored as float16."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        wanted, stored = weight.name, f"{weight.name}.half"
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [wanted], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model
