"""An engine that misbehaves: python scripted_engine.py PROTOCOL_FILE SCRIPT.

It answers hello, `echo` with its parameters, and `slow` with progress until it is cancelled; SCRIPT
says what it does wrong.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import Any

protocol: dict[str, Any] = runpy.run_path(sys.argv[1])
script = sys.argv[2]
cancelled: set[int] = set()
output = sys.stdout.buffer


def send(line: bytes) -> None:
    output.write(line)
    output.flush()


def slow(number: int) -> None:
    done = 0
    while number not in cancelled:
        done += 1
        about = {"id": number, "stage": "render frames", "done": done, "total": 0}
        send(protocol["notification"]("progress", about))
        time.sleep(0.01)
    send(protocol["failure"](number, protocol["CANCELLED"], "Cancelled."))


def events(number: int) -> None:
    for method, params in (
        ("warning", {"message": "The mouth is open."}),
        ("progress", {"stage": "render frames", "done": 1, "total": 3}),
        ("progress", {"stage": "render frames", "done": 2, "total": 3}),
        ("frame", {"index": 0}),
        ("frame", {"index": 2}),
        ("progress", {"stage": "render frames", "done": 3, "total": 3}),
        ("progress", {"stage": "write", "done": 0, "total": 1}),
        ("news", {}),
    ):
        send(protocol["notification"](method, {"id": number, **params}))
    send(protocol["result"](number, {"frames": 3}))


def answer(number: int, method: str, params: dict[str, Any]) -> None:
    if method == "hello":
        version = 99 if script == "newer" else 0 if script == "older" else params["protocol"]
        send(protocol["result"](number, {"protocol": version, "pid": os.getpid()}))
    elif method == "echo":
        send(protocol["result"](number, params))
    elif method == "slow":
        threading.Thread(target=slow, args=(number,), daemon=True).start()
    elif method == "events":
        events(number)
    elif method == "environment":
        send(protocol["result"](number, {"names": list(os.environ), "folder": str(Path.cwd())}))
    elif method == "die":
        sys.stderr.buffer.write("last words ü\n".encode())
        sys.stderr.flush()
        os._exit(7)
    elif method == "raw":
        send(params["line"].encode() + b"\n")
    elif method == "refuse":
        send(protocol["failure"](number, -32000, "No face.", kind="NoFaceError", details="trace"))


def main() -> None:
    if script == "silent":
        time.sleep(600)
    if script == "chatty":
        while True:
            print("I am no engine.", flush=True)
            time.sleep(0.001)
    if script == "endless":
        while True:
            output.write(b"x" * 100_000)
    if script == "noisy":
        for number in range(3):
            print("a stray line", number, flush=True)
        for number in range(1000):
            print("log line", number, file=sys.stderr)
    if script == "deaf":
        os.close(1)
        time.sleep(600)
    for line in sys.stdin.buffer:
        message = protocol["decode"](line)
        if message["method"] == "cancel":
            cancelled.add(message["params"]["id"])
        else:
            answer(message["id"], message["method"], message["params"])
    if script == "stubborn":
        time.sleep(600)


main()
