"""The plugin host and the SQLite source of the examples, run as their users would run them."""

import subprocess
import sys
from pathlib import Path

import pytest

import pyautoload

EXAMPLES = Path(__file__).parent.parent / "examples"


def _run(script, tmp_path):
    source = str(Path(pyautoload.__file__).parent.parent)
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": source, "PATH": ""},
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture
def output(tmp_path):
    return _run("plugins/host.py", tmp_path)


def test_plugins_are_known_before_any_is_loaded(output):
    assert output[0] == "available: plugins.Broken, plugins.Greet, plugins.Shout, plugins.export.AsCsv"
    assert output[1] == "loaded so far: []"


def test_a_plugin_is_loaded_with_what_it_needs_and_no_more(output):
    assert output[2] == "HELLO, WORLD!"
    assert output[3] == "loaded now: ['plugins', 'plugins.greet', 'plugins.shout']"


def test_a_namespace_of_plugins_is_loaded_as_a_whole(output):
    assert output[4] == "the export plugins: ['plugins.export', 'plugins.export.as_csv']"


def test_a_broken_plugin_does_not_stop_the_others(output):
    assert output[5] == "what failed: {'plugins.broken': 'this plugin needs a licence'}"


def test_one_plugin_is_unloaded_and_loaded_again(output):
    assert output[6] == "Hello, again!"
    assert output.index("unloaded plugins.Greet") < len(output) - 1 - output[::-1].index("loaded plugins.Greet")
    assert "unloaded plugins.Shout" not in output


def test_modules_come_from_a_database(tmp_path):
    lines = _run("sqlite_source/sqlite_source.py", tmp_path)
    assert lines[0] == "from the database"
    assert lines[1] == "<class 'shop.guest.Guest'>"
    assert lines[2] == "['shop', 'shop.models', 'shop.user', 'shop.models.order', 'shop.guest']"
