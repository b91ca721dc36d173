"""Code objects within two versions of a module that stand for each other, and whether they differ by themselves."""

from __future__ import annotations

from types import CodeType

from pyautoload.reloading.code.codediff import FunctionChange, same_code
from pyautoload.reloading.code.nested import is_deferred

__all__ = ["all_codes", "changed_parts", "moved_closures", "pairs_of", "same_alone"]


def pairs_of(old: CodeType, new: CodeType) -> list[tuple[CodeType, CodeType]]:
    """Code objects within two versions of a module that stand for each other: of one name, at one place among those."""
    theirs: dict[str, list[CodeType]] = {}
    for const in new.co_consts:
        if isinstance(const, CodeType):
            theirs.setdefault(const.co_name, []).append(const)
    found = []
    for const in old.co_consts:
        if isinstance(const, CodeType) and theirs.get(const.co_name):
            twin = theirs[const.co_name].pop(0)
            found += [(const, twin), *pairs_of(const, twin)]
    return found


def same_alone(old: CodeType, new: CodeType) -> bool:
    """Whether two code objects do the same, whatever the functions within them do."""
    mine = [const for const in old.co_consts if isinstance(const, CodeType)]
    theirs = [const for const in new.co_consts if isinstance(const, CodeType)]
    if [const.co_name for const in mine] != [const.co_name for const in theirs]:
        return False
    if not same_code(_hollow(old), _hollow(new)):
        return False
    return all(is_deferred(a) or same_alone(a, b) for a, b in zip(mine, theirs, strict=True))


def _hollow(code: CodeType) -> CodeType:
    if not any(isinstance(const, CodeType) for const in code.co_consts):
        return code
    return code.replace(co_consts=tuple(None if isinstance(const, CodeType) else const for const in code.co_consts))


def all_codes(code: CodeType) -> list[CodeType]:
    """A code object and all within it; of a module only these."""
    found = []
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found += [const, *all_codes(const)]
    return [code, *found] if code.co_name != "<module>" else found


def changed_parts(old: CodeType, new: CodeType) -> list[CodeType]:
    """The functions in a function, itself included, that differ by themselves and not only in functions within."""
    if same_code(old, new):
        return []
    if not same_alone(old, new):
        return all_codes(old)
    functions, others = _within(old), _within(new)
    return [part for a, b in zip(functions, others, strict=True) for part in changed_parts(a, b)]


def _within(code: CodeType) -> list[CodeType]:
    """The functions that a function makes, those in classes and comprehensions included."""
    found = []
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found += [const] if is_deferred(const) else _within(const)
    return found


def moved_closures(old: CodeType, new: CodeType) -> list[FunctionChange]:
    """The functions within functions that do what they did."""
    found: dict[int, FunctionChange] = {}  # each once: who holds the old code is counted
    for outer, now in pairs_of(old, new):
        if is_deferred(outer):
            for before, after in pairs_of(outer, now):
                if is_deferred(before) and same_code(before, after):
                    found[id(before)] = FunctionChange(before.co_name, before, after)
    return list(found.values())
