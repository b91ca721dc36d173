"""The program's own file: its functions and classes take an edit, its plain statements do not run again.

What stands at the top of the file that ``python`` was given is the program itself, from its beginning to its end. To
run it again would be to start the program once more. So definitions that differ in bodies of functions are patched,
others run again and the old objects take what the new ones have; imports and names for literals run where they are new.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from types import CodeType, ModuleType
from typing import NamedTuple

from pyautoload.reloading.applying.takeover.former_module import FormerModule
from pyautoload.reloading.applying.takeover.takeover import Takeover
from pyautoload.reloading.code.codediff import compare
from pyautoload.reloading.objects.functions import FunctionIndex, patch_hidden
from pyautoload.reloading.objects.journal import MISSING, Journal
from pyautoload.reloading.objects.patching import apply_patch
from pyautoload.reloading.objects.values import shapes_of
from pyautoload.reloading.planning.plan import NewVersion
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.records import Records

__all__ = ["PROGRAM", "Outcome", "apply_to_program"]

PROGRAM = "__main__"

_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Outcome(NamedTuple):
    """What an edit of the program's own file came to.

    Attributes:
        done: the definitions that took it.
        left: why the rest needs a restart, ``None`` where all of it is live.
    """

    done: list[str]
    left: str | None


class _Version(NamedTuple):
    """One version of the file: its definitions by name, and its other statements."""

    definitions: dict[str, ast.stmt]
    plain: list[ast.stmt]


def apply_to_program(
    records: Records, record: Record, version: NewVersion, takeover: Takeover, journal: Journal
) -> Outcome:
    """Let what can be live of an edit be live.

    Args:
        records: of the loaded modules.
        record: of the program, with the source that it was started with, or that was applied last.
        version: the new state of its file.
        takeover: brings old and new objects together.
        journal: remembers how to take everything back.
    """
    module = sys.modules.get(PROGRAM)
    if record.source is None or record.code is None or not isinstance(module, ModuleType):
        return Outcome([], "what the program was started from is not known")
    records.look_at_classes(record)
    journal.keep_module(module)
    flags = record.code.co_flags & _FUTURES
    old, new = _version(record.source), _version(version.source)
    left = _left(old, new)
    done, due = _patch(module, record, old, new, flags, journal)
    for name in old.definitions.keys() - new.definitions.keys():
        if getattr(old.definitions[name], "decorator_list", None):
            left = left or f"{name}, which has decorators, is gone"
        journal.set_item(module.__dict__, name, MISSING)
        done.append(name)
    run = [node for node in new.plain if _is_harmless(node) and _text(node) not in set(map(_text, old.plain))]
    run += due
    if run:
        _run(sorted(run, key=_line), module, record, flags, takeover)
    return Outcome(sorted({*done, *(name for name, node in new.definitions.items() if node in due)}), left)


# Flags of code that come from `from __future__ import ...`.
_FUTURES = 0x1FE0000


def _version(source: bytes) -> _Version:
    tree = ast.parse(source)
    count = Counter(node.name for node in tree.body if isinstance(node, _Definition))
    found = _Version({}, [])
    for node in tree.body:
        if isinstance(node, _Definition) and count[node.name] == 1:
            found.definitions[node.name] = node
        else:
            found.plain.append(node)
    return found


def _text(node: ast.stmt) -> str:
    return ast.dump(node)


def _line(node: ast.stmt) -> int:
    return node.lineno


def _is_harmless(node: ast.stmt) -> bool:
    """Whether a statement may run at any time: an import, or a name for a literal."""
    if isinstance(node, ast.ImportFrom):
        return node.module != "__future__"
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Name) for target in node.targets) and _is_literal(node.value)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and node.value is not None and _is_literal(node.value)
    return isinstance(node, (ast.Import, ast.Pass))


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_documentation(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _left(old: _Version, new: _Version) -> str | None:
    """The first plain statement that is new, edited or gone, in words."""
    before, after = Counter(map(_text, old.plain)), Counter(map(_text, new.plain))
    for version, others, what in ((new, before, "was edited or is new"), (old, after, "was edited or is gone")):
        for node in version.plain:
            text = _text(node)
            if others[text]:
                others[text] -= 1
            elif not _is_harmless(node) and not _is_documentation(node):
                return f"line {node.lineno}, a plain statement of the program, {what}: these run once, at its start"
    return None


def _compiled(nodes: list[ast.stmt], path: str, flags: int) -> CodeType:
    tree = ast.Module(body=nodes, type_ignores=[])
    code: CodeType = compile(tree, path, "exec", flags=flags, dont_inherit=True)
    return code


def _patch(
    module: ModuleType, record: Record, old: _Version, new: _Version, flags: int, journal: Journal
) -> tuple[list[str], list[ast.stmt]]:
    """Patch definitions that differ in bodies of functions, or lie on other lines.

    Returns:
        Those that were patched, and those that have to run.
    """
    patched: list[str] = []
    due: list[ast.stmt] = []
    index = FunctionIndex(module, record.path, None)
    for name, node in new.definitions.items():
        former = old.definitions.get(name)
        if former is None:
            due.append(node)
            continue
        if ast.dump(former, include_attributes=True) == ast.dump(node, include_attributes=True):
            continue
        diff = compare(_compiled([former], record.path, flags), _compiled([node], record.path, flags))
        if diff is None:
            due.append(node)
            continue
        patch_hidden(apply_patch(index, diff, journal), journal)
        if diff.changed:
            patched.append(name)
    return patched, due


def _run(nodes: list[ast.stmt], module: ModuleType, record: Record, flags: int, takeover: Takeover) -> None:
    names = module.__dict__
    code = _compiled(nodes, record.path, flags)
    bound = {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    takeover.expect(PROGRAM, FormerModule(module, record, frozenset(bound)), code)
    with takeover.watching_classes():
        exec(code, names, takeover.binding(PROGRAM, names))
    takeover.settle(PROGRAM, module, shapes_of(names, {}))
