"""A root never hides, replaces or grafts itself onto a package of Python or of others; portions of namespaces join."""

from __future__ import annotations

import pytest

from pyautoload import AutoLoader, ConflictError
from pyautoload.checking import find_problems

PACKAGES = ["email", "json", "http", "logging", "asyncio", "xml", "unittest"]
MODULES = ["code", "platform", "time", "types", "secrets"]


def installed(tree, files):
    """Make files in a directory that looks like one for installed distributions; its path."""
    return tree({f"lib/site-packages/{name}": text for name, text in files.items()}) / "lib/site-packages"


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("name", [*PACKAGES, *MODULES])
def test_a_root_called_like_one_of_pythons_is_refused(python, tree, name, imported):
    tree({f"{name}/templates.py": "class Templates: ..."})
    code = f"""
        import sys
        sys.path = [entry for entry in sys.path if entry]
        from pyautoload import AutoLoader, ConflictError
        if {imported}:
            import {name}
        try:
            AutoLoader({name!r}).setup()
        except ConflictError as error:
            print(error)
        import {name}, smtplib, urllib.request
        print(hasattr({name}, "templates"), hasattr({name}, "Templates"))
    """
    told, after = python(code).stdout.splitlines()
    assert f"stands for the namespace '{name}'" in told
    assert f'top_level="{name}"' in told
    assert after == "False False"
    problems = [p for p in find_problems(AutoLoader(name), static=True) if p.kind == "conflict"]
    assert [problem.message in told for problem in problems] == [True]


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("how", ["package", "module"])
def test_a_root_called_like_an_installed_package_is_refused(tree, monkeypatch, how, imported):
    file = "billing/__init__.py" if how == "package" else "billing.py"
    site = installed(tree, {file: "NAME = 'installed'"})
    tree({"src/billing/invoice.py": "class Invoice: ..."})
    monkeypatch.syspath_prepend(str(site))
    if imported:
        __import__("billing")

    with pytest.raises(ConflictError, match=r"site-packages.billing") as caught:
        AutoLoader("src/billing").setup()
    assert 'top_level="billing"' in str(caught.value)
    assert __import__("billing").NAME == "installed"
    assert not hasattr(__import__("billing"), "Invoice")
    problems = find_problems(AutoLoader("src/billing"), static=True)
    assert [problem.kind for problem in problems] == ["conflict"]


def test_a_root_that_says_so_is_added_to_an_installed_package(tree, monkeypatch):
    site = installed(tree, {"billing/__init__.py": "NAME = 'installed'"})
    tree({"src/billing/invoice.py": "class Invoice: ..."})
    monkeypatch.syspath_prepend(str(site))
    AutoLoader("src/billing", top_level="billing").setup()

    billing = __import__("billing")
    assert (billing.NAME, billing.Invoice.__name__) == ("installed", "Invoice")


def test_an_installed_package_manages_itself(tree, monkeypatch):
    site = installed(tree, {"billing/__init__.py": "", "billing/invoice.py": "class Invoice: ..."})
    monkeypatch.syspath_prepend(str(site))

    AutoLoader(site / "billing").setup()
    assert __import__("billing").Invoice.__name__ == "Invoice"


def test_a_copy_beside_the_root_is_nobody_elses(tree, monkeypatch):
    base = tree({"shop/__init__.py": "", "shop/cart.py": "class Cart: ..."})
    monkeypatch.syspath_prepend(str(base))
    __import__("shop")
    AutoLoader("shop").setup()
    assert __import__("shop").Cart.__name__ == "Cart"


# Namespace packages (PEP 420)

PORTIONS = {
    "corp/db/__init__.py": "NAME = 'db'",
    "corp/web/extra.py": "NAME = 'extra'",
    "corp/mail/sender.py": "NAME = 'sender'",
}


@pytest.mark.parametrize("before", ["nothing", "corp", "corp.db", "corp.web.extra"])
@pytest.mark.parametrize("explicit", [False, True])
def test_portions_join_whatever_was_imported_first(python, tree, before, explicit):
    installed(tree, PORTIONS)
    tree({"src/corp/web/page.py": "class Page: ...", "src/corp/own.py": "class Own: ..."})
    code = f"""
        import sys, importlib
        sys.path.append("lib/site-packages")
        if {before!r} != "nothing":
            importlib.import_module({before!r})
        from pyautoload import AutoLoader
        AutoLoader("src/corp", {"top_level='corp'" if explicit else ""}).setup()
        import corp, corp.db, corp.web.extra, corp.mail.sender
        from corp.web import Page
        print(corp.Own.__name__, corp.db.NAME, corp.web.extra.NAME, corp.mail.sender.NAME, corp.web.page.Page is Page)
    """
    assert python(code).stdout == "Own db extra sender True\n"


def test_what_is_ours_comes_first(python, tree):
    installed(tree, {"corp/db/__init__.py": "NAME = 'db'", "corp/own.py": "raise RuntimeError"})
    tree({"src/corp/own.py": "class Own: ..."})
    code = """
        import sys
        sys.path.append("lib/site-packages")
        from pyautoload import AutoLoader
        AutoLoader("src/corp").setup().eager_load()
        import corp.own, corp.db
        print(corp.own.Own.__name__, corp.db.NAME)
    """
    assert python(code).stdout == "Own db\n"
