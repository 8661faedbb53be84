"""The op-graph executor against hand-made references; no trained weights are needed."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from osmnet_sdk.errors import ModelError, PhotoError
from osmnet_sdk.face import graph_ops as ops
from osmnet_sdk.face.graph import (
    FORMAT,
    GraphNetwork,
    GraphWeights,
    check_image,
    image_tensor,
    load_graph,
)

ROOT = Path(__file__).parents[2]


def network(steps: list[dict[str, Any]], tensors: dict[str, Any], size: int = 8) -> GraphNetwork:
    graph = {
        "format": FORMAT,
        "name": "toy",
        "input": {"name": "in", "shape": [1, 3, size, size]},
        "outputs": {"result": steps[-1]["out"]},
        "steps": steps,
    }
    held = {name: torch.as_tensor(value) for name, value in tensors.items()}
    return GraphNetwork(GraphWeights(held, graph, "toy file"))


def convolve_same(
    image: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int
) -> np.ndarray:
    """TensorFlow's SAME convolution by its definition: zeros outside, output ceil(size/stride)."""
    outputs, _, kernel, _ = weight.shape
    size = image.shape[1]
    count = math.ceil(size / stride)
    before = max((count - 1) * stride + kernel - size, 0) // 2
    result = np.zeros((outputs, count, count))
    for y in range(count):
        for x in range(count):
            for i in range(kernel):
                for j in range(kernel):
                    row, column = y * stride + i - before, x * stride + j - before
                    if 0 <= row < size and 0 <= column < size:
                        result[:, y, x] += weight[:, :, i, j] @ image[:, row, column]
    return result + bias[:, None, None]


@given(st.integers(1, 300), st.integers(1, 7), st.integers(1, 4))
def test_same_padding_gives_tensorflow_size(size: int, kernel: int, stride: int) -> None:
    before, after = ops.same_padding(size, kernel, stride)
    assert after - before in (0, 1)
    padded = size + before + after
    if padded >= kernel:
        assert (padded - kernel) // stride + 1 == math.ceil(size / stride)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [7, 8])
def test_same_convolution_follows_the_definition(stride: int, kernel: int, size: int) -> None:
    random = np.random.default_rng(0)
    image, weight = random.normal(size=(3, size, size)), random.normal(size=(4, 3, kernel, kernel))
    bias = random.normal(size=4)
    step = {
        "op": "convolution", "in": ["in"], "out": "out", "weight": "w", "bias": "b",
        "stride": [stride, stride], "padding": "same", "groups": 1, "activation": None,
    }  # fmt: skip
    tensors = {"w": weight.astype(np.float32), "b": bias.astype(np.float32)}
    result = network([step], tensors, size)(torch.tensor(image, dtype=torch.float32)[None])
    expected = convolve_same(image, weight, bias, stride)
    np.testing.assert_allclose(result["result"][0].numpy(), expected, atol=1e-4)


def test_convolution_plans_its_padding_anew_for_another_size() -> None:
    weight, bias = torch.ones(1, 1, 3, 3), torch.zeros(1)
    step = {"stride": [2, 2], "padding": "same", "groups": 1, "activation": None}
    convolution = ops.Convolution(weight, bias, step)
    assert convolution(torch.ones(1, 1, 8, 8))[0, 0, 0, 0] == 9
    assert convolution(torch.ones(1, 1, 7, 7))[0, 0, 0, 0] == 4


def test_rectified_convolution_has_no_negative_values() -> None:
    step = {"stride": [1, 1], "padding": "valid", "groups": 1, "activation": "relu"}
    convolution = ops.Convolution(torch.tensor([[[[2.0]]]]), torch.tensor([-1.0]), step)
    result = convolution(torch.tensor([[[[0.0, 1.0]]]]))
    assert result.tolist() == [[[[0.0, 1.0]]]]


def test_resize_uses_half_pixel_centres() -> None:
    run = ops.operation({"op": "resize", "size": [1, 4]}, {})
    result = run(torch.tensor([[[[0.0, 1.0]]]]))
    assert result.flatten().tolist() == pytest.approx([0.0, 0.25, 0.75, 1.0])


