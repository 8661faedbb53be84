"""Options: frozen, validated, our errors."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from osmnet_sdk.core.option_fields import option_fields
from osmnet_sdk.errors import InputError
from osmnet_sdk.options import ExpressionOptions, Limits, Options, Pin, SampleOptions


@pytest.mark.parametrize(
    "values",
    [{"epsilon": -0.1}, {"epsilon": "x"}, {"intensity": 3.1}, {"blinks_per_minute": 31}, {"no": 1}],
)
def test_values_out_of_range_are_one_sentence(values):
    with pytest.raises(InputError, match=next(iter(values))) as caught:
        SampleOptions(**values)
    assert "\n" not in str(caught.value)


def test_options_are_frozen_and_tell_what_was_changed():
    options = SampleOptions(epsilon=0.5)
    assert options.changed() == {"epsilon": 0.5}
    with pytest.raises(ValidationError):
        options.epsilon = 1.0


@pytest.mark.parametrize("kind", [SampleOptions, ExpressionOptions, Limits])
def test_every_field_has_a_default_and_a_sentence(kind: type[Options]):
    fields = option_fields(kind.model_json_schema())
    assert list(fields) == list(kind.model_fields)
    for name, field in fields.items():
        assert not kind.model_fields[name].is_required()
        assert len(field.says) > 10, name
        assert not field.says.endswith("."), name
        if field.kind in ("number", "whole"):
            assert field.least <= field.default <= field.largest
        else:
            assert field.kind in ("switch", "choice") or field.grammar, (
                f"{name} has no way to be written"
            )


def test_what_an_animator_asks_for_survives_json():
    import json

    options = SampleOptions(
        pins=[Pin(3.2, (None, 30, -5)), {"time": 1, "translation": [0, None, 0.1]}],
        basis={12: 2.0},
        hold=[(4, 6)],
        start=[1, 2, 3],
        limits={"yaw": 20},
    )
    again = SampleOptions(**json.loads(json.dumps(options.changed())))
    assert again == options
    assert again.pins[1].pose == (None, None, None, 0.0, None, 0.1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epsilon": 100}, "'epsilon' cannot be 100: it must be a number from 0 to 3"),
        ({"smoothing": 0.6}, "from 0 to 0.5"),
        ({"tempo": float("nan")}, "from 0.5 to 2"),
        ({"basis": {1: 5}}, "basis.1"),
        ({"basis": {"a": 1}}, "basis"),
        ({"limits": {"yaw": 0}}, "from 0.1 to 80"),
        ({"start": (1, 2)}, "not 2 numbers"),
        ({"end": (1000, 0, 0)}, "pitch = 1000°; it must be −80 to 80°"),
        ({"start": (0, 0, 0, 0, 0, 2)}, "z = 2 m; it must be −0.5 to 0.5 m"),
        ({"hold": [(3, 2)]}, "end after it starts"),
        ({"hold": [4]}, "hold"),
        ({"pins": [{}]}, "time"),
        ({"pins": [(1, 2)]}, "pins"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(values, words):
    with pytest.raises(InputError, match=words) as caught:
        SampleOptions(**values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((1, (1000, 0, 0)), "pitch = 1000°"),
        ((1, (0, float("nan"), 0)), "finite"),
        ((float("nan"), (0, 0, 0)), "time"),
        ((-1, (0, 0, 0)), "time"),
        ((1, (None, None, None)), "pins nothing"),
        ((1, (1, 2)), "rotation"),
        ((1, None, (0, 0, 3)), "z = 3 m"),
        ((), "time"),
    ],
)
def test_pins_that_are_impossible(values, words):
    with pytest.raises(InputError, match=words) as caught:
        Pin(*values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"jaw": 4}, "'jaw' cannot be 4: it must be a number from 0 to 3"),
        ({"lag_ms": -300}, "from -200 to 200"),
        ({"smoothing": 0.3}, "from 0 to 0.2"),
        ({"gains": {"jawopen": 1}}, "did you mean jawOpen?"),
        ({"gains": {"xyz": 1}}, "ARKIT_NAMES"),
        ({"gains": {"jawOpen": 4}}, "gains.jawOpen"),
        ({"offsets": {"jawOpen": -2}}, "offsets.jawOpen"),
        ({"chin": 1}, "there are intensity, jaw, lips"),
    ],
)
def test_what_cannot_be_asked_of_an_expression_is_one_sentence(values, words):
    with pytest.raises(InputError, match=words) as caught:
        ExpressionOptions(**values)
    assert "\n" not in str(caught.value)
    assert ExpressionOptions(gains={"jawOpen": 2}, offsets={"browInnerUp": 0.1}).changed() == {
        "gains": {"jawOpen": 2.0},
        "offsets": {"browInnerUp": 0.1},
    }
