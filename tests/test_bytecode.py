"""Bytecode caches are read and written as Python does it, and never make old code run."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import stat
import sys
import time
from pathlib import Path

import pytest

SETUP = "from pyautoload import AutoLoader\nloader = AutoLoader('app').setup()\n"
FILES = {"app/__init__.py": "", "app/user.py": "class User:\n    '''Doc.'''\n    word = 'old'\n    assert True\n"}
SHOW = "import app.user\nprint(app.user.User.word)\n"
TAG = sys.implementation.cache_tag

WAYS = {"lazy": SHOW, "eager": "loader.eager_load()\n" + SHOW}


def caches(root):
    """Relative path → content of every bytecode file."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.pyc"))}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.mark.parametrize("options", [(), ("-O",), ("-OO",)])
def test_the_same_files_with_the_same_content_are_written(python, tree, way, options):
    root = tree(FILES)
    python(SHOW, *options)
    stock = caches(root)
    for name in stock:
        os.remove(root / name)

    python(SETUP + way, *options)

    assert caches(root) == stock
    assert len(stock) == 2


def test_a_cache_that_python_wrote_is_used_and_left_alone(python, tree, way, age):
    root = tree(FILES)
    age(root / "app" / "user.py")
    python(SHOW)
    path = root / "app" / "__pycache__" / f"user.{TAG}.pyc"
    plant(path, root / "app/user.py", "planted")
    before = path.stat().st_mtime_ns
    assert python(SETUP + way).stdout == "planted\n"
    assert path.stat().st_mtime_ns == before


def plant(path, source, word, *, flags=b"\0\0\0\0", body=None):
    """Write a cache file that is valid by its header and holds other code than the source, to see if it is used."""
    import marshal

    status = os.stat(source)
    code = compile(f"class User:\n    word = {word!r}\n", str(source), "exec")
    stamp = int(status.st_mtime).to_bytes(4, "little") + status.st_size.to_bytes(4, "little")
    if flags[0]:
        stamp = importlib.util.source_hash(Path(source).read_bytes())
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(importlib.util.MAGIC_NUMBER + flags + stamp + (marshal.dumps(code) if body is None else body))


def test_no_cache_is_written_where_python_was_told_so(python, tree, way):
    root = tree(FILES)
    python(SETUP + way, "-B")
    python(SETUP + way, PYTHONDONTWRITEBYTECODE="1")
    python("import sys; sys.dont_write_bytecode = True\n" + SETUP + way)
    assert caches(root) == {}


def test_the_prefix_for_caches_is_respected(python, tree, way, tmp_path_factory):
    root, elsewhere = tree(FILES), tmp_path_factory.mktemp("caches")
    python(SHOW, PYTHONPYCACHEPREFIX=str(elsewhere))
    # The standard library's are there, too, and of no interest.
    stock = {name: data for name, data in caches(elsewhere).items() if str(root).lstrip(os.sep) in name}
    for name in stock:
        os.remove(elsewhere / name)

    python(SETUP + way, PYTHONPYCACHEPREFIX=str(elsewhere))

    ours = caches(elsewhere)
    assert {name: ours[name] for name in stock} == stock
    assert caches(root) == {}


def test_a_prefix_that_is_set_late_is_respected(python, tree, tmp_path_factory):
    root, elsewhere = tree(FILES), tmp_path_factory.mktemp("caches")
    python(SETUP + f"import sys; sys.pycache_prefix = {str(elsewhere)!r}\n" + SHOW + "print(app.user.__spec__.cached)")
    assert caches(root) == {}
    assert any("user" in name for name in caches(elsewhere))


@pytest.mark.parametrize("policy", ["default", "always", "never"])
@pytest.mark.parametrize("mode", ["CHECKED_HASH", "UNCHECKED_HASH"])
def test_caches_that_are_validated_by_hash_follow_the_policy(python, tree, way, mode, policy):
    root = tree(FILES)
    py_compile.compile(
        str(root / "app/user.py"), invalidation_mode=getattr(py_compile.PycInvalidationMode, mode), doraise=True
    )
    tree({"app/user.py": FILES["app/user.py"].replace("old", "new")})
    options = ("--check-hash-based-pycs", policy)
    saved = caches(root)
    stock = python(SHOW, *options).stdout
    for name, data in saved.items():
        (root / name).write_bytes(data)
    assert python(SETUP + way, *options).stdout == stock


