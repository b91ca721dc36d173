"""Facts about a source file: what runs when it is imported, its functions, and what it imports.

A file is cut into blocks: each function with all within it is one, and what runs at import time, the shell, is another.
Each has a digest that does not depend on where in the file it stands.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from types import CodeType
from typing import Any

from pyautoload.reloading.code.codediff import call_shape
from pyautoload.reloading.code.nested import is_deferred, names_in
from pyautoload.reloading.code.opcodes import (
    IMPORT_NAME,
    IMPORT_SHIFT,
    LOAD_CONST,
    LOAD_SMALL_INT,
    STORE_NAME,
    decoded,
)

__all__ = ["FileFacts", "facts_of", "normal"]

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::\w+)?\Z")
_DYNAMIC = frozenset(
    ["getattr", "vars", "__dict__", "attrgetter", "dir", "__getattr__", "globals", "locals", "eval", "exec"]
)
_LAZY_PACKAGE = frozenset(
    ["__getattr__", "exports", "attach", "attach_stub", "iter_modules", "walk_packages", "for_package"]
)
# From Python 3.13 on a class body stores where the class begins.
_LINE = "__firstlineno__"


@dataclass
class FileFacts:
    """What is known of one version of a file.

    Attributes:
        content: digest of its bytes.
        shell: digest of what runs at import time.
        blocks: function → digest. Example: ``{"Order.total": "5f1c…"}``
        places: line and name of a code object → the blocks that it may belong to, ``""`` for the shell.
        mentions: function → the names in it.
        imports: what is imported anywhere in it: level, module, names.
        strings: texts that look like the dotted name of something.
        names: the names that occur, as ``normal`` gives them.
        is_dynamic: whether it asks for attributes by computed names.
        is_lazy: whether it may give what other files of its package define.
        error: why it is not a Python file, with its line.
    """

    content: str
    shell: str = ""
    blocks: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)
    mentions: dict[str, list[str]] = field(default_factory=dict)
    imports: list[tuple[int, str, list[str]]] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    is_dynamic: bool = False
    is_lazy: bool = False
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For the file."""
        return asdict(self)


def normal(name: str) -> str:
    """A name without what tells ``html_parser`` from ``HTMLParser``."""
    return name.replace("_", "").casefold()


def facts_of(path: str, source: bytes) -> FileFacts:
    """Look at a source file.

    Args:
        path: of the file.
        source: its content.
    """
    facts = FileFacts(hashlib.blake2b(source, digest_size=12).hexdigest())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        facts.error = f"{path}:{line or 1}: {getattr(error, 'msg', None) or error}"
        return facts
    _cut(code, "", facts)
    facts.shell = _digest(_shell(code))
    found: dict[tuple[int, str, str], None] = {}
    strings: set[str] = set()
    for each in _all_codes(code):
        for level, module, names in _imports(each):
            found[level, module, "\0".join(names)] = None
        strings.update(text for text in _texts(each.co_consts) if _DOTTED.match(text))
    facts.imports = [(level, module, names.split("\0") if names else []) for level, module, names in found]
    facts.strings = sorted(strings)
    mentioned = names_in(code)
    facts.is_dynamic = not _DYNAMIC.isdisjoint(mentioned)
    defined = {const.co_name for const in code.co_consts if isinstance(const, CodeType)}
    facts.is_lazy = os.path.basename(path) == "__init__.py" and not _LAZY_PACKAGE.isdisjoint(mentioned | defined)
    facts.names = sorted(set(map(normal, mentioned)))
    return facts


def _all_codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _all_codes(const)


def _texts(constants: tuple[Any, ...]) -> Iterator[str]:
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            yield from _texts(constant)


def _imports(code: CodeType) -> Iterator[tuple[int, str, list[str]]]:
    """The import statements of a code object; level and names are the two constants before each of them."""
    last: list[Any] = [None, None]
    for op, arg in decoded(code.co_code):
        if op == LOAD_CONST:
            last = [last[1], code.co_consts[arg]]
        elif op == LOAD_SMALL_INT:
            last = [last[1], arg]
        elif op == IMPORT_NAME:
            level, names = last
            # What cannot be told is taken for what imports most.
            yield (
                level if isinstance(level, int) else 0,
                code.co_names[arg >> IMPORT_SHIFT],
                [name for name in names if isinstance(name, str)] if isinstance(names, tuple) else [],
            )


