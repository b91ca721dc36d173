"""What ``from pyautoload import AutoLoader`` brings in: nothing that takes long to import and is needed later only."""

from __future__ import annotations

LATER = {
    "re",
    "enum",
    "fnmatch",
    "inflection",
    "unicodedata",
    "struct",
    "contextlib",
    "typing",
    "dataclasses",
    "inspect",
}
LATER |= {"ast", "opcode", "dis", "watchdog", "pyautoload.lazy.imports", "pyautoload.reloading", "pyautoload.serving"}


def test_the_loader_is_imported_without_what_is_needed_later(python):
    code = """
        import sys
        before = set(sys.modules)
        from pyautoload import AutoLoader
        print(*sorted(set(sys.modules) - before))
        """
    assert LATER.isdisjoint(python(code, "-S").stdout.split())


def test_a_loader_that_is_set_up_and_loads_by_module_name_needs_no_more(tree, python):
    tree({"app/user_name.py": "class UserName: ..."})
    code = """
        import sys
        from pyautoload import AutoLoader
        AutoLoader("app").setup()
        import app.user_name
        print(app.user_name.UserName.__name__, *sys.modules)
        """
    name, *modules = python(code, "-S").stdout.split()
    assert name == "UserName"
    assert {"re", "enum", "fnmatch", "inflection", "typing", "dataclasses"}.isdisjoint(modules)