def test_an_edited_file_is_compiled_again_and_the_cache_replaced(python, tree, way):
    root = tree(FILES)
    python(SETUP + way)
    before = caches(root)
    tree({"app/user.py": FILES["app/user.py"].replace("old", "newer")})
    assert python(SETUP + way).stdout == "newer\n"
    assert caches(root) != before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:7],
        lambda data: data[:16],
        lambda data: data[:-10],
        lambda data: data[:16] + b"\xff" * 40,
        lambda data: b"\0\0\0\0" + data[4:],
        lambda data: data[:8] + b"\0\0\0\0" + data[12:],
        lambda data: data[:12] + b"\1\0\0\0" + data[16:],
        lambda data: data[:4] + b"\x08\0\0\0" + data[8:],
        lambda data: data[:16] + b"N",
        lambda data: data[:16] + b"i\x01\0\0\0",
    ],
    ids=[
        "empty",
        "a short header",
        "header only",
        "truncated",
        "garbage",
        "another magic number",
        "another time",
        "another size",
        "unknown flags",
        "none instead of code",
        "a number instead of code",
    ],
)
def test_a_damaged_cache_does_what_it_does_in_python(python, tree, way, damage, age):
    root = tree(FILES)
    age(root / "app" / "user.py")
    python(SHOW)
    path = root / "app" / "__pycache__" / f"user.{TAG}.pyc"
    broken = damage(path.read_bytes())

    def outcome(code):
        path.write_bytes(broken)
        result = python(code, check=False)
        last = result.stderr.strip().splitlines()[-1:]
        return result.stdout, [line.strip(" |").rpartition(": ")[2] for line in last], path.read_bytes()

    stock, ours = outcome(SHOW), outcome(SETUP + SHOW)
    assert ours == stock


def test_a_directory_for_caches_that_cannot_be_written_is_no_error(python, tree, way):
    root = tree(FILES)
    (root / "app" / "__pycache__").write_text("a file in its place")
    assert python(SETUP + way).stdout == "old\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_directory_is_no_error(python, tree, way):
    root = tree(FILES)
    (root / "app" / "__pycache__").mkdir()
    (root / "app" / "__pycache__").chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert python(SETUP + way).stdout == "old\n"
    finally:
        (root / "app" / "__pycache__").chmod(stat.S_IRWXU)


@pytest.mark.skipif(os.name == "nt", reason="other permissions")
def test_a_cache_has_the_permissions_of_its_source(python, tree, way):
    root = tree(FILES)
    (root / "app" / "user.py").chmod(0o640)
    python(SETUP + way)
    path = root / "app" / "__pycache__" / f"user.{TAG}.pyc"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_code_that_was_moved_with_its_cache_shows_its_new_place(python, tree, way):
    root = tree({"old/app/__init__.py": "", "old/app/user.py": FILES["app/user.py"]})
    os.chdir(root / "old")
    python("import sys; sys.path.insert(0, 'old')\n" + SHOW)
    (root / "old" / "app").rename(root / "app")
    os.chdir(root)
    show = way + "print(app.user.__loader__.get_code('app.user').co_filename == app.user.__file__)\n"
    assert python(SETUP + show).stdout == "old\nTrue\n"


def test_a_source_file_with_a_time_before_1970_or_after_2106(python, tree, way):
    root = tree(FILES)
    for seconds in (-5, 2**32 + 5):
        os.utime(root / "app" / "user.py", (seconds, seconds))
        for _ in range(2):
            assert python(SETUP + way).stdout == "old\n"


