"""The hand-made reader of plain statements agrees with the compiler's parser."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis")

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyautoload.lazy.export_statements import BadStatement, _from_tree, _plain, parsed

WORDS = [
    "from",
    "import",
    "as",
    ".",
    "..",
    ".a",
    "a.b",
    "a..b",
    "a",
    "b",
    "class",
    "None",
    "match",
    "é",
    ",",
    "*",
    "(",
    ")",
    ";",
    "#",
    "\\",
    "x",
    "1",
    '"',
    "=",
    "lambda",
]
SPACES = ["\n", "\n    ", "\t", " ", "\f", "\r", "\0"]
TAILS = st.lists(st.sampled_from(WORDS + SPACES), max_size=14).map(" ".join) | st.text(max_size=30)


@pytest.mark.filterwarnings("ignore:.*invalid escape")
@settings(max_examples=1000, deadline=None)
@given(TAILS)
@example("x \n #")
@example("x \n # y")
def test_whatever_is_read_by_hand_the_parser_reads_alike(tail):
    after_another = f"\n    from .a import b\n    from .c import {tail}"
    for text in (tail, f"from .a import {tail}", f"from {tail} import a", after_another):
        plain = _plain(text)
        assert plain is None or plain == list(_from_tree(text))


@pytest.mark.filterwarnings("ignore:.*invalid escape")
@settings(max_examples=1000, deadline=None)
@given(TAILS)
def test_any_text_gives_exports_or_a_bad_statement(text):
    try:
        found = parsed(text, "pkg.sub")
    except BadStatement:
        return
    assert all(name.isidentifier() for name in found)
