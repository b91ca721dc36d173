"""What a module's code imports and uses, read from its code object: cheap enough for ten thousand modules.

Import-time code is the module's own level, class bodies and comprehensions: what runs when the module is imported.
Function bodies are deferred code: they run at import time only if import-time code calls them.
"""

from __future__ import annotations
import __future__

import re
import sys
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import NamedTuple

from pyautoload.reloading.opcodes import (
    ATTR_SHIFT,
    BUILD_CLASS,
    GLOBAL_SHIFT,
    IMPORT_FROM,
    IMPORT_NAME,
    IMPORT_SHIFT,
    LOAD_ATTR,
    LOAD_CONST,
    LOAD_DICT_OR_GLOBALS,
    LOAD_GLOBAL,
    LOAD_METHOD,
    LOAD_NAME,
    LOAD_SMALL_INT,
    OPMAP,
    POP_TOP,
    PUSH_NULL,
    STORE_ATTR,
    STORE_GLOBAL,
    STORE_NAME,
    decoded,
)

__all__ = [
    "CodeFacts",
    "ImportFact",
    "deferred_codes",
    "import_time_codes",
    "is_deferred",
    "late_imports",
    "mentions",
    "names_in",
    "scan",
]

_LOADS = frozenset({LOAD_NAME, LOAD_DICT_OR_GLOBALS})
# Local variables of functions. Some instructions load two of them; the second one comes to lie on top.
_LOAD_LOCALS = frozenset(code for name, code in OPMAP.items() if name.startswith("LOAD_FAST") or name == "LOAD_DEREF")
_LOAD_PAIRS = frozenset(code for name, code in OPMAP.items() if name.count("LOAD_FAST") > 1)
_STORE_LOCALS = frozenset(OPMAP[name] for name in ("STORE_FAST", "STORE_DEREF"))
_STORES = frozenset({STORE_NAME, STORE_GLOBAL})
_CALLS = frozenset(
    code
    for name, code in OPMAP.items()
    if name in {"CALL", "CALL_KW", "CALL_FUNCTION", "CALL_FUNCTION_KW", "CALL_FUNCTION_EX", "CALL_METHOD"}
)
_CO_OPTIMIZED = 0x1
_CO_FUTURE_ANNOTATIONS = __future__.annotations.compiler_flag
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_DOTS = frozenset({LOAD_ATTR, LOAD_METHOD, STORE_ATTR})
# Nested code that Python runs where it stands, though it looks like a function.
_RUN_AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<generic parameters of ", "<module>")


class ImportFact(NamedTuple):
    """One import of a module's code.

    Attributes:
        module: the absolute name of the module that the statement names.
        attribute: the name taken from it, ``"*"`` for all, ``None`` where the module itself is imported.
        local: the global name that is bound, ``None`` in a function.
    """

    module: str
    attribute: str | None
    local: str | None


class CodeFacts(NamedTuple):
    """What is known of one module's code.

    Attributes:
        imports: every import, those in functions too.
        loads: the global names that import-time code reads, those in annotations too.
        attributes: the attributes that import-time code reads or calls.
        chains: dotted reads of import-time code, and names that it sets so. Example: ``("myapp", "models", "User")``
        late_chains: the same of deferred code.
        bare: those of ``loads`` that are not followed by a dot: a module may be given away so, and anything be taken
            from it: ``getattr(settings, name)``.
        active: those of ``loads`` that are read for more than to be a base class.
        keeps_calls: whether import-time code calls something (that classes are built does not count) and uses the
            outcome: decorators, ``X = f()``, but not a plain ``f()``.
        own: the names that import-time code reads and the module itself binds, imports set aside.
    """

    imports: tuple[ImportFact, ...]
    loads: tuple[str, ...]
    attributes: tuple[str, ...]
    chains: tuple[tuple[str, ...], ...]
    late_chains: tuple[tuple[str, ...], ...]
    bare: tuple[str, ...]
    active: tuple[str, ...]
    keeps_calls: bool
    own: tuple[str, ...]


def is_deferred(code: CodeType) -> bool:
    """Whether nested code is a function's, which runs when it is called (class bodies run at once)."""
    return bool(code.co_flags & _CO_OPTIMIZED) and not code.co_name.startswith(_RUN_AT_ONCE)


