"""Options and settings are one: each field of a dataclass is an option with its type, default and help."""

import argparse
import shlex
from dataclasses import dataclass, fields

import pytest

from edudiff import bench
from edudiff.cli import main_job, options, parser
from edudiff.runs.choices import DEMO, Choices
from edudiff.runs.points import Points
from edudiff.runs.variants import Variants
from edudiff.support.settings import Settings, kinds, setting
from edudiff.support.tables import TextTable


@dataclass(frozen=True, repr=False)
class Mixed(Settings):
    count: int = setting(3, "how many, up to 100 %", least=1, most=1000)
    share: float = setting(0.5, "how much")
    name: str = setting("a", "which", choices=("a", "b"))
    loud: bool = setting(False, "say so")
    side: int | None = setting(None, "how wide", least=1)
    parts: tuple[str, ...] = setting(("x",), "which parts", choices=("x", "y"))
    places: tuple[int, ...] = setting((), "where", least=0)


def parsed(*argv):
    command = argparse.ArgumentParser()
    options.add_options(command, Mixed)
    return options.chosen(Mixed, command.parse_args(argv))


def test_options_of_every_kind_there_and_back():
    assert parsed() == {}
    argv = [
        "--count",
        "4",
        "--share",
        "0.25",
        "--name",
        "b",
        "--loud",
        "--side",
        "7",
        "--parts",
        "x",
        "y",
        "--places",
        "0",
        "2",
    ]
    made = Mixed(**parsed(*argv))
    assert made == Mixed(4, 0.25, "b", True, 7, ("x", "y"), (0, 2))


def test_an_option_of_many_that_is_given_twice_adds_up():
    made = parsed("--places", "0", "--parts", "y", "--places", "2", "5", "--parts", "x")
    assert made == {"places": (0, 2, 5), "parts": ("y", "x")}
    assert parsed("--places", "1") == {"places": (1,)}


def test_what_an_option_takes_is_what_the_dataclass_takes(capsys):
    for argv in (["--name", "c"], ["--parts", "z"], ["--count", "1.5"], ["--share", "much"]):
        with pytest.raises(SystemExit):
            parsed(*argv)
    with pytest.raises(SystemExit):
        parsed("--count", "0")
    with pytest.raises(ValueError, match="count is 0"):
        Mixed(count=0)
    assert "--count is 0, expected an integer >= 1" in capsys.readouterr().err
    with pytest.raises(ValueError, match="count is 1001, expected an integer <= 1,000"):
        Mixed(count=1001)
    assert Mixed(count=1000).count == 1000
    with pytest.raises(TypeError, match=r"parts is 'xy', expected a list, such as \['xy'\]"):
        Mixed(parts="xy")
    with pytest.raises(SystemExit):
        parsed("--help")
    said = capsys.readouterr().out
    assert "how many, up to 100 % (default: 3)" in said and "which parts (default: x)" in said
    assert "how wide\n" in said and "say so\n" in said


def test_a_command_with_usual_values_of_its_own_tells_those_as_its_defaults():
    command = argparse.ArgumentParser()
    options.add_options(command, Mixed, usual=Mixed(count=7, side=9))
    said = command.format_help()
    assert "(default: 7)" in said and "(default: 9)" in said and "(default: 0.5)" in said
    assert options.chosen(Mixed, command.parse_args([])) == {}
    for name, usual in (("demo", DEMO), ("compare", Choices())):
        helps = {action.dest: action.help for action in commands(parser())[name]._actions}
        for choice in ("data", "images", "size", "channels", "train_steps", "batch"):
            assert f"(default: {getattr(usual, choice)})" in helps[choice]
        assert f"(default: {' '.join(usual.denoisers)})" in helps["denoisers"]


def test_settings_say_what_differs_from_the_defaults():
    assert repr(Mixed()) == "Mixed()"
    assert repr(Mixed(side=5, parts=())) == "Mixed(side=5, parts=())"
    assert kinds(Mixed)["side"] == (int, False, True)
    assert kinds(Mixed)["places"] == (int, True, False)


def commands(command):
    """{name: parser} of the commands of a parser."""
    [inner] = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    return inner.choices


def test_every_choice_has_its_option_and_no_command_has_one_of_its_own():
    top = commands(parser())
    inner = commands(top["architecture"])
    own = {"help", "out", "resume", "quick", "denoiser", "checkpoint", "pretrained", "json", "compare", "guidance"}
    for command, settings, names in (
        *((top[name], Choices, names) for name, names in main_job.HAVE.items()),
        (inner["points"], Points, None),
        (inner["faces"], Variants, None),
        (top["bench"], bench.Bench, None),
    ):
        have = {action.dest for action in command._actions} - own
        assert have == ({one.name for one in fields(settings)} if names is None else names)
        assert all(action.help for action in command._actions)
    assert main_job.HAVE["train"] | main_job.HAVE["sample"] | main_job.COMPARING == main_job.ALL


def every_command(command):
    """All commands below a parser, and itself."""
    yield command
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from every_command(inner)


@pytest.mark.parametrize("command", [*every_command(parser())], ids=lambda command: command.prog)
def test_every_help_has_a_description_defaults_and_an_example_that_is_a_command(command):
    assert command.description.endswith(".") and command.description in command.format_help()
    assert command.format_help().endswith(f"example:\n  {command.example}\n")
    assert command.example.startswith(command.prog)
    parser().parse_args(shlex.split(command.example)[1:])
    for action in command._actions:
        if action.option_strings and action.nargs != 0:
            assert "default" in action.help, f"{command.prog} {action.option_strings[0]} does not say what is usual"


def test_options_stand_under_headings(capsys):
    said = commands(parser())["compare"].format_help()
    headings = [f"\n{name}:\n" for name in ("training set", "noise and drawing", "network", "formulas", "machine")]
    assert all(heading in said for heading in headings)
    assert said.index("training set:") < said.index("  --by-class") < said.index("network:\n")


@pytest.mark.parametrize(
    ("text", "said"),
    (
        ("images is 0, expected 1", "--images is 0, expected 1"),
        ("/a has 4 pictures here, but count is 9", "/a has 4 pictures here, but --images is 9"),
        ("window size is 4; or padding='zero'", "--window is 4; or --padding zero"),
        ("by_class is on", "--by-class is on"),
        ("name it with root= or so", "name it with --root or so"),
        ("what size is left, and --data is there", "what size is left, and --data is there"),
    ),
)
def test_errors_are_in_the_words_of_the_command_line(text, said):
    assert options.as_typed(text, Choices) == said
    assert options.as_typed(text, None) == text


def test_a_text_table_keeps_its_columns():
    table = TextTable({"name": "<6", "r": ">6.3f", "a long title": ">.1%", "said": ""})
    assert table.header == "name        r a long title said"
    assert table.row("els", 0.5, 0.25, "more than that") == "els     0.500        25.0% more than that"
    assert table.row("ideal", None, 0.25) == "ideal                25.0%"
    assert repr(table) == "TextTable('name', 'r', 'a long title', 'said')"
