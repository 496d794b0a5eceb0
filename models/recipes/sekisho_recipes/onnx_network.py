"""An ONNX file as a PyTorch network, so that a teacher of any origin can be searched by its gradient."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class OnnxNetwork(nn.Module):
    """Runs the graph node by node; frozen. forward: input [N, ...] -> the output named `output` [N, K]."""

    def __init__(self, path: Path, output: str = "logits") -> None:
        super().__init__()
        graph = _graph_of(path)
        self.path, self.output = path, output
        outputs = [value.name for value in graph.output]
        if output not in outputs:
            raise SystemExit(f"{path}: expected an output named {output}, found {', '.join(outputs)}")
        from onnx import numpy_helper

        self.constants: dict[str, np.ndarray] = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        self.input = next(value.name for value in graph.input if value.name not in self.constants)
        self.nodes = []
        for node in graph.node:
            attributes = {a.name: _attribute(a) for a in node.attribute}
            if node.op_type == "Constant":
                self.constants[node.output[0]] = attributes["value"]
            elif node.op_type in OPERATORS:
                self.nodes.append((OPERATORS[node.op_type], list(node.input), node.output[0], attributes))
            else:
                known = ", ".join(sorted(OPERATORS))
                raise SystemExit(
                    f"{path}: node {node.name or node.output[0]}: operator {node.op_type} is not known here "
                    f"(known: {known}); give the teacher as TorchScript (.pt) instead"
                )
            if node.output[0] == output:
                break
        for index, (name, array) in enumerate(self.constants.items()):
            self.register_buffer(f"constant{index}", torch.from_numpy(np.array(array)))
        self.names = list(self.constants)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {name: getattr(self, f"constant{index}") for index, name in enumerate(self.names)}
        values[self.input] = x
        for operator, inputs, output, attributes in self.nodes:
            values[output] = operator([values[name] if name else None for name in inputs], attributes)
        return values[self.output]


def _graph_of(path: Path):
    try:
        import onnx
    except ImportError:
        raise SystemExit(f"{path}: reading an ONNX teacher needs python3-onnx; or give it as TorchScript (.pt)")
    try:
        model = onnx.load(str(path))
    except Exception as problem:
        raise SystemExit(f"{path}: expected an ONNX file: {problem}")
    return model.graph


def _attribute(attribute):
    from onnx import helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    return numpy_helper.to_array(value) if attribute.name == "value" else value


def _padded(x: torch.Tensor, pads: list[int], value: float = 0.0, mode: str = "constant") -> torch.Tensor:
    """pads as ONNX counts them (all begins, then all ends), of the last len(pads) / 2 axes."""
    if not any(pads):
        return x
    axes = len(pads) // 2
    return functional.pad(x, [pads[i + side * axes] for i in reversed(range(axes)) for side in (0, 1)], mode, value)


def _plain(attributes: dict, operator: str) -> None:
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or attributes.get("ceil_mode", 0):
        raise SystemExit(f"{operator}: expected explicit pads and no ceil_mode; export the teacher again with them")


def _convolution(values: list, attributes: dict) -> torch.Tensor:
    _plain(attributes, "Conv")
    x, weight, *bias = values
    axes = weight.dim() - 2
    convolve = {1: functional.conv1d, 2: functional.conv2d}[axes]
    return convolve(
        _padded(x, attributes.get("pads", [0] * 2 * axes)),
        weight,
        bias[0] if bias else None,
        tuple(attributes.get("strides", [1] * axes)),
        0,
        tuple(attributes.get("dilations", [1] * axes)),
        attributes.get("group", 1),
    )


def _gemm(values: list, attributes: dict) -> torch.Tensor:
    a, b, *c = values
    a = a.t() if attributes.get("transA", 0) else a
    b = b.t() if attributes.get("transB", 0) else b
    product = attributes.get("alpha", 1.0) * (a @ b)
    return product + attributes.get("beta", 1.0) * c[0] if c else product


def _pool(values: list, attributes: dict, largest: bool) -> torch.Tensor:
    _plain(attributes, "MaxPool" if largest else "AveragePool")
    kernel = tuple(attributes["kernel_shape"])
    strides = tuple(attributes.get("strides", [1] * len(kernel)))
    pads = attributes.get("pads", [0] * 2 * len(kernel))
    if largest:
        pool = {1: functional.max_pool1d, 2: functional.max_pool2d}[len(kernel)]
        return pool(_padded(values[0], pads, float("-inf")), kernel, strides)
    if any(pads) and not attributes.get("count_include_pad", 0):
        raise SystemExit("AveragePool: expected no pads, or pads that are counted")
    pool = {1: functional.avg_pool1d, 2: functional.avg_pool2d}[len(kernel)]
    return pool(_padded(values[0], pads), kernel, strides)


def _pad(values: list, attributes: dict) -> torch.Tensor:
    mode = attributes.get("mode", b"constant")
    if mode != b"constant":
        raise SystemExit(f"Pad: expected mode constant, found {mode.decode()}")
    value = float(values[2]) if len(values) > 2 and values[2] is not None else 0.0
    return _padded(values[0], values[1].tolist(), value)


def _reshape(values: list, _: dict) -> torch.Tensor:
    x, shape = values
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape.tolist())])


def _normalise(values: list, attributes: dict) -> torch.Tensor:
    x, weight, bias, mean, variance = values
    return functional.batch_norm(x, mean, variance, weight, bias, False, 0.0, attributes.get("epsilon", 1e-5))


def _mean(values: list, attributes: dict) -> torch.Tensor:
    axes = attributes.get("axes") or values[1].tolist()
    return values[0].mean(tuple(axes), keepdim=bool(attributes.get("keepdims", 1)))


OPERATORS: dict[str, Callable[[list, dict], torch.Tensor]] = {
    "Add": lambda v, _: v[0] + v[1],
    "AveragePool": lambda v, a: _pool(v, a, largest=False),
    "BatchNormalization": _normalise,
    "Conv": _convolution,
    "Div": lambda v, _: v[0] / v[1],
    "Flatten": lambda v, a: v[0].flatten(a.get("axis", 1)),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda v, _: v[0].mean(tuple(range(2, v[0].dim())), keepdim=True),
    "Identity": lambda v, _: v[0],
    "MatMul": lambda v, _: v[0] @ v[1],
    "MaxPool": lambda v, a: _pool(v, a, largest=True),
    "Mul": lambda v, _: v[0] * v[1],
    "Pad": _pad,
    "ReduceMean": _mean,
    "Relu": lambda v, _: v[0].relu(),
    "Reshape": _reshape,
    "Sigmoid": lambda v, _: v[0].sigmoid(),
    "Sub": lambda v, _: v[0] - v[1],
    "Tanh": lambda v, _: v[0].tanh(),
}
