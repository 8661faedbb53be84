from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from osmnet_addon.core import client as client_module
from osmnet_addon.core import protocol
from osmnet_addon.core.client import Call, EngineClient, Event
from osmnet_addon.core.errors import EngineRefused, EngineStopped, JobCancelled
from waiting import SECONDS, wait_until

SCRIPTED = str(Path(__file__).with_name("scripted_engine.py"))
Engine = Callable[..., EngineClient]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Starts scripted engines, and closes them in the end."""
    started: list[EngineClient] = []

    def start(script: str = "good", **options: int) -> EngineClient:
        command = [sys.executable, "-I", "-u", SCRIPTED, protocol.__file__, script]
        started.append(EngineClient(command, **options))
        return started[-1]

    yield start
    for client in started:
        client.close()
        assert not client.alive


def test_requests_are_answered(engine: Engine) -> None:
    client = engine()
    assert not client.alive
    client.start()
    assert client.alive
    assert client.hello(SECONDS)["protocol"] == protocol.PROTOCOL
    call = client.request("echo", {"text": "ä" * 100_000, "path": "C:\\Ünï\n"})
    assert call.wait(SECONDS) == {"text": "ä" * 100_000, "path": "C:\\Ünï\n"}
    assert call.done
    assert call.result["text"].startswith("ä")
    assert call.poll() == []


def test_many_requests_at_once(engine: Engine) -> None:
    client = engine()
    results: list[int] = []

    def ask(number: int) -> None:
        results.append(client.request("echo", {"n": number}).wait(SECONDS)["n"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert sorted(results) == list(range(20))


def test_events_come_in_order(engine: Engine) -> None:
    found: list[Event] = []
    assert engine().request("events", {}).wait(SECONDS, found.append) == {"frames": 3}
    progress = [event for event in found if event.kind == "progress"]
    assert progress[-2:] == [
        Event("progress", stage="render frames", done=3, total=3),
        Event("progress", stage="write", done=0, total=1),
    ]
    assert [event for event in found if event.kind != "progress"] == [
        Event("warning", message="The mouth is open."),
        Event("frame", index=0),
        Event("frame", index=2),
    ]


def test_polling_does_not_block(engine: Engine) -> None:
    call = engine().request("events", {})
    found: list[Event] = []
    wait_until(lambda: bool(found.extend(call.poll())) or call.done)
    found += call.poll()
    assert [event.index for event in found if event.kind == "frame"] == [0, 2]
    assert call.poll() == []


def test_events_that_come_with_the_answer_are_not_lost() -> None:
    call = Call(lambda: None, lambda: "")
    call.add(Event("frame", index=0))
    assert call.poll() == [Event("frame", index=0)]
    call.add(Event("frame", index=1))
    call.end({}, None)
    assert not call.done
    assert call.poll() == [Event("frame", index=1)]
    assert call.done


def test_unread_progress_does_not_pile_up(engine: Engine) -> None:
    client = engine()
    call = client.request("slow", {})
    client.request("echo", {}).wait(SECONDS)
    time.sleep(0.1)
    assert len(call.poll()) <= 1


def test_a_call_that_is_not_done_has_no_result(engine: Engine) -> None:
    call = engine().request("slow", {})
    assert not call.done
    with pytest.raises(RuntimeError, match="not done"):
        _ = call.result


def test_cancel(engine: Engine) -> None:
    client = engine()
    call = client.request("slow", {})
    wait_until(lambda: bool(call.poll()))
    call.cancel()
    with pytest.raises(JobCancelled):
        call.wait(SECONDS)
    call.cancel()
    assert call.done
    assert client.request("echo", {"n": 1}).wait(SECONDS) == {"n": 1}


def test_refusals_carry_sentence_and_details(engine: Engine) -> None:
    with pytest.raises(EngineRefused, match=r"^No face\.$") as caught:
        engine().request("refuse", {}).wait(SECONDS)
    assert caught.value.details == "trace"


@pytest.mark.parametrize("how", ["die", "kill"])
def test_death_ends_every_call_and_the_next_one_starts_it_again(engine: Engine, how: str) -> None:
    client = engine()
    pid = client.hello(SECONDS)["pid"]
    calls = [client.request("slow", {}), client.request("slow", {})]
    if how == "die":
        calls.append(client.request("die", {}))
    else:
        os.kill(pid, 9)
    for call in calls:
        with pytest.raises(EngineStopped, match="stopped unexpectedly") as caught:
            call.wait(SECONDS)
        assert "it is started again with the next call" in str(caught.value)
    if how == "die":
        assert "exit code 7" in str(caught.value)
        assert caught.value.details == client.last_lines == "last words ü"
    assert not client.alive
    assert client.request("echo", {"n": 2}).wait(SECONDS) == {"n": 2}
    assert client.hello(SECONDS)["pid"] != pid


def test_death_that_nobody_waited_for_keeps_its_reason(engine: Engine) -> None:
    client = engine()
    call = client.request("die", {})
    wait_until(lambda: not client.alive)
    client.start()
    with pytest.raises(EngineStopped, match="exit code 7"):
        call.wait(SECONDS)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("newer", "The engine speaks protocol 99, this add-on {}: update the extension."),
        ("older", "The engine speaks protocol 0, this add-on {}: update OSM-Net in"),
    ],
)
def test_other_protocols_are_refused(engine: Engine, script: str, sentence: str) -> None:
    client = engine(script)
    with pytest.raises(EngineStopped) as caught:
        client.hello(SECONDS)
    assert str(caught.value).startswith(sentence.format(protocol.PROTOCOL))
    assert not client.alive


@pytest.mark.parametrize("script", ["chatty", "endless"])
def test_a_program_that_is_no_engine_does_not_hang(engine: Engine, script: str) -> None:
    client = engine(script)
    with pytest.raises(EngineStopped, match="does not speak its protocol"):
        client.request("echo", {}).wait(SECONDS)
    wait_until(lambda: not client.alive)


def test_stray_lines_and_much_log_do_no_harm(engine: Engine) -> None:
    client = engine("noisy", log_lines=50)
    client.hello(SECONDS)
    wait_until(lambda: "log line 999" in client.last_lines)
    assert len(client.last_lines.splitlines()) == 50


def test_silence_ends_with_the_timeout(engine: Engine) -> None:
    client = engine("silent")
    with pytest.raises(EngineStopped, match=r"did not answer within 0\.3 s"):
        client.hello(0.3)
    assert not client.alive


def test_an_engine_that_closes_its_output_is_dead(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_CLOSE_SECONDS", 0.2)
    client = engine("deaf")
    with pytest.raises(EngineStopped, match="stopped unexpectedly"):
        client.request("echo", {}).wait(SECONDS)
    assert not client.alive


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "[]",
        '{"jsonrpc": "2.0"}',
        '{"jsonrpc": "2.0", "method": "progress"}',
        '{"jsonrpc": "2.0", "method": "progress", "params": [1]}',
        '{"jsonrpc": "2.0", "method": "progress", "params": {"id": 1}}',
        '{"jsonrpc": "2.0", "method": "frame", "params": {"id": 1, "index": Infinity}}',
        '{"jsonrpc": "2.0", "id": [], "result": {}}',
        '{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "?"}}',
        '{"jsonrpc": "2.0", "id": 99, "result": {}}',
        "[" * 100_000,
    ],
)
def test_odd_lines_are_passed_over(engine: Engine, line: str) -> None:
    client = engine()
    client.request("raw", {"line": line})
    assert client.request("echo", {"n": 3}).wait(SECONDS) == {"n": 3}


@pytest.mark.parametrize("answer", ['"result": 3', '"error": "no"', '"error": {}'])
def test_odd_answers_end_the_call(engine: Engine, answer: str) -> None:
    call = engine().request("raw", {"line": f'{{"jsonrpc": "2.0", "id": 1, {answer}}}'})
    with pytest.raises(EngineRefused):
        call.wait(SECONDS)


def test_close_ends_calls_and_may_be_called_twice(engine: Engine) -> None:
    client = engine()
    call = client.request("slow", {})
    client.close()
    client.close()
    assert not client.alive
    with pytest.raises(EngineStopped, match="The engine was stopped"):
        call.wait(SECONDS)
    call.cancel()
    assert client.request("echo", {"n": 4}).wait(SECONDS) == {"n": 4}


def test_an_engine_that_does_not_leave_is_killed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_CLOSE_SECONDS", 0.2)
    client = engine("stubborn")
    client.hello(SECONDS)
    client.close()
    assert not client.alive


def test_errors_of_the_callback_come_through(engine: Engine) -> None:
    def fail(event: Event) -> None:
        raise ValueError(event.kind)

    client = engine()
    with pytest.raises(ValueError, match="progress"):
        client.request("slow", {}).wait(SECONDS, fail)
    assert client.alive


def test_environment_of_the_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blender's Python variables must not lead another Python astray."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("OSMNET_SOMETHING", "1")
    answer = engine().request("environment", {}).wait(SECONDS)
    assert not {"PYTHONHOME", "PYTHONPATH"} & set(answer["names"])
    assert "OSMNET_SOMETHING" in answer["names"]
    assert Path(answer["folder"]).samefile(Path.home())


@pytest.mark.parametrize("command", ["/none/python é", "", "\0"])
def test_a_command_that_cannot_be_started(command: str) -> None:
    client = EngineClient([command])
    with pytest.raises(EngineStopped, match="Preferences → Find") as caught:
        client.request("hello", {})
    assert repr(command) in str(caught.value)
    assert not client.alive
    client.close()


def test_a_python_without_osmnet(tmp_path: Path) -> None:
    client = EngineClient([sys.executable, "-I", "-S", "-m", "osmnet_sdk.engine"])
    with pytest.raises(EngineStopped, match="has no OSM-Net: install it there") as caught:
        client.hello(SECONDS)
    assert "No module named" in caught.value.details
    client.close()


def test_other_missing_modules_are_not_taken_for_osmnet() -> None:
    client = EngineClient([sys.executable, "-I", "-c", "import no_such_module"])
    with pytest.raises(EngineStopped, match="stopped unexpectedly") as caught:
        client.hello(SECONDS)
    assert "no_such_module" in caught.value.details
    client.close()


def test_a_program_that_ends_at_once() -> None:
    client = EngineClient([sys.executable, "-I", "-c", "raise SystemExit(3)"])
    with pytest.raises(EngineStopped, match="exit code 3"):
        client.hello(SECONDS)
    client.close()