def import_time_codes(code: CodeType) -> Iterator[CodeType]:
    """``code`` and the nested code that runs with it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType) and not is_deferred(const):
            yield from import_time_codes(const)


def deferred_codes(code: CodeType) -> Iterator[CodeType]:
    """The functions defined by ``code`` and by nested code that runs with it; not functions within functions."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if is_deferred(const):
                yield const
            else:
                yield from deferred_codes(const)


def names_in(code: CodeType) -> set[str]:
    """All global and attribute names that ``code`` mentions, nested functions included."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found |= names_in(const)
    return found


def mentions(code: CodeType, prefix: str = "") -> dict[str, frozenset[str]]:
    """Function → the names that it mentions, for all functions that ``code`` defines, those in classes too."""
    found: dict[str, frozenset[str]] = {}
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if is_deferred(const):
                found[prefix + const.co_name] = frozenset(names_in(const))
            else:
                found.update(mentions(const, f"{prefix}{const.co_name}."))
    return found


def _raw(code: CodeType) -> bytes:
    """The instructions as they are now; some may be specialised, those for imports never are."""
    return getattr(code, "_co_code_adaptive", None) or code.co_code


def _decode(code: CodeType) -> list[tuple[int, int]]:
    # Of a copy: a code object keeps what it was asked for here, and there may be many thousands of them.
    return decoded(code.replace().co_code)


def _variable(code: CodeType, op: int, arg: int) -> str:
    """The local variable that an instruction means."""
    if op in _LOAD_PAIRS:
        arg &= 15
    if sys.version_info >= (3, 11):
        cells = [name for name in code.co_cellvars if name not in code.co_varnames]
        names = [*code.co_varnames, *cells, *code.co_freevars]
    else:
        derefs = (OPMAP["LOAD_DEREF"], OPMAP["STORE_DEREF"])
        names = [*code.co_cellvars, *code.co_freevars] if op in derefs else list(code.co_varnames)
    return names[arg] if arg < len(names) else ""


class _Scanner:
    def __init__(self, package: str) -> None:
        self.package = package
        self.imports: list[ImportFact] = []
        # Global names that imports bind: only those can lead to other modules.
        self.imported: set[str] = set()
        self.loads: set[str] = set()
        self.attributes: set[str] = set()
        self.chains: set[tuple[str, ...]] = set()
        self.late_chains: set[tuple[str, ...]] = set()
        self.bare: set[str] = set()
        self.active: set[str] = set()
        self.keeps_calls = False
        # Global names in annotations that are not evaluated where they stand: decorators and base classes may do that.
        self.annotated: set[str] = set()
        # Names that module level binds by other statements than imports.
        self.bound: set[str] = set()

    def run(self, code: CodeType) -> None:
        for part in import_time_codes(code):
            self._import_time(part)
            self._annotations(part)
        self.imported = {fact.local for fact in self.imports if fact.local is not None}
        for function in deferred_codes(code):
            self._deferred(function)

    def _import_time(self, code: CodeType) -> None:
        instructions = _decode(code)
        names = code.co_names
        if "getattr" in names or "hasattr" in names:
            self.attributes.update(item for item in code.co_consts if isinstance(item, str) and item.isidentifier())
        classes = kept = 0
        in_bases = False
        for index, (op, arg) in enumerate(instructions):
            if op in _LOADS:
                self._load(instructions, index, names, names[arg], self.chains)
                self._note_load(instructions, index, names[arg], in_bases)
            elif op == LOAD_GLOBAL:
                name = names[arg >> GLOBAL_SHIFT]
                self._load(instructions, index, names, name, self.chains)
                self._note_load(instructions, index, name, in_bases)
            elif op == LOAD_ATTR:
                self.attributes.add(names[arg >> ATTR_SHIFT])
            elif op == LOAD_METHOD:
                self.attributes.add(names[arg])
            elif op == IMPORT_NAME:
                self._import(code, instructions, index, at_module_level=code.co_name == "<module>")
            elif op in _STORES:
                if instructions[index - 1][0] != IMPORT_FROM and instructions[index - 1][0] != IMPORT_NAME:
                    self.bound.add(names[arg])
            elif op == BUILD_CLASS:
                classes += 1
                in_bases = True
            elif op == PUSH_NULL and not self._belongs_to_class(instructions, index):
                in_bases = False  # a call among the bases: `class A(mixin(B))`
            elif op in _CALLS:
                in_bases = False
                kept += not self._is_dropped(instructions, index)
        self.keeps_calls = self.keeps_calls or kept > classes

    def _note_load(self, instructions: list[tuple[int, int]], index: int, name: str, in_bases: bool) -> None:
        self.loads.add(name)
        if index + 1 < len(instructions) and instructions[index + 1][0] not in _DOTS:
            self.bare.add(name)
        if not in_bases:
            self.active.add(name)

    def _annotations(self, code: CodeType) -> None:
        """Read annotations that were put off: into strings by ``__future__``, into functions from Python 3.14 on."""
        for const in code.co_consts:
            if isinstance(const, CodeType) and const.co_name == "__annotate__":
                self._put_off(const)
        if not code.co_flags & _CO_FUTURE_ANNOTATIONS:
            return
        instructions = _decode(code)
        for index, instruction in enumerate(instructions[:-1]):
            const = self._constant(code, instruction)
            if type(const) is str and instructions[index + 1][0] in _LOADS:
                if code.co_names[instructions[index + 1][1]] == "__annotations__":
                    self._spelled(const)
            elif type(const) is tuple and self._makes_function(code, instructions[index + 1 : index + 5]):
                for text in const[1::2]:
                    if type(text) is str:
                        self._spelled(text)

    def _makes_function(self, code: CodeType, instructions: list[tuple[int, int]]) -> bool:
        return any(isinstance(self._constant(code, item), CodeType) for item in instructions)

    def _put_off(self, code: CodeType) -> None:
        names, instructions = code.co_names, _decode(code)
        for index, (op, arg) in enumerate(instructions):
            if op == LOAD_GLOBAL or op in _LOADS:
                name = names[arg >> GLOBAL_SHIFT if op == LOAD_GLOBAL else arg]
                self.annotated.add(name)
                self._load(instructions, index, names, name, self.chains)
        # Annotations in quotes, or by `__future__`; the names of parameters stand among them, and do no harm.
        for const in code.co_consts:
            if type(const) is str:
                self._spelled(const)

    def _spelled(self, annotation: str) -> None:
        for dotted in _DOTTED.findall(annotation):
            chain = tuple(dotted.split("."))
            self.annotated.add(chain[0])
            if len(chain) > 1:
                self.chains.add(chain)

    @staticmethod
    def _belongs_to_class(instructions: list[tuple[int, int]], index: int) -> bool:
        return index > 0 and instructions[index - 1][0] == BUILD_CLASS

    @staticmethod
    def _is_dropped(instructions: list[tuple[int, int]], index: int) -> bool:
        return index + 1 < len(instructions) and instructions[index + 1][0] == POP_TOP

    def _deferred(self, code: CodeType, outer: Mapping[str, str] | None = None) -> None:
        """Read a function and those in it.

        Args:
            code: the function's.
            outer: variables of the functions around it that hold modules. Example: ``{"tools": "myapp.tools"}``
        """
        names = code.co_names
        modules = dict(outer or {})
        imports = IMPORT_NAME in _raw(code)[::2]
        if imports or modules or (len(names) > 1 and not self.imported.isdisjoint(names)):
            instructions = _decode(code)
            if imports:
                for index, (op, _) in enumerate(instructions):
                    if op == IMPORT_NAME:
                        self._import(code, instructions, index, at_module_level=False)
                modules.update(self._local_modules(code, instructions))
            for index, (op, arg) in enumerate(instructions):
                if op == LOAD_GLOBAL:
                    self._load(instructions, index, names, names[arg >> GLOBAL_SHIFT], self.late_chains)
                elif modules and op in _LOAD_LOCALS:
                    module = modules.get(_variable(code, op, arg))
                    if module is not None:
                        self._follow_local(instructions, index, names, module)
        for const in code.co_consts:
            if isinstance(const, CodeType):
                self._deferred(const, modules)

    def _local_modules(self, code: CodeType, instructions: list[tuple[int, int]]) -> dict[str, str]:
        """What the imports of a function bind to its variables, as far as that may be a module."""
        found: dict[str, str] = {}
        for index, (op, arg) in enumerate(instructions):
            if op != IMPORT_NAME:
                continue
            full = code.co_names[arg >> IMPORT_SHIFT]
            name = self._absolute(full, self._constant(code, instructions[index - 2]))
            if name is None:
                continue
            at = index + 1
            if isinstance(self._constant(code, instructions[index - 1]), tuple):
                while at + 1 < len(instructions) and instructions[at][0] == IMPORT_FROM:
                    if instructions[at + 1][0] in _STORE_LOCALS:
                        taken = code.co_names[instructions[at][1]]
                        found[_variable(code, *instructions[at + 1])] = f"{name}.{taken}"
                    at += 2
                continue
            # `import a.b as c` goes to `b` before it stores.
            is_renamed = instructions[at][0] == IMPORT_FROM
            stored = next((item for item in instructions[at : at + 12] if item[0] in _STORE_LOCALS), None)
            if stored is not None:
                found[_variable(code, *stored)] = name if is_renamed else name.partition(".")[0]
        return found

    def _follow_local(
        self, instructions: list[tuple[int, int]], index: int, names: tuple[str, ...], module: str
    ) -> None:
        for op, arg in instructions[index + 1 : index + 6]:
            if op not in (LOAD_ATTR, LOAD_METHOD):
                return
            attribute = names[arg >> ATTR_SHIFT if op == LOAD_ATTR else arg]
            self.imports.append(ImportFact(module, attribute, None))
            module = f"{module}.{attribute}"

    @staticmethod
    def _load(
        instructions: list[tuple[int, int]], index: int, names: tuple[str, ...], name: str, into: set[tuple[str, ...]]
    ) -> None:
        chain = [name]
        for op, arg in instructions[index + 1 : index + 6]:
            if op == LOAD_ATTR:
                chain.append(names[arg >> ATTR_SHIFT])
            elif op in (LOAD_METHOD, STORE_ATTR):
                chain.append(names[arg])
            else:
                break
        if len(chain) > 1:
            into.add(tuple(chain))

    def _import(
        self, code: CodeType, instructions: list[tuple[int, int]], index: int, *, at_module_level: bool
    ) -> None:
        level = self._constant(code, instructions[index - 2])
        wanted = self._constant(code, instructions[index - 1])
        name = self._absolute(code.co_names[instructions[index][1] >> IMPORT_SHIFT], level)
        if name is None:
            return
        if isinstance(wanted, tuple) and wanted == ("*",):
            self.imports.append(ImportFact(name, "*", None))
            return
        if isinstance(wanted, tuple):
            self._from_import(code, instructions, index + 1, name, at_module_level)
            return
        local = None
        for op, arg in instructions[index + 1 : index + 12]:
            if op in _STORES:
                local = code.co_names[arg]
                break
            if op == IMPORT_NAME:
                break
        self.imports.append(ImportFact(name, None, local if at_module_level else None))

    def _from_import(
        self, code: CodeType, instructions: list[tuple[int, int]], index: int, module: str, at_module_level: bool
    ) -> None:
        while index + 1 < len(instructions) and instructions[index][0] == IMPORT_FROM:
            attribute = code.co_names[instructions[index][1]]
            op, arg = instructions[index + 1]
            local = code.co_names[arg] if op in _STORES and (at_module_level or op == STORE_GLOBAL) else None
            self.imports.append(ImportFact(module, attribute, local))
            index += 2

    @staticmethod
    def _constant(code: CodeType, instruction: tuple[int, int]) -> object:
        op, arg = instruction
        if op == LOAD_SMALL_INT:
            return arg
        return code.co_consts[arg] if op == LOAD_CONST else None

    def _absolute(self, name: str, level: object) -> str | None:
        if not isinstance(level, int) or level == 0:
            return name
        parts = self.package.split(".") if self.package else []
        if level > len(parts):
            return None
        base = ".".join(parts[: len(parts) - level + 1])
        return f"{base}.{name}" if name else base


def late_imports(code: CodeType, package: str) -> list[ImportFact]:
    """What a function imports when it is called, and what it takes from modules that it imported.

    Args:
        code: the function's code object.
        package: what its relative imports start from.
    """
    scanner = _Scanner(package)
    scanner._deferred(code)
    return scanner.imports


def scan(code: CodeType, package: str) -> CodeFacts:
    """The facts of a module's code.

    Args:
        code: the module's code object.
        package: what its relative imports start from (``__package__``).
    """
    scanner = _Scanner(package)
    scanner.run(code)
    own = tuple(name for name in scanner.loads & scanner.bound if name[:2] != "__")
    return CodeFacts(
        tuple(scanner.imports),
        tuple(scanner.loads | scanner.annotated),
        tuple(scanner.attributes),
        tuple(scanner.chains),
        tuple(scanner.late_chains),
        tuple(scanner.bare),
        tuple(scanner.active | scanner.annotated),
        scanner.keeps_calls,
        own,
    )
