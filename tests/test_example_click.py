"""The example of a command line tool: a command is loaded when it is run, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import copied, ran

pytest.importorskip("click", reason="click is not installed")


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_text("to be or not to be", encoding="utf-8")
    return copied("click_tool", tmp_path)


def words(tool: Path, *arguments: str) -> str:
    return ran(tool, "main.py", *arguments, COLUMNS="100").stdout


def test_commands_do_what_they_say(tool: Path) -> None:
    assert words(tool, "count", "../text.txt") == "6 words\n"
    assert words(tool, "top", "../text.txt", "--number", "2").split() == ["2", "to", "2", "be"]


def test_help_shows_every_command_and_loads_none(tool: Path) -> None:
    for command in ("count", "top", "chart"):
        file = tool / f"words/commands/{command}.py"
        file.write_text(file.read_text(encoding="utf-8") + "\n1 / 0\n", encoding="utf-8")
    shown = words(tool, "--help")
    assert "Count the words of a file." in shown
    assert "Show the words that occur most often." in shown


def test_a_command_loads_only_what_it_needs(tool: Path) -> None:
    code = (
        "import sys, main\n"
        "sys.argv = ['words', 'count', '../text.txt']\n"
        "try:\n    main.main()\n"
        "except SystemExit:\n    print('rich' in sys.modules, *main.loader.loaded())"
    )
    loaded = ran(tool, "-c", code).stdout.splitlines()[-1].split()
    assert loaded[0] == "False"
    assert {"words.commands.count", "words.text"} <= set(loaded)
    assert not {"words.commands.top", "words.commands.chart"} & set(loaded)


def test_a_new_file_is_a_new_command(tool: Path) -> None:
    source = (tool / "words/commands/count.py").read_text(encoding="utf-8")
    new = source.replace("Count the words", "Count the letters").replace(
        "len(Text(file.read()).words)} words", "sum(map(len, Text(file.read()).words))} letters"
    )
    (tool / "words/commands/letters.py").write_text(new, encoding="utf-8")
    assert "Count the letters of a file." in words(tool, "--help")
    assert words(tool, "letters", "../text.txt") == "13 letters\n"


def test_a_command_that_is_not_there_is_an_error_of_usage(tool: Path) -> None:
    assert "No such command 'nothing'" in ran(tool, "main.py", "nothing", expect=2).stderr
