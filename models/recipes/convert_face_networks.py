"""Convert MediaPipe's face networks (Apache-2.0) once into safetensors files with an op graph.

    pip install -e ".[bake]"   # for tflite and flatbuffers, needed here only
    python models/recipes/convert_face_networks.py mediapipe-0.10.9-cp311-*.whl models/starter

The wheel of mediapipe 0.10.9 carries the networks as .tflite files; later wheels do not. Sparse
tensors are made dense, half-precision constants stay half precision, weights are laid out as
torch wants them, and the op graph is written as JSON into the safetensors metadata, where
`osmnet_sdk.face.graph` reads it. Nothing of the wheel's code is used.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from flatbuffers import flexbuffers
from optimise_graph import fold_padding, fold_rectifiers, join_branches, mark_reuse
from safetensors.numpy import save

NETWORKS = {
    "face_detection_short": "face_detection/face_detection_short_range.tflite",
    "face_detection_full": "face_detection/face_detection_full_range_sparse.tflite",
    "face_landmarks": "face_landmark/face_landmark_with_attention.tflite",
    "person_mask": "selfie_segmentation/selfie_segmentation.tflite",
}
"""Output file stem and the network's path under `mediapipe/modules` in the wheel."""

FORMAT = "osmnet.graph/1"

SOURCE = "MediaPipe 0.10.9 by Google, Apache-2.0, mediapipe/modules/"

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}

_OPS = {
    value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)
}

_ACTIVATIONS = {
    tflite.ActivationFunctionType.NONE: None,
    tflite.ActivationFunctionType.RELU: "relu",
}

_PADDINGS = {tflite.Padding.SAME: "same", tflite.Padding.VALID: "valid"}

_PLAIN = {
    "RELU": "relu",
    "LOGISTIC": "sigmoid",
    "HARD_SWISH": "hard_swish",
    "TransformTensorBilinear": "transform_features",
    "TransformLandmarks": "transform_landmarks",
    "Landmarks2TransformMatrix": "landmarks_to_matrix",
}
"""Ops whose attributes are at most their own custom options."""

Attributes = dict[str, Any]


def expand_sparse(values: np.ndarray, shape: list[int], sparsity: Any) -> np.ndarray:
    """Expand a (block-)sparse TFLite tensor to `shape`, whatever its traversal order."""
    order = sparsity.TraversalOrderAsNumpy()
    blocks = sparsity.BlockMapAsNumpy() if sparsity.BlockMapLength() else np.zeros(0, np.int32)
    levels = [_level(sparsity.DimMetadata(i)) for i in range(len(order))]
    # The block dimensions follow the tensor's own dimensions and are always dense.
    block_sizes = [
        sparsity.DimMetadata(list(order).index(len(shape) + i)).DenseSize()
        for i in range(len(blocks))
    ]
    out = np.zeros(shape, values.dtype)
    source = iter(values)

    def walk(level: int, position: int, place: list[int]) -> None:
        if level == len(order):
            index = place[: len(shape)]
            for i, dimension in enumerate(blocks):
                index[dimension] = index[dimension] * block_sizes[i] + place[len(shape) + i]
            out[tuple(index)] = next(source)
            return
        size, segments, columns = levels[level]
        if segments is None:
            children = [(position * size + i, i) for i in range(size)]
        else:
            span = range(segments[position], segments[position + 1])
            children = [(k, int(columns[k])) for k in span]
        for child, coordinate in children:
            place[order[level]] = coordinate
            walk(level + 1, child, list(place))

    walk(0, 0, [0] * len(order))
    if next(source, None) is not None:
        raise ValueError("A sparse tensor holds more values than its index names.")
    return out


def _level(data: Any) -> tuple[int, Any, Any]:
    """Size, segments and indices of one sparse dimension; the last two are None when dense."""
    if data.Format() == tflite.DimensionType.DENSE:
        return int(data.DenseSize()), None, None
    return 0, _index_vector(data, "Segments"), _index_vector(data, "Indices")


def _index_vector(data: Any, which: str) -> np.ndarray:
    kinds = {
        tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
        tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
        tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    }
    table = getattr(data, f"Array{which}")()
    vector = kinds[getattr(data, f"Array{which}Type")()]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy()).astype(np.int64)


