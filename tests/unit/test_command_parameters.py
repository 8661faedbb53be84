"""Options are written once: the command line makes its own out of their classes."""

from __future__ import annotations

from typing import Literal

import typer
from typer.testing import CliRunner

from osmnet_sdk.cli.arguments import InOneText, Run
from osmnet_sdk.cli.parameters import Without, command
from osmnet_sdk.options import Options, option


class Colours(Options):
    """Colours of a scarf."""

    red: float = option(0.5, "Share of red", least=0.0, largest=1.0, unit="parts")
    blue: float = option(0.25, "Share of blue", least=0.0, largest=1.0, unit="parts")


class Scarf(Options):
    """A class of options that nothing else knows."""

    warmth: float = option(2.0, "How warm it is", least=-5.0, largest=7.5, unit="clo")
    threads: int = option(4, "Threads in the yarn", least=1, largest=9, flags=["--ply"])
    knot: Literal["tight", "loose"] = option("tight", "How it is tied")
    fringe: bool = option(True, "Whether it has a fringe")
    washed: list[tuple[float, float]] = option([], "Times of washing", grammar="ranges")
    colours: Colours = option(Colours(), "Its colours", grammar="options")


def ran(*words: str, annotation: object = Scarf) -> tuple[int, str, list[Scarf]]:
    seen: list[Scarf] = []

    def knit(name: str, run: Run, *, scarf: Scarf, loud: bool = False) -> None:
        """Knit a scarf."""
        seen.append(scarf)

    knit.__annotations__["scarf"] = annotation
    knit.__annotations__["run"] = Run
    app = typer.Typer()
    app.command()(command(knit))
    done = CliRunner().invoke(app, [*words], env={"COLUMNS": "200", "TERM": "dumb"})
    return done.exit_code, done.output, seen


def test_a_new_field_is_an_option_by_being_written_once():
    words = ("a", "--warmth", "3.5", "--ply", "2", "--no-fringe", "--washed", "1-2", "--washed",
             "3-4", "--colours", "blue=1", "--loud")  # fmt: skip
    code, said, seen = ran(*words)
    assert (code, said) == (0, "")
    assert seen == [
        Scarf(warmth=3.5, threads=2, fringe=False, washed=[(1, 2), (3, 4)], colours={"blue": 1})
    ]
    assert ran("a")[2] == [Scarf()]


def test_help_has_sentence_range_unit_and_default():
    said = " ".join(ran("--help")[1].replace("│", " ").split())
    for words in (
        "How warm it is (−5 to 7.5 clo). [default: 2.0]", "Threads in the yarn (1 to 9).",
        "--fringe --no-fringe", "Times of washing: 4-6; may be repeated.",
        'Its colours: "red=0.5 blue=0.25"; red, blue: 0 to 1 parts.',
    ):  # fmt: skip
        assert words in said, said
    assert said.index("--loud") < said.index("--device"), "what all commands have comes last"


def test_wrong_values_are_one_sentence():
    code, said, seen = ran("a", "--warmth", "8")
    assert (code, seen) == (2, [])
    sentence = "error: Option 'warmth' cannot be 8.0: it must be a number from -5 to 7.5."
    assert " ".join(said.split()) == sentence


def test_options_in_one_text_and_options_left_out():
    from typing import Annotated

    texts = Annotated[Scarf, InOneText("--scarf", "warmth=1 threads=2")]
    assert ran("a", "--scarf", "warmth=1, fringe=no", annotation=texts)[2] == [
        Scarf(warmth=1, fringe=False)
    ]
    code, said, _ = ran("a", "--scarf", "warmth", annotation=texts)
    assert code == 2
    assert "as in 'warmth=1 threads=2', not 'warmth'" in said
    fewer = Annotated[Scarf, Without(("warmth",))]
    assert ran("a", "--ply", "2", annotation=fewer)[2] == [Scarf(threads=2)]
    assert ran("a", "--warmth", "2", annotation=fewer)[0] == 2
    apart = Annotated[Scarf, InOneText("--scarf", "warmth=1", ("threads", "washed", "knot"))]
    words = ("--scarf", "warmth=1 threads=2 knot=loose", "--washed", "1-2")
    assert ran("a", *words, annotation=apart)[2] == [
        Scarf(warmth=1, threads=2, knot="loose", washed=[(1, 2)])
    ]
    assert ran("a", *words, "--ply", "3", "--knot", "tight", annotation=apart)[2] == [
        Scarf(warmth=1, threads=3, washed=[(1, 2)])
    ]
    code, said, _ = ran("a", "--knot", "none", annotation=apart)
    assert code == 2
    assert "'tight' or 'loose'" in said
    assert "knot: tight, loose" in ran("--help", annotation=apart)[1]
