"""Options: frozen, validated, our errors."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from osmnet_sdk.errors import InputError
from osmnet_sdk.options import ExpressionOptions, Options, SampleOptions


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


@pytest.mark.parametrize("kind", [SampleOptions, ExpressionOptions])
def test_every_field_has_a_default_and_a_sentence(kind: type[Options]):
    import inspect

    source = inspect.getsource(kind)
    for name, field in kind.model_fields.items():
        assert not field.is_required()
        after = source.split(f"    {name}: ")[1]
        assert '"""' in after.split("\n\n")[0], f"{name} has no sentence of its own"
