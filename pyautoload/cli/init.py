"""``pyautoload init``: the configuration of an existing project."""

from __future__ import annotations

import glob
import json
import os
import re
import sys
from collections.abc import Iterator

import click

from pyautoload.autoloader import AutoLoader
from pyautoload.checking.problem import Problem
from pyautoload.settings import Settings
from pyautoload.sources.regular import read_regular

PYPROJECT = "pyproject.toml"
TEST_FILE = os.path.join("tests", "test_autoload.py")
# Directories of a project that hold no application.
_NOT_ROOTS = {
    "tests", "test", "docs", "doc", "examples", "scripts", "benchmarks", "build", "dist", "node_modules", "venv", "env",
    "migrations", "tools",
}  # fmt: skip
# Directories that by convention organise without naming: a rule for them is proposed where the code counts on it.
_ORGANISING = ("concerns",)
# Directories whose files a tool runs by their path, and names as it likes.
_MIGRATIONS = ("migrations", "alembic")
# `loader = AutoLoader("app")`: the name that it is given, if it is given one. from_config() reads what is written here.
_LOADER = re.compile(r"(?:([A-Za-z_]\w*)\s*=\s*)?(?:pyautoload\.)?AutoLoader(?:\.for_package)?\(")
_TEST = '''\
"""Everything that is autoloaded can be loaded, and defines what its name says."""

from __future__ import annotations

from pathlib import Path

from pyautoload import AutoLoader
from pyautoload.checking import find_problems
from pyautoload.settings import load

PROJECT = Path(__file__).resolve().parent.parent


def test_everything_that_is_autoloaded_is_well() -> None:
    settings = load(PROJECT)
    problems = find_problems(
        AutoLoader.from_config(PROJECT), plain=settings.plain_modules, base=settings.directory
    )
    findings = [problem for problem in problems if problem.is_finding]
    assert not findings, "\\n".join(map(str, findings))
'''


