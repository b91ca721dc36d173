"""Functions that modules register with ``atexit`` are called once, whatever ran again meanwhile."""

from __future__ import annotations

import textwrap

import pytest

PROGRAM = """
    import sys
    from pathlib import Path
    from pyautoload import AutoLoader
    from pyautoload.errors import ReloadError

    root = Path("app")
    root.mkdir()
    texts = {texts!r}
    (root / "a.py").write_text(texts[0])
    loader = AutoLoader(root).enable_reloading(watch=False).setup()
    import app.a
    for text in texts[1:]:
        (root / "a.py").write_text(text)
        try:
            result = loader.reload()
            if result.restart_required:
                print("asked")
        except ReloadError:
            print("failed")
"""
FUNCTION = "import atexit\nX = {x}\ndef bye():\n    print('bye', X)\natexit.register(bye)\n"
ARGUMENTS = "import atexit\nX = {x}\ndef bye(word):\n    print(word, X)\natexit.register(bye, 'bye')\n"
DECORATOR = "import atexit\nX = {x}\n@atexit.register\ndef bye():\n    print('bye', X)\n"
METHOD = (
    "import atexit\nX = {x}\nclass K:\n    def bye(self):\n        print('bye', X)\nk = K()\natexit.register(k.bye)\n"
)
LAMBDA = "import atexit\nX = {x}\nbye = lambda: print('bye', X)\natexit.register(bye)\n"


@pytest.fixture
def ends(python):
    """What a program prints at its end, after its module had each of some texts."""

    def run(*texts):
        return python(textwrap.dedent(PROGRAM).format(texts=list(texts))).stdout.splitlines()

    return run


@pytest.mark.parametrize("text", [FUNCTION, ARGUMENTS, DECORATOR, METHOD, LAMBDA])
def test_it_is_called_once(ends, text):
    assert ends(*(text.format(x=x) for x in (1, 2, 3))) == ["bye 3"]


@pytest.mark.parametrize("text", [FUNCTION, ARGUMENTS, DECORATOR, METHOD])
def test_after_a_failure_it_is_called_once(ends, text):
    assert ends(text.format(x=1), text.format(x=2) + "1 / 0\n") == ["failed", "bye 1"]


@pytest.mark.parametrize("text", [FUNCTION, ARGUMENTS, DECORATOR])
def test_a_registration_that_is_gone_is_undone_or_asks(ends, text):
    assert ends(text.format(x=1), "import atexit\nX = 2\n") in ([], ["asked", "bye 1"])


def test_two_registrations_of_one_function_stay_two(ends):
    text = FUNCTION + "atexit.register(bye)\n"
    assert ends(text.format(x=1), text.format(x=2)) == ["bye 2", "bye 2"]


def test_a_method_of_an_object_that_stays_is_called_on_that(ends):
    text = METHOD.replace("class K:", "class K:\n    n = 0").replace("'bye', X", "'bye', X, self.n")
    assert ends(text.format(x=1) + "k.n = 5\n", text.format(x=2) + "k.n = 5\n") == ["bye 2 5"]