def _cut(code: CodeType, prefix: str, facts: FileFacts) -> None:
    """Note the blocks of import-time code, and where each code object belongs."""
    _place(code, "", facts)
    for const in code.co_consts:
        if not isinstance(const, CodeType):
            continue
        if not is_deferred(const):
            _cut(const, prefix if const.co_name.startswith("<") else f"{prefix}{const.co_name}.", facts)
            continue
        key, number = prefix + const.co_name, 1
        while key in facts.blocks:
            number += 1
            key = f"{prefix}{const.co_name}#{number}"
        facts.blocks[key] = _digest(_described(const))
        facts.mentions[key] = sorted(names_in(const))
        for each in _all_codes(const):
            _place(each, key, facts)


def _place(code: CodeType, key: str, facts: FileFacts) -> None:
    there = facts.places.setdefault(f"{code.co_firstlineno}:{code.co_name}", [])
    if key not in there:
        there.append(key)


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


def _header(code: CodeType) -> tuple[Any, ...]:
    return (
        code.co_name, code.co_flags, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount,
        code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, getattr(code, "co_exceptiontable", b""),
    )  # fmt: skip


def _described(code: CodeType) -> tuple[Any, ...]:
    """All of a function that matters to who calls it."""
    return (_header(code), _operations(code), [_constant(const) for const in _constants(code)])


def _shell(code: CodeType) -> tuple[Any, ...]:
    """Import-time code; of a function in it only what can be seen from outside without a call."""
    constants: list[Any] = []
    for const in _constants(code):
        if not isinstance(const, CodeType):
            constants.append(_constant(const))
        elif not is_deferred(const):
            constants.append(_shell(const))
        elif const.co_name == "__annotate__" or const.co_name.startswith("__annotate"):
            constants.append(_described(const))
        else:
            constants.append((const.co_name, const.co_freevars, call_shape(const), _docstring(const)))
    return (_header(code), _operations(code), constants)


def _docstring(code: CodeType) -> Any:
    first = code.co_consts[0] if code.co_consts else None
    return first if isinstance(first, str) else None


def _operations(code: CodeType) -> Any:
    """The instructions; without the lines that a class body stores, which only tell where it stands."""
    if _LINE not in code.co_names:
        return code.co_code
    items: list[Any] = []
    index = code.co_names.index(_LINE)
    for op, arg in decoded(code.co_code):
        if _is_line(op, arg, index, items):
            items.pop()
            continue
        items.append((op, arg))
    return [item if item[0] != LOAD_CONST else (item[0], _of(code.co_consts[item[1]])) for item in items]


def _of(constant: Any) -> Any:
    return ("code", constant.co_name) if isinstance(constant, CodeType) else _constant(constant)


def _is_line(op: int, arg: int, index: int, items: list[Any]) -> bool:
    return op == STORE_NAME and arg == index and bool(items) and items[-1][0] in (LOAD_CONST, LOAD_SMALL_INT)


def _constants(code: CodeType) -> list[Any]:
    if _LINE not in code.co_names:
        return list(code.co_consts)
    return [const for const in code.co_consts if not isinstance(const, int) or isinstance(const, bool)]


def _constant(value: Any) -> Any:
    """A constant in a form that is written the same way in each process."""
    if isinstance(value, CodeType):
        return _described(value)
    if isinstance(value, tuple):
        return ("tuple", [_constant(item) for item in value])
    if isinstance(value, frozenset):
        return ("frozenset", sorted(repr(_constant(item)) for item in value))
    if isinstance(value, (str, bytes, int, float, complex, type(None), type(...))):
        return (type(value).__name__, repr(value))
    return (type(value).__name__, marshal.dumps(value))
