"""Patterns against ``fnmatch`` and ``glob``, which say what they mean."""

from __future__ import annotations

import fnmatch
import glob
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from pyautoload.tree.globs import GlobSet, flattened


def matching(*patterns: str, roots: tuple[str, ...] = ("/r",)) -> GlobSet:
    globs = GlobSet()
    globs.add(patterns)
    globs.use_roots(roots)
    return globs


names = st.text("ab.[]!^-*?x\\", min_size=1, max_size=6).filter(lambda name: name not in (".", ".."))
plain_names = st.text("abc.", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))


@given(names, plain_names)
def test_one_component_matches_as_fnmatch_has_it(pattern, name):
    assert matching("/r/" + pattern).matches("/r/" + name) == fnmatch.fnmatchcase(name, pattern)


@given(st.text("ab", min_size=1, max_size=3), st.text("ab*?", min_size=1, max_size=4))
def test_a_bare_pattern_matches_any_component(name, pattern):
    globs = matching(pattern)

    assert globs.matches(f"/r/x/y/{name}") == fnmatch.fnmatchcase(name, pattern)


def test_a_star_stays_within_a_component():
    globs = matching("/r/*/c")

    assert globs.matches("/r/a/c")
    assert not globs.matches("/r/a/b/c")
    assert not globs.matches("/r/c")


def test_a_double_star_matches_any_number_of_directories():
    globs = matching("/r/**/c")

    assert globs.matches("/r/c")
    assert globs.matches("/r/a/c")
    assert globs.matches("/r/a/b/c")
    assert not globs.matches("/r/a/b/cc")


def test_a_double_star_at_the_end_matches_all_below():
    globs = matching("/r/a/**")

    assert globs.matches("/r/a/b")
    assert globs.matches("/r/a/b/c")
    assert not globs.matches("/r/ab")


def test_matching_one_path_does_not_match_what_lies_in_it():
    assert not matching("/r/a").matches("/r/a/b")


def test_special_characters_of_a_root_are_taken_as_themselves():
    globs = matching("x/*.py", roots=("/r[1]",))

    assert globs.matches("/r[1]/x/a.py")
    assert not globs.matches("/r1/x/a.py")


def test_special_characters_of_the_working_directory_are_taken_as_themselves(tmp_path, monkeypatch):
    here = tmp_path / "a[b]c*"
    here.mkdir()
    monkeypatch.chdir(here)
    globs = matching("x/*.py")

    assert globs.matches(str(here / "x" / "a.py"))


def test_dots_in_a_pattern_are_resolved():
    globs = matching("./a/../b/*.py")

    assert globs.matches("/r/b/x.py")
    assert not globs.matches("/r/a/x.py")


def test_a_regular_expression_is_not_meant():
    globs = matching("a.b", "a+", "(x)", "$y")

    assert not globs.matches("/r/acb")
    assert not globs.matches("/r/aa")
    assert globs.matches("/r/a+")
    assert globs.matches("/r/(x)")
    assert globs.matches("/r/$y")


def test_a_bare_pattern_does_not_match_the_root_itself():
    assert not matching("r").matches("/r")
    assert matching("r").matches("/r/r")


def test_roots_that_come_later_count():
    globs = matching("x/y", roots=())
    assert not globs.matches("/s/x/y")
    globs.use_roots(["/s"])
    assert globs.matches("/s/x/y")


def test_patterns_that_come_later_count():
    globs = matching("a")
    assert not globs.matches("/r/b")
    globs.add(["b"])
    assert globs.matches("/r/b")


def test_nothing_matches_an_empty_set():
    assert not GlobSet().matches("/anything")
    assert not GlobSet()


def test_flattened_takes_all_forms(tmp_path):
    assert flattened(["a", tmp_path, ["b", tmp_path], ("c",), iter(["d"])]) == ["a", tmp_path, "b", tmp_path, "c", "d"]


parts = st.sampled_from(["a", "b", "ab", "c.py"])
pattern_parts = st.sampled_from(["a", "b", "*", "**", "a*", "?", "[ab]", "[!a]", "*.py"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(parts, min_size=1, max_size=4), max_size=6), st.lists(pattern_parts, min_size=1, max_size=4))
def test_rooted_patterns_match_what_glob_finds(tmp_path_factory, layout, pattern):
    base = tmp_path_factory.mktemp("tree")
    for names in layout:
        base.joinpath(*names).mkdir(parents=True, exist_ok=True)
    text = os.sep.join(pattern)
    everything = {os.path.join(here, name) for here, dirs, files in os.walk(base) for name in [*dirs, *files]}
    if pattern[-1] == "**":
        text = os.path.join(text, "*")  # what lies in a directory, not the directory itself
    expected = {os.path.normpath(path) for path in glob.glob(os.path.join(str(base), text), recursive=True)}
    globs = matching(os.path.join(str(base), *pattern), roots=(str(base),))

    assert {path for path in everything if globs.matches(path)} == expected - {str(base)}
