"""Files and directories that import-time code itself makes, changes or deletes cause no reload by themselves."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import itertools

import pytest
from reload_app import app  # noqa: F401

from pyautoload.serving.wsgi import ReloadMiddleware

HEAD = "import itertools, json, os, pathlib, shutil, sqlite3, time\nHERE = pathlib.Path(__file__).parent\n"

# What a module does whenever it is imported.
DOINGS = {
    "clears and makes a directory": """
        shutil.rmtree(HERE / "cache", ignore_errors=True)
        (HERE / "cache").mkdir()
    """,
    "clears a directory by its relative path and fills it": """
        where = os.path.relpath(HERE / "cache")
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(where + "/deep/down")
        open(where + "/deep/down/x.json", "w").close()
    """,
    "reads and writes a file": """
        path = HERE / "cache.json"
        runs = json.loads(path.read_text()) if path.exists() else []
        path.write_text(json.dumps([*runs, time.time_ns()]))
    """,
    "writes a file anew by way of another one": """
        path = HERE / "state.txt"
        before = path.read_text() if path.exists() else ""
        (HERE / "state.tmp").write_text(before + "x")
        os.replace(HERE / "state.tmp", path)
    """,
    "appends to what it reads": """
        with open(HERE / "visits.txt", "a+") as file:
            file.seek(0)
            COUNT = len(file.read())
            file.write("x")
    """,
    "touches what it reads": """
        path = HERE / "stamp"
        path.touch()
        path.read_text()
    """,
    "deletes what it reads": """
        path = HERE / "lock"
        path.write_text("1")
        path.read_text()
        path.unlink()
    """,
    "has a database": """
        if (HERE / "app.db").exists():
            (HERE / "app.db").read_bytes()
        with sqlite3.connect(HERE / "app.db") as database:
            database.execute("create table if not exists t (x)")
            database.execute("insert into t values (1)")
        database.close()
    """,
    "links": """
        (HERE / "current").unlink(missing_ok=True)
        (HERE / "current").symlink_to(HERE / "other")
    """,
    "writes a package of code that nobody imports": """
        shutil.rmtree(HERE / "generated", ignore_errors=True)
        (HERE / "generated").mkdir()
        (HERE / "generated" / "models.py").write_text(f"STAMP = {time.time_ns()}\\n")
    """,
    "writes code and imports it": """
        (HERE / "made.py").write_text("VALUE = 1\\n")
        from APP import made
    """,
    "writes other code each time and imports it": """
        (HERE / "made.py").write_text(f"VALUE = {time.time_ns()}\\n")
        from APP.made import VALUE
    """,
    "writes what another module reads, and uses that": """
        from APP import other
        (HERE / "shared.json").write_text(str(time.time_ns()))
        VALUE = other.VALUE
    """,
}
OTHER = "import pathlib\npath = pathlib.Path(__file__).with_name('shared.json')\n"
OTHER += "VALUE = path.read_text() if path.exists() else None\n"


def text_of(doing: str, body: int) -> str:
    lines = "\n".join(line.removeprefix("        ") for line in doing.splitlines())
    return f"{HEAD}{lines}\ndef f():\n    return {body}\n"


@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS)
def test_what_a_module_does_to_files_reloads_nothing_for_ever(app, doing):
    a = app({"other.py": OTHER, "busy.py": text_of(doing, 1)})
    a("busy")
    # At most one reload follows, of others that use what was written: then there is quiet.
    a.quiet(1.5)
    assert len(a.results) <= 1
    # An edit of the module itself is applied as ever, with whatever it writes then.
    a.edit("busy.py", text_of(doing, 2).replace("HERE =", "NEW = 1\nHERE ="))
    assert a.settled(lambda: a("busy").f() == 2)
    a.quiet(1)
    assert len(a.results) <= 3
    assert a.quiet(1)


@pytest.mark.parametrize("doing", [doing for doing in DOINGS.values() if "with " not in doing])
def test_what_making_the_application_does_to_files_reloads_nothing_for_ever(app, doing):
    lines = "\n".join(f"    {line.strip()}" if line.strip() else "" for line in doing.splitlines())
    factory = f"{HEAD}MADE = []\ndef create_app():\n{lines}\n    MADE.append(1)\n    return lambda environ, start: []\n"
    a = app({"other.py": OTHER, "web.py": factory})
    a("web")
    middleware = ReloadMiddleware(f"{a.name}.web:create_app()", a.loader)  # the loader does not keep it alive
    a.quiet(0.7)
    assert len(a.results) <= 1
    a.edit("web.py", factory.replace("MADE.append(1)", "MADE.append(2)"))
    assert a.settled(lambda: 2 in a("web").MADE)
    a.quiet(0.7)
    assert len(a.results) <= 3
    assert a.quiet(0.7)
    assert a("web").MADE.count(2) <= 2
    assert middleware.outcome.failure is None


def test_a_file_that_the_program_wrote_and_somebody_edits_counts(app):
    doing = DOINGS["reads and writes a file"].replace("time.time_ns()", "1")
    a = app({"busy.py": text_of(doing, 1) + "RUNS = runs\n", "cache.json": "[1]"})
    assert a("busy").RUNS == [1]
    assert a.quiet(0.5)
    a.after(lambda: (a.root / "cache.json").write_text("[7]"))
    assert a.settled(lambda: a("busy").RUNS == [7])
    assert a.quiet(0.5)


def test_another_module_that_reads_what_was_written_is_reloaded(app):
    writer = "import pathlib\npathlib.Path(__file__).with_name('shared.json').write_text('{}')\n"
    a = app({"other.py": OTHER, "writer.py": writer.format("one")})
    a("writer")
    other = a("other")
    assert other.VALUE == "one"
    a.edit("writer.py", writer.format("two"))
    assert a.settled(lambda: other.VALUE == "two")


def test_the_same_content_written_again_reloads_nobody(app):
    writer = "import pathlib\npathlib.Path(__file__).with_name('shared.json').write_text('one')\nX = {}\n"
    counts = itertools.count()
    a = app({"other.py": OTHER + "MARK = object()\n", "writer.py": writer.format(next(counts))})
    a("writer")
    mark = a("other").MARK
    for _ in range(3):
        a.edit("writer.py", writer.format(next(counts)))
        a.quiet(0.3)
    assert a("other").MARK is mark