class Converter:
    """Reads one .tflite file; `tensors` and `graph()` hold the result."""

    def __init__(self, data: bytes) -> None:
        self._model = tflite.Model.GetRootAsModel(data, 0)
        self._subgraph = self._model.Subgraphs(0)
        self._constants: dict[int, np.ndarray] = {}
        self._alias: dict[int, int] = {}
        self._steps: list[Attributes] = []
        self.tensors: dict[str, np.ndarray] = {}
        for index in range(self._subgraph.TensorsLength()):
            self._read_constant(index)
        for index in range(self._subgraph.OperatorsLength()):
            self._convert(index, self._subgraph.Operators(index))
        made = {self._name(int(i)) for i in self._subgraph.OutputsAsNumpy()}
        steps = fold_rectifiers(fold_padding(self._steps), made)
        mark_reuse(steps, made)
        self._steps = join_branches(steps, self.tensors)

    def graph(self, name: str) -> Attributes:
        """The op graph as JSON-ready values; shapes are NCHW."""
        source = int(self._subgraph.InputsAsNumpy()[0])
        _, height, width, channels = self._shape(source)
        outputs = {
            self._subgraph.Tensors(int(i)).Name().decode(): self._name(int(i))
            for i in self._subgraph.OutputsAsNumpy()
        }
        return {
            "format": FORMAT,
            "name": name,
            "input": {"name": self._name(source), "shape": [1, channels, height, width]},
            "outputs": outputs,
            "steps": self._steps,
        }

    def _shape(self, index: int) -> list[int]:
        tensor = self._subgraph.Tensors(index)
        return [int(n) for n in tensor.ShapeAsNumpy()] if tensor.ShapeLength() else []

    def _name(self, index: int) -> str:
        return f"t{self._alias.get(index, index)}"

    def _read_constant(self, index: int) -> None:
        tensor = self._subgraph.Tensors(index)
        buffer = self._model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            return
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])
        if tensor.Sparsity():
            self._constants[index] = expand_sparse(values, self._shape(index), tensor.Sparsity())
        else:
            self._constants[index] = values.reshape(self._shape(index))

    def _keep(self, step: int, role: str, values: np.ndarray) -> str:
        """Store a constant of a step, in half precision (the networks come in half precision)."""
        half = values.astype(np.float16)
        error = np.abs(half.astype(np.float64) - values).max()
        if error > 1e-3 * np.abs(values).max():
            raise ValueError(f"Constant '{role}' of op {step} does not fit half precision.")
        name = f"{step:03d}.{role}"
        self.tensors[name] = np.ascontiguousarray(half)
        return name

    def _convert(self, index: int, operator: Any) -> None:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        custom = builtin == tflite.BuiltinOperator.CUSTOM
        name = code.CustomCode().decode() if custom else _OPS[builtin]
        inputs = [int(i) for i in operator.InputsAsNumpy()]
        output = int(operator.OutputsAsNumpy()[0])
        if name in ("DENSIFY", "DEQUANTIZE"):
            self._constants[output] = self._constants[inputs[0]]
            return
        if name == "STRIDED_SLICE":
            if self._shape(inputs[0]) != self._shape(output):
                raise ValueError(f"Op {index}: only a slice that keeps everything is covered.")
            self._alias[output] = self._alias.get(inputs[0], inputs[0])
            return
        if name in _PLAIN:
            step = {"op": _PLAIN[name], **_custom_options(operator)}
        else:
            handler = getattr(self, f"_{name.lower()}", None)
            if handler is None:
                raise ValueError(f"Op {index}: {name} is not covered by this converter.")
            step = handler(index, operator, inputs, output)
        variables = [self._name(i) for i in inputs if i not in self._constants]
        self._steps.append({**step, "in": variables, "out": self._name(output)})

    # One method per op; each returns the step's attributes.

    def _conv_2d(self, index: int, operator: Any, inputs: list[int], _: int) -> Attributes:
        options = _options(operator, tflite.Conv2DOptions)
        weight = self._constants[inputs[1]].transpose(0, 3, 1, 2)
        return self._convolution(index, options, weight, inputs, 1)

    def _depthwise_conv_2d(
        self, index: int, operator: Any, inputs: list[int], _: int
    ) -> Attributes:
        options = _options(operator, tflite.DepthwiseConv2DOptions)
        if options.DepthMultiplier() != 1:
            raise ValueError(f"Op {index}: depthwise convolution with a multiplier.")
        weight = self._constants[inputs[1]].transpose(3, 0, 1, 2)
        return self._convolution(index, options, weight, inputs, weight.shape[0])

    def _convolution(
        self, index: int, options: Any, weight: np.ndarray, inputs: list[int], groups: int
    ) -> Attributes:
        if (options.DilationHFactor(), options.DilationWFactor()) != (1, 1):
            raise ValueError(f"Op {index}: dilated convolutions are not covered.")
        return {
            "op": "convolution",
            "weight": self._keep(index, "weight", weight),
            "bias": self._keep(index, "bias", self._constants[inputs[2]]),
            "stride": [options.StrideH(), options.StrideW()],
            "padding": _PADDINGS[options.Padding()],
            "groups": groups,
            "activation": _ACTIVATIONS[options.FusedActivationFunction()],
        }

    def _convolution2dtransposebias(
        self, index: int, operator: Any, inputs: list[int], _: int
    ) -> Attributes:
        padding, width, height = np.frombuffer(operator.CustomOptionsAsNumpy().tobytes(), "<i4")
        weight = self._constants[inputs[1]].transpose(3, 0, 1, 2)
        if padding != 1 or weight.shape[2:] != (height, width):
            raise ValueError(f"Op {index}: transposed convolution whose patches overlap.")
        return {
            "op": "transposed_convolution",
            "weight": self._keep(index, "weight", weight),
            "bias": self._keep(index, "bias", self._constants[inputs[2]]),
            "stride": [int(height), int(width)],
        }

    def _prelu(self, index: int, _operator: Any, inputs: list[int], _: int) -> Attributes:
        slope = self._constants[inputs[1]].reshape(-1)
        return {"op": "prelu", "slope": self._keep(index, "slope", slope)}

    def _add(self, _index: int, operator: Any, _inputs: list[int], _: int) -> Attributes:
        options = _options(operator, tflite.AddOptions)
        return {"op": "add", "activation": _ACTIVATIONS[options.FusedActivationFunction()]}

    def _mul(self, index: int, _operator: Any, inputs: list[int], output: int) -> Attributes:
        factors = [self._constants[i] for i in inputs if i in self._constants]
        if factors and len(self._shape(output)) == 4:
            raise ValueError(f"Op {index}: product of an image and a constant is not covered.")
        step: Attributes = {"op": "multiply"}
        if factors:
            step["factor"] = self._keep(index, "factor", factors[0])
        return step

    def _pad(self, _index: int, _operator: Any, inputs: list[int], _: int) -> Attributes:
        (_, _), top_bottom, left_right, channels = self._constants[inputs[1]].tolist()
        # The order of torch.nn.functional.pad: last dimension of NCHW first.
        return {"op": "pad", "amounts": [*left_right, *top_bottom, *channels]}

    def _max_pool_2d(self, index: int, operator: Any, inputs: list[int], _: int) -> Attributes:
        options = _options(operator, tflite.Pool2DOptions)
        kernel, stride = self._window(options)
        _, height, width, _channels = self._shape(inputs[0])
        if kernel != stride or height % kernel[0] or width % kernel[1]:
            raise ValueError(f"Op {index}: pooling windows that need padding are not covered.")
        return {"op": "max_pool", "kernel": kernel}

    def _average_pool_2d(self, index: int, operator: Any, inputs: list[int], _: int) -> Attributes:
        kernel, _stride = self._window(_options(operator, tflite.Pool2DOptions))
        if kernel != self._shape(inputs[0])[1:3]:
            raise ValueError(f"Op {index}: only averages over the whole image are covered.")
        return {"op": "mean"}

    def _window(self, options: Any) -> tuple[list[int], list[int]]:
        kernel = [options.FilterHeight(), options.FilterWidth()]
        return kernel, [options.StrideH(), options.StrideW()]

    def _resize_bilinear(self, index: int, operator: Any, inputs: list[int], _: int) -> Attributes:
        options = _options(operator, tflite.ResizeBilinearOptions)
        if options.AlignCorners() or not options.HalfPixelCenters():
            raise ValueError(f"Op {index}: only resizing with half-pixel centres is covered.")
        return {"op": "resize", "size": self._constants[inputs[1]].tolist()}

    def _depth_to_space(self, _index: int, operator: Any, _inputs: Any, _: int) -> Attributes:
        options = _options(operator, tflite.DepthToSpaceOptions)
        return {"op": "depth_to_space", "block": options.BlockSize()}

    def _reshape(self, _index: int, _operator: Any, inputs: list[int], output: int) -> Attributes:
        # `shape` is in TFLite's NHWC order: the executor turns images round before and after.
        return {"op": "reshape", "shape": self._shape(output)}

    def _concatenation(
        self, index: int, operator: Any, _inputs: list[int], output: int
    ) -> Attributes:
        options = _options(operator, tflite.ConcatenationOptions)
        if len(self._shape(output)) == 4:
            raise ValueError(f"Op {index}: only rows of numbers are joined, not images.")
        return {"op": "concatenate", "axis": options.Axis()}


