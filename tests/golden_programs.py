"""Outputs of the command line and of the engine, beside those of the public calls."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from golden_digests import PACKAGE, ROOT, named, npz, steady
from golden_outputs import Outputs

FAKE = ROOT / "tests" / "engine" / "fake_engine.py"
"""The engine of the tests, without networks."""


class ProgramOutputs(Outputs):
    """All outputs but Blender's."""

    def parts(self) -> tuple[Callable[[], None], ...]:
        """Calls first: commands render the face and the take that these have made."""
        programs = (self.helps, self.commands, self.refusals, self.engines)
        return (*super().parts(), *programs)

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """A command line in this process: exit code, output, errors; without its changing parts."""
        from typer.testing import CliRunner

        app = importlib.import_module(f"{PACKAGE}.cli").app
        words = [str(argument) for argument in arguments]
        done = CliRunner().invoke(app, words, prog_name="osmnet", catch_exceptions=False)
        return done.exit_code, steady(done.stdout, self.folder), steady(done.stderr, self.folder)

    def helps(self) -> None:
        """What each command says of itself."""
        import typer.main

        app = importlib.import_module(f"{PACKAGE}.cli").app

        def walk(command: Any, words: tuple[str, ...]) -> None:
            self.keep(f"help, {' '.join(('osmnet', *words))}", self.run(*words, "--help"))
            for name in sorted(getattr(command, "commands", ())):
                walk(command.resolve_command(context, [name])[1], (*words, name))

        context: Any = None  # every name resolves

        walk(typer.main.get_command(app), ())

    def commands(self) -> None:
        """What commands print with --json, and what they write."""
        out, voice, photo = self.folder, self.files["voice"], self.files["photo"]
        take = out / "take.npz"
        lines: dict[str, tuple[object, ...]] = {
            "info": ("info", "--device", "cpu"),
            "check": ("check", photo, "--device", "cpu"),
            "sample": ("sample", voice, "-o", out / "s", "-n", 2, "--pin", "1: yaw=20",
                       "--still", "1.5-2", "--limits", "yaw=10",
                       "--expression", "jaw=1.2 lag_ms=20"),
            "retake": ("retake", take, voice, "--from", 1, "--to", 2, "-o", out / "re.npz"),
            "express": ("express", voice, "-o", out / "e.npz"),
            "convert": ("convert", take, out / "c.csv"),
            "head": ("head", photo, "-o", out / "head.obj"),
            "render": ("render", photo, out / "short.npz", "-o", out / "png", "--renderer", "warp"),
            "rotate": ("rotate", photo, "-o", out / "r.png", "--yaw", 10),
        }  # fmt: skip
        self.take.slice(0, 2).save(out / "short.npz")
        for name, words in lines.items():
            self.keep(f"command, {name}", self.run(*words, "--json"))
        for path in ("s/voice_01.npz", "re.npz", "e.npz"):
            if (out / path).exists():
                self.keep(f"command, file {path}", npz(out / path))
        self.keep("command, mesh", (out / "head.obj").read_bytes())

    def refusals(self) -> None:
        """What is said of wrong input."""
        voice, photo = self.files["voice"], self.files["photo"]
        for words in (
            ("sample", "none.wav"),
            ("sample", photo),
            ("sample", voice, "--epsilon", 9),
            ("sample", voice, "--pin", "yaw"),
            ("render", photo, voice),
            ("convert", voice, "x.fbx"),
            ("info", "--bundle", "none"),
        ):
            self.keep(f"refusal, {' '.join(Path(str(w)).name for w in words)}", self.run(*words))

    def engines(self) -> None:
        """What both engines answer to one client, and the files that they write."""
        for kind, arguments in (("fake", [str(FAKE)]), ("real", ["-m", f"{PACKAGE}.engine"])):
            folder = self.folder / f"engine {kind}"
            folder.mkdir()
            tracks = folder / "tracks.npz"
            yaw = np.linspace(0, 12, 2, dtype=np.float32)
            np.savez(
                tracks, rotation=np.stack([0 * yaw, yaw, 0 * yaw], 1), keys=np.array(["a", "b"]),
                translation=np.zeros((2, 3), np.float32),
                coefficients=np.full((2, 52), 0.1, np.float32),
            )  # fmt: skip
            shared = {"photo": str(self.files["photo"]), "folder": str(folder)}
            requests: list[tuple[str, dict[str, Any]]] = [
                ("hello", {"protocol": named("PROTOCOL")}),
                ("check", {"device": "cpu"}),
                ("fit_head", shared),
                ("sample_takes", {"audio": str(self.files["voice"]), "folder": str(folder),
                                  "takes": [{"seed": 3, "take": 1}], "motion": {"yaw": 2.0}}),
                ("render_frames", {**shared, "tracks": str(tracks), "renderer": "warp"}),
                ("convert_take", {"source": str(folder / "take_3_1.npz"),
                                  "output": str(folder / "t.csv")}),
                ("sample_takes", {"audio": "none.wav"}),
                ("nothing", {}),
            ]  # fmt: skip
            self.keep(f"engine, {kind}", self._talk(arguments, requests))
            for path in sorted(folder.iterdir()):
                if path.suffix in (".npz", ".png", ".csv") and path != tracks:
                    value = npz(path) if path.suffix == ".npz" else path.read_bytes()
                    self.keep(f"engine, {kind}, {path.name}", value)

    def _talk(self, arguments: list[str], requests: list[tuple[str, dict[str, Any]]]) -> list[str]:
        """All lines that an engine writes, progress left out, in their order."""
        lines = [
            json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            for number, (method, params) in enumerate(requests, 1)
        ]
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, encoding="utf-8", cwd=ROOT,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        said = []
        for line in lines:  # one by one: a client that leaves cancels what runs
            process.stdin.write(line + "\n")
            process.stdin.flush()
            while True:
                answer = process.stdout.readline()
                assert answer, f"The engine ended: {process.wait()}"
                if '"progress"' not in answer:
                    said.append(steady(answer, self.folder))
                if '"method"' not in answer:
                    break
        process.stdin.close()
        process.wait(30)
        return said
