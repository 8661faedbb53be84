"""The extension's client with the fake engine, which draws frames without torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from osmnet_addon.core import protocol
from osmnet_addon.core.client import Call, EngineClient, Event
from osmnet_addon.core.errors import EngineRefused, EngineStopped, JobCancelled
from PIL import Image
from waiting import SECONDS, wait_until

FAKE = str(Path(__file__).parents[1] / "engine" / "fake_engine.py")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineClient]:
    monkeypatch.setenv("OSMNET_FAKE_FRAME_SECONDS", "0.02")
    client = EngineClient([sys.executable, "-u", FAKE])
    yield client
    client.close()
    assert not client.alive


def tracks(path: Path, frames: int) -> dict[str, object]:
    np.savez(
        path / "tracks.npz",
        rotation=np.zeros((frames, 3), np.float32),
        translation=np.zeros((frames, 3), np.float32),
        coefficients=np.zeros((frames, 52), np.float32),
        keys=np.array([f"key{index}" for index in range(frames)]),
    )
    Image.new("RGB", (64, 64), (120, 90, 80)).save(path / "photo.png")
    return {
        "photo": str(path / "photo.png"),
        "tracks": str(path / "tracks.npz"),
        "folder": str(path),
    }


def test_frames_of_the_fake_engine(fake: EngineClient, tmp_path: Path) -> None:
    assert fake.hello(SECONDS)["protocol"] == protocol.PROTOCOL
    found: list[Event] = []
    result = fake.request("render_frames", tracks(tmp_path, 5)).wait(SECONDS, found.append)
    assert result == {"frames": 5}
    assert [event.index for event in found if event.kind == "frame"] == list(range(5))
    assert all((tmp_path / f"key{index}.png").is_file() for index in range(5))


def started(fake: EngineClient, folder: Path) -> Call:
    """A rendering of many frames whose first frame has arrived."""
    call = fake.request("render_frames", tracks(folder, 5000))
    wait_until(lambda: any(event.kind == "frame" for event in call.poll()) or call.done)
    assert not call.done
    return call


def test_cancelling_the_fake_engine(fake: EngineClient, tmp_path: Path) -> None:
    call = started(fake, tmp_path)
    call.cancel()
    with pytest.raises(JobCancelled):
        call.wait(SECONDS)
    assert fake.hello(SECONDS)
    assert not (tmp_path / "key4999.png").exists()


def test_killing_the_fake_engine(fake: EngineClient, tmp_path: Path) -> None:
    pid = fake.hello(SECONDS)["pid"]
    call = started(fake, tmp_path)
    os.kill(pid, 9)
    with pytest.raises(EngineStopped, match="stopped unexpectedly"):
        call.wait(SECONDS)
    assert fake.request("render_frames", tracks(tmp_path, 1)).wait(SECONDS) == {"frames": 1}


def test_closing_while_the_fake_engine_renders(fake: EngineClient, tmp_path: Path) -> None:
    call = started(fake, tmp_path)
    fake.close()
    with pytest.raises(EngineStopped):
        call.wait(SECONDS)


def test_the_fake_engine_refuses_with_sentences(fake: EngineClient, tmp_path: Path) -> None:
    params = {**tracks(tmp_path, 1), "photo": str(tmp_path / "none é.png")}
    with pytest.raises(EngineRefused, match=r"none é\.png"):
        fake.request("render_frames", params).wait(SECONDS)
    with pytest.raises(EngineRefused, match="no method"):
        fake.request("dance", {}).wait(SECONDS)