@click.command()
@click.argument("directory", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--root", "roots", multiple=True, metavar="DIR", help="A root, in place of what is found.")
@click.option("--yes", is_flag=True, help="Write without asking.")
def command(directory: str, roots: tuple[str, ...], yes: bool) -> None:
    """Write the configuration of an existing project, and a test that checks it.

    It shows first what it found: the roots, how many files fit as they are, and the rules that the others need. To see
    whether the test would pass, each module is imported in a child process.
    """
    directory = os.path.abspath(directory)
    target = os.path.join(directory, PYPROJECT)
    if _is_configured(target):
        raise click.UsageError(f"{target} has a [tool.pyautoload] already")
    settings = Settings(target, directory, [_relative(root, directory) for root in roots] or _find_roots(directory))
    if not settings.roots:
        click.echo("no directory with Python files was found here or in src/; name one with --root", err=True)
        sys.exit(1)
    if not roots:
        _refuse_a_second_loader(directory)
    settings.ignore = [f"**/{name}" for name in _MIGRATIONS if _has_directory(settings, name)]
    settings.collapse = _collapse(settings)
    modules, problems = _look(settings)
    settings.inflections = _inflections(problems)
    modules, problems = _look(settings)
    settings.plain_modules = _plain(settings, problems)
    findings = _findings(settings)
    _show(settings, modules, findings)
    table = render(settings)
    click.echo(f"\nto be added to {PYPROJECT}:\n")
    click.echo("\n".join(f"    {line}" if line else "" for line in table.splitlines()))
    test = os.path.join(directory, TEST_FILE)
    writes_test = not os.path.exists(test) and not findings
    click.echo(f"\n{TEST_FILE} {_about_the_test(test, findings)}")
    if not yes and not click.confirm("\nWrite?", default=True):
        sys.exit(1)
    _append(target, table)
    if writes_test:
        os.makedirs(os.path.dirname(test), exist_ok=True)
        with open(test, "w", encoding="utf-8", newline="\n") as opened:
            opened.write(_TEST)
    click.echo(f"wrote {PYPROJECT}{f' and {TEST_FILE}' if writes_test else ''}; next: pyautoload check")


def _about_the_test(test: str, findings: list[Problem]) -> str:
    if os.path.exists(test):
        return "exists and stays as it is"
    if findings:
        return "is not written, as it would fail; `pyautoload check` shows what to fix first"
    return "checks all of it in every test run"


def _refuse_a_second_loader(directory: str) -> None:
    """End where the program creates a loader: two of them over one directory are a conflict."""
    for file in _python_files(directory):
        try:
            lines = read_regular(file).decode("utf-8", errors="replace").splitlines()
        except OSError:
            continue  # a link to nowhere, a named pipe: `check` lists what is left out
        matches = ((number, _LOADER.match(line)) for number, line in enumerate(lines, 1))
        found = next(((number, match) for number, match in matches if match is not None), None)
        if found is None:
            continue
        number, match = found
        shown = _relative(file, directory)
        module = shown.removeprefix("src/").removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
        use = f"use it with the commands: pyautoload check --loader {module}:{match[1]}. Or r" if match[1] else "R"
        click.echo(
            f"{shown}:{number} creates a loader already; {use}eplace it with AutoLoader.from_config() and run "
            "`pyautoload init --root DIR`",
            err=True,
        )
        sys.exit(1)


def _python_files(directory: str) -> Iterator[str]:
    """The files of the project, without those of environments and tests."""
    for base, dirs, files in os.walk(directory):
        dirs[:] = sorted(name for name in dirs if name not in _NOT_ROOTS and not name.startswith("."))
        yield from (os.path.join(base, name) for name in sorted(files) if name.endswith(".py"))


def _is_configured(file: str) -> bool:
    from pyautoload.errors import SetupError
    from pyautoload.settings import read

    if not os.path.exists(file):
        return False
    try:
        read(file)
    except SetupError as error:
        if "has no [tool.pyautoload]" in str(error):
            return False
        raise
    return True


# What is there


def _find_roots(directory: str) -> list[str]:
    """The directories with Python files, in ``src`` if there is one."""
    base = os.path.join(directory, "src")
    if not os.path.isdir(base):
        base = directory
    found = []
    for entry in sorted(os.scandir(base), key=lambda entry: entry.name):
        if (
            os.path.isdir(entry.path)
            and entry.name.isidentifier()
            and entry.name not in _NOT_ROOTS
            and _has_python(entry.path)
        ):
            found.append(_relative(entry.path, directory))
    return found


def _relative(path: str, directory: str) -> str:
    return os.path.relpath(os.path.join(directory, path), directory).replace(os.sep, "/")


def _has_python(directory: str) -> bool:
    return any(name.endswith(".py") for _dir, _dirs, files in os.walk(directory) for name in files)


def _has_directory(settings: Settings, name: str) -> bool:
    roots = (os.path.join(settings.directory, root) for root in settings.roots)
    return any(name in dirs for root in roots for _dir, dirs, _files in os.walk(root))


def _collapse(settings: Settings) -> list[str]:
    """The patterns for organising directories: where names are used without them."""
    found: list[str] = []
    for name in _ORGANISING:
        if not _has_directory(settings, name):
            continue
        settings.collapse = found
        before = _errors(_look(settings)[1])
        settings.collapse = [*found, f"*/{name}"]
        if _errors(_look(settings)[1]) < before:
            found = settings.collapse
    return found


def _errors(problems: list[Problem]) -> int:
    return sum(problem.severity == "error" for problem in problems)


def _findings(settings: Settings) -> list[Problem]:
    """What the test would report: each module is imported too, in a child process."""
    from pyautoload.checking.problem_search import find_problems

    if settings.directory not in sys.path:
        sys.path.insert(0, settings.directory)
    loader = settings.apply(AutoLoader(tag="init"))
    try:
        found = find_problems(loader, plain=settings.plain_modules, base=settings.directory)
        return [problem for problem in found if problem.is_finding]
    finally:
        loader.unregister()


def _look(settings: Settings) -> tuple[int, list[Problem]]:
    """The number of managed files, and the static problems with the settings as they are now."""
    from pyautoload.checking.problem_search import find_problems
    from pyautoload.checking.survey import Survey

    loader = settings.apply(AutoLoader(tag="init"))
    try:
        found = find_problems(loader, static=True, plain=settings.plain_modules, base=settings.directory)
        return len(Survey(loader.config, loader.inflector).files), found
    finally:
        loader.unregister()


def _inflections(problems: list[Problem]) -> dict[str, str]:
    """The rules for files whose name the remedy knows, as far as the stem has the same meaning everywhere."""
    found: dict[str, set[str]] = {}
    for problem in problems:
        rule = re.search(r'inflect\(\{"(\w+)": "(\w+)"\}\)', problem.remedy)
        if problem.kind == "expected-name" and problem.is_finding and rule is not None:
            found.setdefault(rule[1], set()).add(rule[2])
    return {stem: names.pop() for stem, names in sorted(found.items()) if len(names) == 1}


def _plain(settings: Settings, problems: list[Problem]) -> list[str]:
    """The files that are left: modules with names of several kinds, on purpose."""
    return sorted(
        _pattern(os.path.relpath(problem.path, settings.directory).replace(os.sep, "/"))
        for problem in problems
        if problem.kind == "expected-name" and problem.severity == "warning" and problem.path is not None
    )


def _pattern(path: str) -> str:
    """A pattern for one path: what TOML cannot write down, or a pattern means something by, is any character."""
    return "".join(char if char.isprintable() else "?" for char in glob.escape(path))


# What is written


def _show(settings: Settings, modules: int, left: list[Problem]) -> None:
    from pyautoload.checking.problem_search import relative_to

    click.secho(f"found {modules} Python file{'s' if modules != 1 else ''} in {', '.join(settings.roots)}", bold=True)
    fitting = modules - len(settings.inflections) - len(settings.plain_modules)
    click.echo(f"  as they are: {fitting}")
    if settings.inflections:
        rules = ", ".join(f"{stem} → {name}" for stem, name in settings.inflections.items())
        click.echo(f"  with a rule for their name: {len(settings.inflections)} ({rules})")
    if settings.plain_modules:
        click.echo(f"  modules to import from, which define something else: {len(settings.plain_modules)}")
    for problem in left:
        shown = relative_to(settings.directory, problem)
        click.echo(f"  {click.style(shown.severity, fg='red')}: {shown.place}: {shown.message}")


def render(settings: Settings) -> str:
    """The table as TOML."""
    lines = ["[tool.pyautoload]", f"roots = {json.dumps(settings.roots)}"]
    for key in ("ignore", "collapse", "plain_modules"):
        values = getattr(settings, key)
        if len(values) > 3:
            lines += [f"{key} = [", *(f"    {json.dumps(value, ensure_ascii=False)}," for value in values), "]"]
        elif values:
            lines.append(f"{key} = {json.dumps(values, ensure_ascii=False)}")
    if settings.inflections:
        lines += ["", "[tool.pyautoload.inflections]"]
        lines += [f"{_key(stem)} = {json.dumps(name)}" for stem, name in settings.inflections.items()]
    return "\n".join(lines) + "\n"


def _key(stem: str) -> str:
    return stem if re.fullmatch(r"[A-Za-z0-9_-]+", stem) else json.dumps(stem, ensure_ascii=False)


def _append(file: str, table: str) -> None:
    text = ""
    if os.path.exists(file):
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
    separator = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    with open(file, "w", encoding="utf-8", newline="\n") as opened:
        opened.write(text + separator + table)