def test_depth_to_space_uses_tensorflow_order() -> None:
    random = np.random.default_rng(1)
    image = random.normal(size=(8, 2, 3)).astype(np.float32)
    result = ops.depth_to_space(torch.tensor(image)[None], 2)[0].numpy()
    for row in range(4):
        for column in range(6):
            for channel in range(2):
                source = (row % 2 * 2 + column % 2) * 2 + channel
                assert result[channel, row, column] == image[source, row // 2, column // 2]


def test_reshape_reads_images_pixel_by_pixel() -> None:
    image = torch.arange(12.0).reshape(1, 3, 2, 2)
    rows = ops.reshape(image, [1, 4, 3])
    assert rows[0, 1].tolist() == image[0, :, 0, 1].tolist()
    assert torch.equal(ops.reshape(rows, [1, 2, 2, 3]), image)


def test_transposed_convolution_spreads_each_pixel() -> None:
    weight = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    run = ops.TransposedConvolution(weight, torch.tensor([10.0]), [2, 2])
    result = run(torch.tensor([[[[1.0, -1.0]]]]))
    assert result[0, 0].tolist() == [[11.0, 12.0, 9.0, 8.0], [13.0, 14.0, 7.0, 6.0]]


def matrix_step(subset: list[int]) -> ops.LandmarksToMatrix:
    return ops.LandmarksToMatrix(
        {
            "subset_idxs": subset, "left_rotation_idx": 0, "right_rotation_idx": 1,
            "target_rotation_radians": 0.0, "output_width": 16, "output_height": 8,
            "scale_x": 1.5, "scale_y": 1.25,
        }
    )  # fmt: skip


@pytest.mark.parametrize("degrees", [0, 30, -75, 170])
def test_landmark_matrix_lays_the_crop_on_the_turned_box(degrees: float) -> None:
    turn = math.radians(degrees)
    along = np.array([math.cos(turn), math.sin(turn)])
    across = np.array([-along[1], along[0]])
    centre = np.array([20.0, 31.0])
    offsets = [(-5.0, 0.0), (5.0, 0.0), (0.0, -2.0), (0.0, 2.0), (99.0, 99.0)]
    points = np.array([centre + a * along + b * across for a, b in offsets])
    landmarks = torch.tensor(np.pad(points, ((0, 0), (0, 1))), dtype=torch.float32)[None]
    matrix = matrix_step([0, 1, 2, 3])(landmarks)[0].numpy()
    place = matrix[:2, [0, 1, 3]]
    np.testing.assert_allclose(place @ [8, 4, 1], centre, atol=1e-4)
    np.testing.assert_allclose(place @ [16, 4, 1], centre + 1.5 * 5 * along, atol=1e-4)
    np.testing.assert_allclose(place @ [8, 8, 1], centre + 1.25 * 2 * across, atol=1e-4)


def shift_matrix(x: float, y: float) -> torch.Tensor:
    matrix = torch.eye(4)
    matrix[0, 3], matrix[1, 3] = x, y
    return matrix[None]


def test_transform_features_samples_pixel_centres_and_zeros_outside() -> None:
    features = torch.arange(24.0).reshape(1, 2, 3, 4)
    sample = ops.TransformFeatures(4, 3)
    torch.testing.assert_close(sample(features, shift_matrix(0, 0)), features)
    moved = sample(features, shift_matrix(1, 0))
    torch.testing.assert_close(moved[..., :3], features[..., 1:])
    torch.testing.assert_close(moved[..., 3], torch.zeros(1, 2, 3))
    half = sample(features, shift_matrix(0.5, 0))
    torch.testing.assert_close(half[..., 0], features[..., :2].mean(-1))
    torch.testing.assert_close(half[..., 3], features[..., 3] / 2)


def test_transform_landmarks_ignores_the_third_axis_of_the_matrix() -> None:
    matrix = torch.tensor([[[0.0, -2, 9, 5], [2, 0, 9, 6], [9, 9, 9, 9], [0, 0, 0, 1]]])
    result = ops.transform_landmarks(torch.tensor([[[1.0, 2.0]]]), matrix)
    assert result.tolist() == [[[1.0, 8.0]]]


def test_joined_blocks_are_taken_and_padded_one_by_one() -> None:
    first, second = torch.full((1, 2, 2, 2), 1.0), torch.full((1, 2, 2, 2), 2.0)
    both = ops.join(first, second)
    assert torch.equal(ops.take_members(both, 2, [1]), second)
    assert torch.equal(ops.take_members(both, 2, [1, 0, 1]), ops.join(second, first, second))
    padded = ops.pad_members(both, [0, 0, 0, 0, 0, 1], 2)
    assert padded[0, :, 0, 0].tolist() == [1, 1, 0, 2, 2, 0]


@pytest.fixture(scope="module")
def optimiser() -> ModuleType:
    path = ROOT / "models" / "recipes" / "optimise_graph.py"
    spec = importlib.util.spec_from_file_location("optimise_graph", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def branch(name: str, source: str, tensors: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """Sample, convolve per channel and across channels, add, rectify: a branch of the mesh."""
    random = np.random.default_rng(seed)
    tensors[f"{name}.dw"] = random.normal(size=(4, 1, 3, 3)).astype(np.float32)
    tensors[f"{name}.pw"] = random.normal(size=(4, 4, 1, 1)).astype(np.float32)
    tensors[f"{name}.slope"] = random.uniform(0, 1, 4).astype(np.float32)
    for role in ("dw", "pw"):
        tensors[f"{name}.{role}.bias"] = random.normal(size=4).astype(np.float32)
    shared = {"stride": [1, 1], "padding": "valid", "activation": None}
    return [
        {"op": "pad", "in": [source], "out": f"{name}0", "amounts": [1, 1, 1, 1, 0, 0]},
        {"op": "convolution", "in": [f"{name}0"], "out": f"{name}1", "weight": f"{name}.dw",
         "bias": f"{name}.dw.bias", "groups": 4, **shared},
        {"op": "convolution", "in": [f"{name}1"], "out": f"{name}2", "weight": f"{name}.pw",
         "bias": f"{name}.pw.bias", "groups": 1, **shared},
        {"op": "add", "in": [source, f"{name}2"], "out": f"{name}3", "activation": None},
        {"op": "prelu", "in": [f"{name}3"], "out": f"{name}4", "slope": f"{name}.slope"},
        {"op": "add", "in": [f"{name}4", f"{name}4"], "out": f"{name}5", "activation": None},
        {"op": "relu", "in": [f"{name}5"], "out": f"{name}6"},
    ]  # fmt: skip


def two_level_graph() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Two sampled regions; the second feeds two branches, as an eye feeds eye and iris."""
    random = np.random.default_rng(9)
    tensors: dict[str, Any] = {
        "stem.w": random.normal(size=(4, 3, 1, 1)).astype(np.float32),
        "stem.b": np.zeros(4, np.float32),
        "flat.w": random.normal(size=(1, 4, 4, 4)).astype(np.float32),
        "flat.b": np.zeros(1, np.float32),
    }
    steps: list[dict[str, Any]] = [
        {"op": "convolution", "in": ["in"], "out": "s", "weight": "stem.w", "bias": "stem.b",
         "groups": 1, "stride": [1, 1], "padding": "valid", "activation": None},
        {"op": "convolution", "in": ["s"], "out": "p0", "weight": "flat.w", "bias": "flat.b",
         "groups": 1, "stride": [1, 1], "padding": "valid", "activation": None},
    ]  # fmt: skip
    steps.append({"op": "reshape", "in": ["p0"], "out": "points", "shape": [1, 5, 5]})
    for name, subset in (("a", [0, 1, 2]), ("b", [2, 3, 4])):
        options = {
            "subset_idxs": subset, "left_rotation_idx": subset[0], "right_rotation_idx": subset[1],
            "output_width": 6, "output_height": 6, "scale_x": 1.0, "scale_y": 1.0,
        }  # fmt: skip
        steps.append({"op": "landmarks_to_matrix", "in": ["points"], "out": f"m{name}", **options})
    for name in ("a", "b"):
        steps.append(
            {"op": "transform_features", "in": ["s", f"m{name}"], "out": name,
             "output_width": 6, "output_height": 6}
        )  # fmt: skip
    branches = [
        branch("x", "a", tensors, 1), branch("y", "b", tensors, 2), branch("z", "b", tensors, 3),
    ]  # fmt: skip
    steps += [step for row in zip(*branches, strict=True) for step in row]
    for name in ("x", "y", "z"):
        steps.append({"op": "reshape", "in": [f"{name}6"], "out": f"{name}r", "shape": [1, 36, 4]})
    steps.append({"op": "concatenate", "in": ["xr", "yr", "zr"], "out": "end", "axis": 1})
    return steps, tensors


def test_optimised_graph_computes_the_same_with_fewer_steps(optimiser: ModuleType) -> None:
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    steps, tensors = two_level_graph()
    plain = network(json.loads(json.dumps(steps)), dict(tensors))(image)["result"]
    fewer = optimiser.fold_rectifiers(optimiser.fold_padding(steps), {"end"})
    optimiser.mark_reuse(fewer, {"end"})
    fewer = optimiser.join_branches(fewer, tensors)
    assert any(step["op"] == "take" for step in fewer)
    assert any(step.get("reuse") == 1 for step in fewer)
    assert len(fewer) < 28
    assert len(steps) == 32
    joined = network(fewer, tensors)
    for _ in range(2):
        torch.testing.assert_close(joined(image)["result"], plain)


def test_output_that_is_rectified_later_keeps_its_own_step(optimiser: ModuleType) -> None:
    steps = [
        {"op": "convolution", "in": ["in"], "out": "c", "activation": None},
        {"op": "relu", "in": ["c"], "out": "r"},
    ]
    kept = optimiser.fold_rectifiers(steps, {"c"})
    assert [step["op"] for step in kept] == ["convolution", "relu"]


@pytest.mark.parametrize("fails", [False, True])
def test_network_uses_one_thread_and_gives_the_others_back(fails: bool) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        toy = network([{"op": "relu", "in": ["in"], "out": "out"}], {})
        seen = []

        def spy(image: torch.Tensor) -> torch.Tensor:
            seen.append(torch.get_num_threads())
            if fails:
                raise RuntimeError("on purpose")
            return image

        toy._plan = [(spy, (0,), 1)]
        if fails:
            with pytest.raises(RuntimeError, match="on purpose"):
                toy(torch.zeros(1, 3, 8, 8))
        else:
            toy(torch.zeros(1, 3, 8, 8))
        assert seen == [1]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def write_graph(path: Path, graph: object) -> Path:
    save_file({"w": torch.zeros(1)}, path, {"graph": json.dumps(graph)})
    return path


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.safetensors"):
        load_graph(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("graph", [None, [], {}, {"format": "other/2"}, "text", 3])
def test_file_without_graph_is_refused(tmp_path: Path, graph: object) -> None:
    with pytest.raises(ModelError, match="holds no"):
        load_graph(write_graph(tmp_path / "odd.safetensors", graph))


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "random.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelError):
        load_graph(path)


@pytest.mark.parametrize(
    "step",
    [
        {"op": "sing", "in": ["in"], "out": "x"},
        {"op": "relu", "in": ["nowhere"], "out": "x"},
        {"op": "prelu", "in": ["in"], "out": "x", "slope": "absent"},
        {"op": "convolution", "in": ["in"], "out": "x"},
        {"in": ["in"], "out": "x"},
        {"op": "relu", "in": 3, "out": "x"},
    ],
)
def test_unknown_step_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="toy file"):
        network([step], {})


def test_another_network_is_refused() -> None:
    graph = {"format": FORMAT, "name": "toy", "input": {}, "outputs": {}, "steps": []}
    with pytest.raises(ModelError, match="'toy' instead of 'face_landmarks'"):
        GraphNetwork(GraphWeights({}, graph, "toy file"), name="face_landmarks")


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        None,
    ],
)
def test_what_is_no_picture_is_refused(image: Any) -> None:
    with pytest.raises(PhotoError, match="uint8 RGB"):
        check_image(image)


def test_image_tensor_spans_the_range() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    image[1, 2] = (0, 255, 51)
    values = image_tensor(image, -1.0, 1.0, torch.device("cpu"))
    assert values.shape == (1, 3, 2, 3)
    assert values[0, :, 1, 2].tolist() == pytest.approx([-1.0, 1.0, -0.6])
