"""The server as a real child process, with methods of its own and with the fake backend."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from engine_client import PATIENCE, Engine

from osmnet_sdk.engine import protocol

METHODS = """
import os, sys, time, warnings
from osmnet_sdk.engine.server import Server, claim_standard_streams
from osmnet_sdk.errors import OSMNetWarning, PhotoError

def noisy(request):
    print("stray print"); sys.stdout.flush()
    os.write(1, b"stray bytes\\n")
    os.system("echo from a child")
    assert sys.stdin.read() == ""
    return {"ok": True}

def warned(request):
    warnings.warn("one\\nsentence.", OSMNetWarning)
    warnings.warn("one\\nsentence.", OSMNetWarning)
    warnings.warn("of somebody else", DeprecationWarning)
    return {}

def slow(request):
    while not request.cancelled():
        time.sleep(0.01)
    request.check_cancelled()

def deaf(request):
    request.progress("deaf", 0, 0)
    time.sleep(600)

def counting(request):
    for stage in ("one", "two"):
        for done in range(1001):
            request.progress(stage, done, 1000 if stage == "one" else 0)
    return {}

def failing(request):
    kind = request.params["kind"]
    if kind == "recursion":
        return failing(request)
    raise {"photo": PhotoError("No\\n  photo."), "memory": MemoryError(), "exit": SystemExit(3),
           "value": ValueError("odd")}[kind]

def unserializable(request):
    return {"value": object()}

methods = {f.__name__: f for f in (noisy, warned, slow, deaf, counting, failing, unserializable)}
source, sink = claim_standard_streams()
Server(methods, source, sink).run()
os._exit(0)
"""


@pytest.fixture
def engine():
    with Engine("-c", METHODS) as running:
        yield running


def test_stray_output_goes_to_standard_error(engine):
    assert engine.result("noisy") == {"ok": True}
    engine.result("shutdown")
    assert engine.process.wait(PATIENCE) == 0
    engine._threads[1].join(PATIENCE)
    for words in (b"stray print", b"stray bytes", b"from a child"):
        assert words in engine.stderr


def test_our_warnings_are_told_and_others_are_not(engine):
    engine.result("warned")
    assert engine.notified("warning") == [{"id": 1, "message": "one sentence."}] * 2


def test_progress_is_thinned_out_but_first_and_last_are_told(engine):
    engine.result("counting")
    told = engine.notified("progress")
    for stage in ("one", "two"):
        done = [params["done"] for params in told if params["stage"] == stage]
        assert done[0] == 0
        assert done[-1] == 1000
        assert len(done) < 200


@pytest.mark.parametrize(
    ("kind", "code", "name"),
    [
        ("photo", protocol.FAILED, "PhotoError"),
        ("memory", protocol.INTERNAL_ERROR, "MemoryError"),
        ("recursion", protocol.INTERNAL_ERROR, "RecursionError"),
        ("exit", protocol.INTERNAL_ERROR, "SystemExit"),
        ("value", protocol.INTERNAL_ERROR, "ValueError"),
    ],
)
def test_errors_are_one_sentence_and_the_engine_goes_on(engine, kind, code, name):
    error = engine.error("failing", kind=kind)
    assert error["code"] == code
    assert error["data"]["kind"] == name
    assert ("Traceback" in error["data"]["details"]) == (code == protocol.INTERNAL_ERROR)
    assert engine.result("noisy") == {"ok": True}


def test_a_result_that_is_no_json_is_a_bug_of_ours(engine):
    assert engine.error("unserializable")["code"] == protocol.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("line", "number", "code"),
    [
        (b"nonsense\n", None, protocol.PARSE_ERROR),
        (b"\xff\xfe\x00\n", None, protocol.PARSE_ERROR),
        (b"[" * 100_000 + b"\n", None, protocol.PARSE_ERROR),
        (b"[1, 2]\n", None, protocol.PARSE_ERROR),
        (b"x" * (protocol.MAX_LINE + 50) + b"\n", None, protocol.PARSE_ERROR),
        (b'{"jsonrpc": "2.0", "id": "a", "method": "noisy"}\n', None, protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": true, "method": "noisy"}\n', None, protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 77}\n', 77, protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 77, "method": "nothing"}\n', 77, protocol.METHOD_NOT_FOUND),
        (
            b'{"jsonrpc": "2.0", "id": 77, "method": "noisy", "params": [1]}\n',
            77,
            protocol.INVALID_PARAMS,
        ),
    ],
)
def test_lines_that_are_no_request_are_refused_and_the_engine_goes_on(engine, line, number, code):
    engine.write(line)
    answer = engine.message()
    assert answer["id"] == number
    assert answer["error"]["code"] == code
    assert answer["error"]["message"].endswith(".")
    assert engine.result("noisy") == {"ok": True}


def test_empty_lines_and_unknown_notifications_are_passed_over(engine):
    engine.write(b"\n  \n")
    engine.write(protocol.notification("nothing", {}))
    engine.write(protocol.notification("cancel", {"id": [1]}))
    engine.cancel(99)
    assert engine.result("noisy") == {"ok": True}
    assert [message["id"] for message in engine.said] == [1]


def test_running_and_waiting_requests_are_cancelled(engine):
    running, waiting, last = engine.send("slow"), engine.send("slow"), engine.send("noisy")
    engine.cancel(waiting)
    assert engine.message()["id"] == waiting  # although the first still runs
    assert engine.said[-1]["error"]["code"] == protocol.CANCELLED
    engine.cancel(running)
    answer = engine.until(number=running)
    assert answer["error"]["code"] == protocol.CANCELLED
    assert answer["error"]["data"]["kind"] == "Cancelled"
    assert engine.until(number=last)["result"] == {"ok": True}


def test_an_id_in_use_is_refused(engine):
    engine.send("slow")
    engine.write(protocol.request(1, "noisy", {}))
    answer = engine.message()
    assert answer["id"] is None
    assert answer["error"]["code"] == protocol.INVALID_REQUEST
    engine.cancel(1)
    assert engine.message()["id"] == 1


def test_shutdown_ends_the_process(engine):
    assert engine.result("shutdown") == {}
    assert engine.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("method", [None, "slow", "deaf"])
def test_the_end_of_the_input_ends_the_process(engine, method):
    if method is not None:
        engine.send(method)
        if method == "deaf":
            engine.until(method="progress")
        else:
            time.sleep(0.2)
    engine.process.stdin.close()
    code = engine.process.wait(PATIENCE)
    assert code == (1 if method == "deaf" else 0)  # what does not stop is ended


def test_an_engine_that_nobody_hears_ends():
    heard, spoken = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", METHODS],
        stdin=subprocess.PIPE,
        stdout=spoken,
        stderr=subprocess.DEVNULL,
    )
    os.close(spoken)
    os.close(heard)
    with process.stdin as stdin:
        stdin.write(protocol.request(1, "counting", {}))
        stdin.flush()
        assert process.wait(PATIENCE) == 0


def test_wrong_arguments_are_a_usage_line():
    with Engine("-m", "osmnet_sdk.engine", "--nonsense") as engine:
        assert engine.process.wait(PATIENCE) == 1
        engine._threads[1].join(PATIENCE)
        assert engine.stderr.startswith(b"Usage:")
