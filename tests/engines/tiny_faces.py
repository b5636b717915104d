"""Networks of YuNet's and SFace's shape for tests: whatever is bright is a face, known by colour.

Every bright cell of 32 x 32 px is a face of just that size; an embedding mixes the mean colours of
a crop's sixteen tiles.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CELL = 32
POINTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
"""Of a face, in cells from its corner."""


def make_opencv_pack(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(bright_detector(), folder / "b.onnx")
    onnx.save(colour_recogniser(), folder / "a.onnx")
    return folder


def bright_detector() -> onnx.ModelProto:
    nodes, weights, outputs = [], [], []
    for stride in (8, 16, 32):
        bright = 1 / (3 * stride * stride * 8) if stride == CELL else 0.0
        for part, biases, slope in (
            ("cls", [-16.0], bright),
            ("obj", [-16.0], bright),
            ("bbox", [0.5, 0.5, 0.0, 0.0], 0.0),
            ("kps", POINTS.ravel().tolist(), 0.0),
        ):
            name, width = f"{part}_{stride}", len(biases)
            kernel = np.full((width, 3, stride, stride), slope, np.float32)
            weights += [
                numpy_helper.from_array(kernel, f"{name}_kernel"),
                numpy_helper.from_array(np.array(biases, np.float32), f"{name}_bias"),
                numpy_helper.from_array(np.array([1, -1, width]), f"{name}_shape"),
            ]
            conv = ["input", f"{name}_kernel", f"{name}_bias"]
            nodes += [
                helper.make_node("Conv", conv, [f"{name}_map"], strides=[stride, stride]),
                helper.make_node("Transpose", [f"{name}_map"], [f"{name}_last"], perm=[0, 2, 3, 1]),
            ]
            flat = f"{name}_flat" if slope or len(biases) == 1 else name
            nodes.append(helper.make_node("Reshape", [f"{name}_last", f"{name}_shape"], [flat]))
            if flat != name:
                nodes.append(helper.make_node("Sigmoid", [flat], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, width]))
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 640, 640])
    return model(nodes, picture, outputs, weights)


def colour_recogniser() -> onnx.ModelProto:
    mixing = np.random.default_rng(0).normal(size=(48, 128)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["data"], ["t"], kernel_shape=[28, 28], strides=[28, 28]),
        helper.make_node("Flatten", ["t"], ["flat"]),
        helper.make_node("MatMul", ["flat", "mixing"], ["fc1"]),
    ]
    crop = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])
    vector = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 128])
    return model(nodes, crop, [vector], [numpy_helper.from_array(mixing, "mixing")])


def model(
    nodes: list[onnx.NodeProto],
    picture: onnx.ValueInfoProto,
    outputs: list[onnx.ValueInfoProto],
    weights: list[onnx.TensorProto],
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "tiny", [picture], outputs, weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    return made
