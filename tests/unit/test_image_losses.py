"""Losses between frames, and the feature extractors whose weights the user gives."""

import pytest
import torch
from safetensors.torch import save_file

from osmnet_sdk.errors import ModelError
from osmnet_sdk.research.trainers.feature_extractors import (
    VGG19,
    EfficientNetLite0,
    FeatureExtractor,
    load_extractor,
)
from osmnet_sdk.research.trainers.image_losses import ImageLosses, gram_matrix


class Halves(FeatureExtractor):
    """Two maps: the normalised picture, and its mean over 2 × 2 pixels."""

    def maps(self, images):
        return [images, torch.nn.functional.avg_pool2d(images, 2)]


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_equal_pictures_cost_nothing():
    losses = ImageLosses(Halves())([pictures(0), pictures(0)], pictures(0))
    assert all(float(value) < 1e-6 for value in losses.values())


def test_losses_are_sums_over_the_passes():
    images = ImageLosses(Halves())
    first, second, real = pictures(0), pictures(1), pictures(2)
    both = images([first, second], real)
    for name, value in both.items():
        alone = images([first], real)[name] + images([second], real)[name]
        assert value == pytest.approx(float(alone), rel=1e-5)
    expected = (first - real).abs().mean() + (second - real).abs().mean()
    assert both["reconstruction"] == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("name", ["reconstruction", "perceptual", "style"])
def test_every_loss_pulls_both_passes(name):
    passes = [pictures(0).requires_grad_(), pictures(1).requires_grad_()]
    ImageLosses(Halves())(passes, pictures(2))[name].backward()
    for frames in passes:
        assert torch.isfinite(frames.grad).all()
        assert frames.grad.abs().sum() > 0


def test_without_an_extractor_only_pixels_count():
    losses = ImageLosses(None)([pictures(0)], pictures(1))
    assert losses["reconstruction"] > 0
    assert losses["perceptual"] == losses["style"] == 0


def test_the_gram_matrix_by_hand():
    features = torch.tensor([[[[1.0, 2.0]], [[0.0, -1.0]]]])  # two channels, two pixels
    assert torch.allclose(gram_matrix(features), torch.tensor([[[5.0, -2.0], [-2.0, 1.0]]]) / 4)


def test_maps_of_vgg19():
    torch.manual_seed(0)
    maps = VGG19()(torch.zeros(1, 3, 32, 32))
    shapes = [(64, 32), (128, 16), (256, 8), (512, 4), (512, 2)]
    assert [(found.shape[1], found.shape[2]) for found in maps] == shapes
    assert list(VGG19().features) == [
        str(n) for n in (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)
    ]


def test_maps_of_efficientnet_lite0():
    extractor = EfficientNetLite0().train()
    maps = extractor(torch.rand(2, 3, 48, 40))
    assert [tuple(found.shape[1:]) for found in maps] == [
        (16, 24, 20),
        (24, 12, 10),
        (40, 6, 5),
        (112, 3, 3),
    ]
    assert not any(part.training for part in extractor.modules())


@pytest.mark.parametrize("name", ["vgg19", "efficientnet-lite0"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_a_file_are_taken(name, suffix, tmp_path):
    torch.manual_seed(4)
    network = VGG19() if name == "vgg19" else EfficientNetLite0()
    state = {k: v for k, v in network.state_dict().items() if k not in ("mean", "deviation")}
    state["classifier.0.weight"] = torch.zeros(2, 2)  # of the classifier, not needed
    path = tmp_path / f"Gewichte é{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    loaded = load_extractor(name, path)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    for key, value in state.items():
        if key in loaded.state_dict():
            assert torch.equal(loaded.state_dict()[key], value)


def test_missing_weights_say_where_they_come_from(tmp_path):
    with pytest.raises(ModelError, match=r"'vgg19'.*vgg19-dcbb9e9d\.pth.*--extractor-file"):
        load_extractor("vgg19", None)
    with pytest.raises(ModelError, match=r"none\.pth' is not there.*efficientnet-lite0-pytorch"):
        load_extractor("efficientnet-lite0", tmp_path / "none.pth")


class Code:
    """Pickled code, which must not run."""

    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize("content", ["bytes", "code", "list", "other network"])
def test_files_that_are_no_weights(content, tmp_path, capsys):
    path = tmp_path / "weights.pth"
    if content == "bytes":
        path.write_bytes(b"no weights")
    else:
        made = {"code": Code(), "list": [1], "other network": {"a": torch.zeros(1)}}[content]
        torch.save(made, path)
    with pytest.raises(ModelError, match=r"weights\.pth"):
        load_extractor("vgg19", path)
    assert "ran" not in capsys.readouterr().out
