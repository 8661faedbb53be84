from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from osmnet_addon.core import mapping
from osmnet_addon.core.errors import AddonError

from osmnet_sdk.core.conventions import ARKIT_NAMES

NAMES = st.sampled_from(ARKIT_NAMES)
PREFIXES = ["", "blendShape1.", "ARKit_", "Face_", "blendShape2.ARKit_", "arkit", "BS_"]


def words(name: str) -> list[str]:
    return re.findall("[A-Z]?[a-z]+", name)


def spellings(name: str) -> list[str]:
    """What exporters and riggers make of an ARKit name."""
    found = [
        name,
        name.lower(),
        name.upper(),
        name[0].upper() + name[1:],
        "_".join(words(name)).lower(),
        " ".join(words(name)),
        "-".join(words(name)),
    ]
    for side, letter in (("Left", "L"), ("Right", "R")):
        if name.endswith(side):
            stem = name.removesuffix(side)
            found += [f"{stem}{separator}{letter}" for separator in ("_", ".", "-", " ", "")]
            found += [f"{stem}_{letter.lower()}", f"{stem}_{side}", f"{stem}.{side.upper()}"]
    return found


@pytest.mark.parametrize("name", ARKIT_NAMES)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_spellings_are_found(name: str, prefix: str) -> None:
    for spelling in spellings(name):
        assert mapping.match(["Basis", prefix + spelling]) == {name: prefix + spelling}


def test_exact_names_win() -> None:
    names = ["JawOpen", "jaw_open", "jawOpen", "Face_jawOpen"]
    assert mapping.match(names) == {"jawOpen": "jawOpen"}
    assert mapping.match(names[:2]) == {"jawOpen": "JawOpen"}


@pytest.mark.parametrize(
    "name", ["Basis", "", "_", "jaw", "jawOpening", "Left", "_L", "mouth", "jawOpen_L", "smile"]
)
def test_other_names_are_left_alone(name: str) -> None:
    assert mapping.match([name]) == {}


@given(
    st.lists(
        st.one_of(
            st.text(max_size=30),
            NAMES,
            NAMES.flatmap(lambda name: st.sampled_from(spellings(name))),
        )
    )
)
def test_matches_are_names_of_the_mesh_and_used_once(names: list[str]) -> None:
    found = mapping.match(names)
    assert set(found) <= set(ARKIT_NAMES)
    assert set(found.values()) <= set(names)
    assert len(set(found.values())) == len(found)
    assert all(found[name] == name for name in names if name in ARKIT_NAMES)


@given(st.dictionaries(NAMES, st.one_of(st.none(), st.text())))
def test_tables_survive_a_file(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, str | None]
) -> None:
    path = tmp_path_factory.getbasetemp() / "mäpping.json"
    mapping.save_mapping(path, table)
    assert mapping.load_mapping(path) == table


def document(**changes: object) -> str:
    return json.dumps({"schema": "osmnet.mapping/1", "shape_keys": {}, **changes})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not JSON"),
        ("\x00\xff", "not JSON"),
        ("[" * 100_000, "deep in one another"),
        ("[]", "not a mapping table"),
        ("{}", "schema is 'None'"),
        (document(schema="osmnet.mapping/2"), "newer OSM-Net"),
        (document(schema="osmnet.take/1"), "schema is 'osmnet.take/1'"),
        (document(shape_keys=[]), "no table"),
        (document(shape_keys={"jawopen": "x"}), "'jawopen' is not one of the 52"),
        (document(shape_keys={"jawOpen": 3}), "shape key of 'jawOpen'"),
        (" " * 2_000_000, "too large"),
    ],
)
def test_broken_files_are_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(AddonError) as caught:
        mapping.load_mapping(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "rubbish.json"
    path.write_bytes(data)
    with pytest.raises(AddonError):
        mapping.load_mapping(path)


def test_missing_file_and_wrong_table(tmp_path: Path) -> None:
    with pytest.raises(AddonError, match="does not exist"):
        mapping.load_mapping(tmp_path / "none.json")
    with pytest.raises(AddonError, match="'nose' is not one of"):
        mapping.save_mapping(tmp_path / "mapping.json", {"nose": "Nose"})
    with pytest.raises(AddonError, match="the folder does not exist"):
        mapping.save_mapping(tmp_path / "none" / "mapping.json", {})
