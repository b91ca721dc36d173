"""Stems to names: the inflector alone, rules given to a loader, acronyms, and inflectors of the user's own."""

from __future__ import annotations

import keyword
import os
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pyautoload import AutoLoader, ExpectedNameError, Inflector, NameInflectionError, SetupError
from pyautoload.tree.inflector import PackageInflector, checked_name, folded, normalized

words = st.text(string.ascii_lowercase, min_size=1, max_size=8)
stems = st.lists(words, min_size=1, max_size=5).map("_".join)


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("user", "User"),
        ("html_parser", "HtmlParser"),
        ("users_controller", "UsersController"),
        ("point_3d_value", "Point3dValue"),
        ("point3d", "Point3d"),
        ("x", "X"),
        ("a_b_c", "ABC"),
        ("_private", "_Private"),
        ("__very_private", "__VeryPrivate"),
        ("trailing_", "Trailing_"),
        ("_", "_"),
        ("__", "__"),
        ("double__underscore", "DoubleUnderscore"),
        ("UserModel", "UserModel"),
        ("HTML", "HTML"),
    ],
)
def test_a_stem_gives_a_name(stem, name):
    assert Inflector().camelize(stem, "/x.py") == name


@given(stems)
def test_camelizing_keeps_letters_and_their_order(stem):
    name = Inflector().camelize(stem, "")

    assert folded(name) == folded(stem)
    assert name[0].isupper()
    assert "_" not in name


@given(stems)
def test_the_candidate_of_an_inflected_stem_is_that_stem_where_words_have_two_letters(stem):
    assume(all(len(word) > 1 for word in stem.split("_")))
    inflector = Inflector()

    assert stem in inflector.candidates(inflector.camelize(stem, ""))


@given(st.text("ab_1Z", min_size=1, max_size=12))
def test_any_identifier_gives_a_name_that_a_second_pass_leaves_alone(stem):
    assume(stem.isidentifier())
    name = Inflector().camelize(stem, "")

    assert name.isidentifier() or not name.strip("_")
    if "_" not in name.strip("_"):
        assert Inflector().camelize(name, "") == name


@given(stems)
def test_any_stem_can_be_asked_for_through_a_namespace(stem):
    # What the namespace does to find the stem of a name: exact, then with case and underscores set aside.
    assert folded(Inflector().camelize(stem, "")) == folded(stem)


@given(st.text(min_size=1, max_size=6))
def test_a_checked_name_is_a_name_or_an_error(stem):
    try:
        name = checked_name(Inflector(), normalized(stem), "/x.py")
    except NameInflectionError:
        return
    assert name.isidentifier()
    assert not keyword.iskeyword(name)


def test_rules_are_for_whole_stems_and_add_up():
    inflector = Inflector({"html_parser": "HTMLParser"})
    inflector.inflect({"api": "API"})
    inflector.inflect({"api": "Api2"})

    assert inflector.camelize("html_parser", "") == "HTMLParser"
    assert inflector.camelize("api", "") == "Api2"
    assert inflector.camelize("html_parser_test", "") == "HtmlParserTest"


def test_a_rule_gives_a_file_its_name(autoload):
    loader = autoload(
        {"app/html_parser.py": "class HTMLParser: pass", "app/mysql.py": "class MySQL: pass"},
        configure=lambda loader: loader.inflect({"html_parser": "HTMLParser"}).inflect({"mysql": "MySQL"}),
    )
    import app

    assert app.HTMLParser.__module__ == "app.html_parser"
    assert app.MySQL.__module__ == "app.mysql"
    assert loader.expected_name("app/mysql.py") == "app.MySQL"


def test_a_rule_does_not_hold_for_other_loaders(tree):
    root = tree({"one/api.py": "class API: pass", "two/api.py": "class Api: pass"})
    one, two = AutoLoader("one").inflect({"api": "API"}).setup(), AutoLoader("two").setup()

    assert one.expected_name(root / "one/api.py") == "one.API"
    assert two.expected_name(root / "two/api.py") == "two.Api"


def test_a_rule_may_name_what_no_inflection_would(autoload):
    autoload({"app/people.py": "class Person: pass"}, configure=lambda loader: loader.inflect({"people": "Person"}))
    import app

    assert app.Person.__module__ == "app.people"
    assert not hasattr(app, "People")


def test_a_rule_may_give_a_lower_case_name(autoload):
    autoload({"app/slugs.py": "def slugify(): return 1"}, configure=lambda loader: loader.inflect({"slugs": "slugify"}))
    import app

    assert app.slugify() == 1


@pytest.mark.parametrize(
    ("stem", "name"),
    [("html_parser", "HTMLParser"), ("mysql_client", "MySQLClient"), ("io", "IO"), ("uuid4_field", "UUID4Field")],
)
def test_acronyms_need_no_rule(autoload, stem, name):
    autoload({f"app/{stem}.py": f"class {name}: pass"})
    import app

    assert getattr(app, name).__module__ == f"app.{stem}"


def test_an_exact_match_comes_before_an_acronym(autoload):
    autoload(
        {
            "app/html_parser.py": "class HTMLParser: pass",
            "app/htmlparser.py": "class Htmlparser: pass",
        }
    )
    import app

    assert app.Htmlparser.__module__ == "app.htmlparser"
    assert app.HTMLParser.__module__ == "app.html_parser"


