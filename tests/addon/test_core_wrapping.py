"""Every line fits, nothing is lost, whatever the width of the sidebar and the scale of letters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from osmnet_addon.core.coefficients import DESCRIPTIONS
from osmnet_addon.core.conventions import ARKIT_NAMES
from osmnet_addon.core.wrapping import wrap

SENTENCE = "'/no such/folder/of an engine/python' does not exist; choose the Python of OSM-Net."


def widths(scale):
    """Widths of a proportional font."""
    return lambda text: sum({"i": 3, "l": 3, "m": 9, "W": 11}.get(c, 6) for c in text) * scale


def test_a_sentence():
    assert wrap("one two three", 7, len) == ["one two", "three"]
    assert wrap("one two three", 100, len) == ["one two three"]
    assert wrap("", 10, len) == []
    assert wrap("a\n\nb", 10, len) == ["a", "b"]


def test_a_path_is_broken_at_a_slash():
    assert wrap("/some/long/folder", 12, len) == ["/some/long/", "folder"]


@given(
    st.text(st.characters(categories=["L", "P", "Zs"]), max_size=300) | st.just(SENTENCE),
    st.floats(1, 500),
    st.floats(0.5, 3),
)
def test_lines_fit_and_nothing_is_lost(text, width, scale):
    measure = widths(scale)
    lines = wrap(text, width, measure)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(measure(line) <= width or len(line) == 1 for line in lines)
    assert all(lines)


def test_each_coefficient_has_words_of_its_own():
    assert list(DESCRIPTIONS) == list(ARKIT_NAMES)
    assert len(set(DESCRIPTIONS.values())) == len(ARKIT_NAMES)
    for name, text in DESCRIPTIONS.items():
        for side in ("Left", "Right"):
            if name.endswith(side):
                assert side.lower() in text, name
