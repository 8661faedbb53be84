"""Bundles: found by name or path, checked by SHA-256, loaded without pickle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from osmnet_sdk.core.bundle import (
    MANIFEST,
    RENDERER_WEIGHTS,
    find_bundle,
    load_arrays,
    save_arrays,
    write_manifest,
)
from osmnet_sdk.errors import InputError, ModelError

STARTER = Path(__file__).parents[2] / "models" / "starter"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    save_arrays(folder / "a.safetensors", {"x": np.arange(4.0)}, {"note": "ü"})
    (folder / "a.md").write_text("card", encoding="utf-8")
    write_manifest(folder, name="small", version="1", licence="CC0-1.0")
    return folder


def test_a_bundle_is_found_by_path_and_read(small):
    bundle = find_bundle(small)
    arrays, metadata = bundle.arrays("a.safetensors")
    assert np.array_equal(arrays["x"], np.arange(4.0))
    assert metadata == {"note": "ü"}
    assert set(bundle.manifest.files) == {"a.safetensors", "a.md"}


def test_a_changed_file_is_refused(small):
    path = small / "a.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="SHA-256"):
        find_bundle(small).arrays("a.safetensors")


def test_missing_files_and_bundles_say_so(small, tmp_path):
    (small / "a.md").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        find_bundle(small).path("a.md")
    with pytest.raises(ModelError, match=r"has no .b\.safetensors."):
        find_bundle(small).path("b.safetensors")
    with pytest.raises(ModelError, match="There is no bundle"):
        find_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_name": 3}', "\x00\xff"])
def test_a_damaged_manifest_is_an_error(small, text):
    (small / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match="damaged"):
        find_bundle(small)


def test_another_schema_is_an_error(small):
    manifest = json.loads((small / MANIFEST).read_text(encoding="utf-8"))
    manifest["schema_name"] = "osmnet.bundle/9"
    (small / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match=r"osmnet\.bundle/9"):
        find_bundle(small)


def test_a_manifest_cannot_reach_out_of_its_folder(small, tmp_path):
    (tmp_path / "outside.md").write_text("x", encoding="utf-8")
    with pytest.raises(ModelError, match="has no"):
        find_bundle(small).path("../outside.md")


def test_a_file_that_is_no_safetensors_file_is_an_error(small):
    (small / "a.safetensors").write_bytes(b"not a tensor")
    write_manifest(small, name="small", version="1", licence="CC0-1.0")
    with pytest.raises(ModelError, match="no safetensors file"):
        find_bundle(small).arrays("a.safetensors")


def test_no_manifest_for_a_folder_without_weights(tmp_path):
    (tmp_path / "card.md").write_text("card", encoding="utf-8")
    with pytest.raises(InputError, match="holds no weights"):
        write_manifest(tmp_path, name="empty", version="1", licence="none")
    assert not (tmp_path / MANIFEST).exists()


@pytest.mark.parametrize("renderer", sorted(RENDERER_WEIGHTS))
def test_a_default_renderer_needs_its_weights(small, renderer):
    about = {"name": "small", "version": "1", "licence": "none"}
    before = (small / MANIFEST).read_bytes()
    missing = rf"no '{RENDERER_WEIGHTS[renderer]}', which .* '{renderer}' needs.*--renderer"
    with pytest.raises(InputError, match=missing):
        write_manifest(small, **about, renderer=renderer)
    assert (small / MANIFEST).read_bytes() == before
    save_arrays(small / RENDERER_WEIGHTS[renderer], {"x": np.zeros(1)}, {})
    write_manifest(small, **about, renderer=renderer)
    (small / RENDERER_WEIGHTS[renderer]).unlink()
    with pytest.raises(InputError, match=missing):
        write_manifest(small, **about)  # which would keep the default
    assert write_manifest(small, **about, renderer="warp").renderer == "warp"


def test_weights_outside_a_bundle_are_read_or_refused_with_advice(tmp_path):
    path = tmp_path / "gewichte ü.safetensors"
    with pytest.raises(ModelError, match=r"gewichte ü.*cannot be read; make it\.$"):
        load_arrays(path, "make it")
    save_arrays(path, {"x": np.arange(3.0)}, {"note": "é"})
    arrays, metadata = load_arrays(path, "make it")
    assert np.array_equal(arrays["x"], np.arange(3.0))
    assert metadata == {"note": "é"}
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ModelError, match=r"gewichte ü.*no safetensors file; make it\.$"):
        load_arrays(path, "make it")


def test_the_starter_bundle_is_whole_small_and_has_a_card_for_each_model():
    bundle = find_bundle("starter")
    files = bundle.manifest.files
    on_disk = {p.name for p in STARTER.iterdir() if p.suffix in (".safetensors", ".md")}
    assert set(files) == on_disk
    for name in files:
        bundle.path(name)
    assert sum(entry.bytes for entry in files.values()) < 40e6
    cards = "\n".join(
        (STARTER / name).read_text(encoding="utf-8") for name in files if name.endswith(".md")
    )
    for name in files:
        if name.endswith(".safetensors"):
            assert name in cards, f"no card names {name}"


def test_a_copy_of_the_starter_bundle_works_anywhere(tmp_path):
    copy = tmp_path / "Bündel mit Leerzeichen"
    shutil.copytree(STARTER, copy)
    assert find_bundle(copy).sha256 == find_bundle("starter").sha256