def test_an_edit_of_the_same_size_in_the_same_second_is_not_missed_while_reloading(python, tree):
    # The stock cache would serve the old code: it is validated by whole seconds and size.
    tree(FILES)
    code = (
        SETUP
        + "loader.enable_reloading()\n"
        + SHOW
        + "import importlib.util, os\nfrom pathlib import Path\npath = Path('app/user.py')\nstatus = path.stat()\n"
        + "path.write_text(path.read_text().replace('old', 'new'))\n"
        + "os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1000))\n"
        # However long this process took until here: the bytecode was written in that second, too.
        + "cache = importlib.util.cache_from_source(path)\n"
        + "os.utime(cache, ns=(status.st_atime_ns, status.st_mtime_ns + 500))\n"
        + "loader.unload()\nimport importlib\nprint(importlib.import_module('app.user').User.word)\n"
    )
    assert python(code).stdout == "old\nnew\n"


def test_bytecode_written_long_after_its_source_is_used_while_reloading(python, tree, age):
    root = tree(FILES)
    age(root / "app" / "user.py", 100)
    path = root / "app" / "__pycache__" / f"user.{TAG}.pyc"
    plant(path, root / "app/user.py", "planted")
    assert python(SETUP + "loader.enable_reloading()\n" + SHOW).stdout == "planted\n"


def test_a_loader_without_a_binder_reads_and_writes_as_the_stock_one(python, tree):
    tree(FILES)
    code = (
        "import importlib.util, os\nfrom pyautoload import PyAutoloadLoader\n"
        "for _ in range(2):\n"
        "    spec = importlib.util.spec_from_file_location('user', os.path.abspath('app/user.py'),"
        " loader=PyAutoloadLoader('user', os.path.abspath('app/user.py')))\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module)\n"
        "    print(module.User.word, os.path.exists(spec.cached))\n"
    )
    assert python(code).stdout == "old True\nold True\n"


def test_audit_events_of_a_load_name_the_same_files(python, tree, age):
    root = tree(FILES)
    for file in (root / "app").glob("*.py"):
        age(file)
    hook = (
        "import sys, dataclasses\nevents = []\n"
        "def hook(event, args):\n"
        "    if event in ('exec', 'compile', 'marshal.loads'):\n"
        "        events.append((event, getattr(args[0], 'co_filename', '')))\n"
        "    elif event in ('open', 'import') and 'app' in str(args[0]):\n"
        "        events.append((event, str(args[0])))\n"
        "sys.addaudithook(hook)\n"
    )
    show = "import app.user\nprint(*events, sep='\\n')\n"
    python(SHOW)
    stock = python(hook + show).stdout.splitlines()
    ours = python(SETUP + hook + show).stdout.splitlines()

    def of(lines, event):
        return [line for line in lines if f"'{event}'" in line and (str(root) in line or event == "import")]

    for event in ("open", "exec", "import"):
        assert of(ours, event) == of(stock, event)


def test_the_time_of_the_source_is_noted(autoload):
    loader = autoload({"app/user.py": "class User: ..."})
    import app

    assert app.User
    status = loader.registry.loaded_status("app.user")
    assert status.mtime_ns == os.stat("app/user.py").st_mtime_ns
    assert abs(status.mtime_ns / 1e9 - time.time()) < 1000


@pytest.mark.parametrize("lazily", ["", "loader.lazy_imports()\n"])
def test_a_file_saved_twice_in_one_second_is_never_old(python, tree, way, lazily):
    root = tree({**FILES, "app/__init__.py": "import json\n"})
    setup = f"from pyautoload import AutoLoader\nloader = AutoLoader('app')\n{lazily}loader.setup()\n"
    second, source = 1_700_000_000_000_000_000, root / "app" / "user.py"

    def saved(path, tenths):
        os.utime(path, ns=(second, second + tenths * 100_000_000))

    saved(source, 1)
    assert python(setup + way).stdout == "old\n"
    for cached in (root / "app/__pycache__").glob("user.*"):
        saved(cached, 2)
    source.write_text(source.read_text().replace("old", "new"))
    saved(source, 3)
    for _ in range(2):
        assert python(setup + way).stdout == "new\n"