def test_a_rule_comes_before_an_acronym(autoload):
    autoload(
        {"app/a_b.py": "class AB: at = 'a_b'", "app/ab.py": "class AB: at = 'ab'"},
        configure=lambda loader: loader.inflect({"ab": "AB", "a_b": "Other"}),
    )
    import app

    assert app.AB.at == "ab"


def test_an_acronym_is_found_and_remembered(autoload):
    autoload({"app/html_parser.py": "class HTMLParser: pass"})
    import app

    first = app.HTMLParser
    assert vars(app)["HTMLParser"] is first


def test_an_acronym_is_bound_when_its_module_is_imported_otherwise(autoload):
    autoload({"app/html_parser.py": "class HTMLParser: pass"})
    import app
    import app.html_parser

    assert vars(app)["HTMLParser"] is app.html_parser.HTMLParser


@pytest.mark.lazy
def test_the_wrong_spelling_of_an_acronym_is_told_what_there_is(autoload):
    autoload({"app/html_parser.py": "class HTMLParser: pass"})
    import app

    with pytest.raises(ExpectedNameError, match="HTMLParser") as caught:
        app.HtmlParser  # noqa: B018
    assert "HTMLParser" in caught.value.defined


def test_hasattr_with_a_loose_match_that_defines_no_such_name_is_false(autoload):
    autoload({"app/html_parser.py": "class HtmlParser: pass"})
    import app

    assert not hasattr(app, "HTMLparser")


def test_an_inflector_of_the_users_own(autoload):
    class Shouting:
        def camelize(self, stem, path):
            return stem.upper()

    loader = autoload({"app/user.py": "class USER: pass"}, inflector=Shouting())
    import app

    assert app.USER.__module__ == "app.user"
    assert loader.expected_name("app/user.py") == "app.USER"


def test_an_inflector_is_told_stem_and_path(autoload, tmp_path):
    seen = set()

    class Noting(Inflector):
        def camelize(self, stem, path):
            seen.add((stem, path))
            return super().camelize(stem, path)

    autoload({"app/deep/user.py": "class User: pass"}, inflector=Noting())
    import app

    assert app.deep.User
    assert ("user", str(tmp_path / "app" / "deep" / "user.py")) in seen
    assert all(os.path.isabs(path) and not path.endswith(os.sep) for _, path in seen)


def test_a_subclass_of_the_inflector_decides_names(autoload):
    class Prefixing(Inflector):
        def camelize(self, stem, path):
            return "My" + super().camelize(stem, path)

    autoload({"app/user.py": "class MyUser: pass"}, inflector=Prefixing())
    import app

    assert app.MyUser.__module__ == "app.user"


def test_an_inflector_that_returns_no_string_is_told(autoload):
    class Wrong:
        def camelize(self, stem, path):
            return 5

    loader = autoload({"app/user.py": ""}, inflector=Wrong())

    with pytest.raises(TypeError, match="string"):
        loader.expected_name("app/user.py")


@pytest.mark.parametrize("name", ["A.B", "1a", "", "class", "a b"])
def test_an_inflector_that_returns_no_name_is_told(autoload, name):
    class Wrong:
        def camelize(self, stem, path):
            return name

    loader = autoload({"app/user.py": ""}, inflector=Wrong())

    with pytest.raises(NameInflectionError, match="inflect") as caught:
        loader.expected_name("app/user.py")
    assert caught.value.name == name
    assert caught.value.path.endswith("user.py")


def test_inflect_needs_an_inflector_that_takes_rules(tree):
    class Plain:
        def camelize(self, stem, path):
            return stem

    with pytest.raises(SetupError, match="inflect"):
        AutoLoader(inflector=Plain()).inflect({"a": "A"})


@pytest.mark.parametrize("mapping", [{1: "A"}, {"a": 1}, {"a": None}])
def test_rules_are_strings(mapping):
    with pytest.raises(SetupError, match="strings"):
        AutoLoader().inflect(mapping)


@pytest.mark.parametrize("stem", ["class", "my-file", "2fast", "with space", "a.b", "import"])
def test_a_stem_that_is_no_identifier_is_reported_with_the_remedies(autoload, stem):
    loader = autoload({f"app/{stem}.py": "", "app/user.py": ""})

    with pytest.raises(NameInflectionError, match="Rename it, ignore it") as caught:
        loader.expected_name(f"app/{stem}.py")
    assert caught.value.path.endswith(f"{stem}.py")


@pytest.mark.parametrize("stem", ["my-file", "2fast", "class"])
def test_such_a_stem_disturbs_nothing_else(autoload, stem):
    autoload({f"app/{stem}.py": "", "app/user.py": "class User: pass"})
    import app

    assert app.User
    assert not hasattr(app, "Nope")
    assert dir(app)


def test_a_rule_makes_a_keyword_usable(autoload):
    autoload({"app/import.py": "class Importer: pass"}, configure=lambda loader: loader.inflect({"import": "Importer"}))
    import app

    assert app.Importer.__module__ == "app.import"


def test_the_package_inflector_knows_the_version_file():
    inflector = PackageInflector("/pkg/version.py")

    assert inflector.camelize("version", "/pkg/version.py") == "VERSION"
    assert inflector.camelize("version", "/pkg/sub/version.py") == "Version"
    assert inflector.camelize("user", "/pkg/user.py") == "User"
    inflector.inflect({"version": "Other"})
    assert inflector.camelize("version", "/pkg/version.py") == "Other"
