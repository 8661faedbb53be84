"""Lines of the protocol, without a process."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osmnet_sdk.core.json_reading import parse_json
from osmnet_sdk.engine import protocol

texts = st.text(st.characters(), max_size=20)  # surrogates too: file names need not be UTF-8
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=5)


@given(st.integers(), texts, objects)
def test_requests_come_back_as_they_were_sent(number, method, params):
    line = protocol.request(number, method, params)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert protocol.decode(line) == {
        "jsonrpc": "2.0", "id": number, "method": method, "params": params
    }  # fmt: skip


@given(st.none() | st.integers(), st.integers(), texts, texts, objects)
def test_answers_come_back_as_they_were_sent(number, code, message, details, value):
    failed = protocol.decode(protocol.failure(number, code, message, details=details))
    assert failed["error"] == {
        "code": code, "message": message, "data": {"kind": "", "details": details}
    }  # fmt: skip
    assert protocol.decode(protocol.result(1, value))["result"] == value


@given(st.binary(max_size=200))
def test_garbage_is_a_message_or_a_protocol_error(line):
    with contextlib.suppress(protocol.ProtocolError):
        assert isinstance(protocol.decode(line), dict)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b"1", b'{"jsonrpc": "1.0"}', b"\xff", b"[" * 200_000]
)
def test_what_is_no_message_is_refused(line):
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(line)


@pytest.mark.parametrize("module", ["protocol", "server", "methods"])
def test_what_answers_hello_needs_the_standard_library_alone(module):
    code = (
        "import sys; before = set(sys.modules); "
        f"import osmnet_sdk.engine.{module}; print(*(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert loaded <= sys.stdlib_module_names | {"osmnet_sdk"}


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000, b'{"jsonrpc": "2.0", "id": ' + b"9" * 5000 + b"}",
        b'{"jsonrpc": "2.0", "id": 1e999}', b'{"jsonrpc": "2.0", "id": NaN}',
        b'{"jsonrpc": "2.0", "a": ' + b"[" * 50 + b"]" * 50 + b"}",
        b'{"jsonrpc": "2.0", "a": "' + b"x" * 50_000 + b'"}', b"\xff\xfe{}", b"\0",
    ],
    ids=["deep", "digits", "infinite", "NaN", "nested", "text", "no UTF-8", "null"],
)  # fmt: skip
def test_lines_beyond_a_bound_are_refused(text):
    with pytest.raises(protocol.ProtocolError, match="beyond a bound"):
        protocol.decode(text, parse_json)