def _options(operator: Any, kind: Any) -> Any:
    table = operator.BuiltinOptions()
    options = kind()
    options.Init(table.Bytes, table.Pos)
    return options


def _custom_options(operator: Any) -> Attributes:
    if not operator.CustomOptionsLength():
        return {}
    return dict(flexbuffers.Loads(operator.CustomOptionsAsNumpy().tobytes()))


def convert(wheel: Path, folder: Path) -> None:
    """Write the four converted networks of `wheel` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for stem, path in NETWORKS.items():
            converter = Converter(archive.read(f"mediapipe/modules/{path}"))
            graph = {**converter.graph(stem), "source": SOURCE + path}
            # One metadata entry only: several would be written in a random order each time.
            metadata = {"graph": json.dumps(graph, separators=(",", ":"), sort_keys=True)}
            target = folder / f"{stem}.safetensors"
            temporary = target.with_suffix(".partial")
            temporary.write_bytes(save(converter.tensors, metadata))
            temporary.replace(target)
            print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    """Read the command line and convert."""
    parser = argparse.ArgumentParser(description="Convert MediaPipe's face networks.")
    parser.add_argument("wheel", type=Path, help="mediapipe-0.10.9-cp311-*.whl")
    parser.add_argument("folder", type=Path, help="folder for the four .safetensors files")
    arguments = parser.parse_args()
    convert(arguments.wheel, arguments.folder)


if __name__ == "__main__":
    main()
