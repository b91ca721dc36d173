"""Generated code bases: the same for the same size, and the same again in Ruby."""

from __future__ import annotations

import marshal
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from benchmarks.templates import PYTHON, RUBY
from benchmarks.words import WORDS

FAN_OUT = 100  # modules a package, and packages a package of packages
TOP = "bigapp"


@dataclass(frozen=True)
class Tree:
    """A code base on disk.

    Attributes:
        base: the directory to put on ``sys.path``.
        root: the directory of the top-level package, to give to ``AutoLoader``.
        names: a file with the dotted names of all modules and packages, one a line, sorted.
        count: how many names that are.
        modules: how many of them are no packages.
    """

    base: Path
    root: Path
    names: Path
    count: int
    modules: int

    @property
    def first_package(self) -> str:
        """The dotted name of the first package that holds modules."""
        return ".".join((TOP, *_packages(self.modules)[0]))


def camelized(stem: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in stem.split("_"))


def generated(work: Path, modules: int, *, mirror: bool = False) -> Tree:
    """A tree of ``modules`` modules below ``work``, made once; with ``mirror`` the Ruby one stands beside it."""
    # A tree whose modules were of another text stays where it is.
    base = work / f"tree-{modules}-{crc32((PYTHON.template + RUBY.template).encode()):08x}"
    done = base / ".complete"
    if not done.exists():
        shutil.rmtree(base, ignore_errors=True)
        names = _write(base, modules)
        (base / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        done.write_text(str(len(names)), encoding="utf-8")
    if mirror and not (base / ".mirrored").exists():
        _mirror(base, modules)
        (base / ".mirrored").touch()
    return Tree(base, base / TOP, base / "names.txt", int(done.read_text(encoding="utf-8")), modules)


def average_bytes() -> dict[str, int]:
    """How large a module is on average, its source and its bytecode, as this Python compiles it."""
    texts = [_python(module) for module in _modules(1_000)]
    codes = [compile(text, "module.py", "exec", dont_inherit=True) for text in texts]
    return {
        "source": round(sum(len(text.encode()) for text in texts) / len(texts)),
        "bytecode": round(sum(len(marshal.dumps(code)) + 16 for code in codes) / len(codes)),
    }


@dataclass(frozen=True)
class _Module:
    """``package`` is a tuple of directory names below the top, ``needs`` are the modules it imports."""

    package: tuple[str, ...]
    stem: str
    needs: tuple[tuple[tuple[str, ...], str], ...]

    @property
    def dotted(self) -> str:
        return ".".join((TOP, *self.package, self.stem))


def _packages(modules: int) -> list[tuple[str, ...]]:
    """One package for 100 modules; above 100 packages they are grouped, so that no directory has more entries."""
    count = -(-modules // FAN_OUT)
    flat = [f"package_{number % FAN_OUT:02}" for number in range(count)]
    if count <= FAN_OUT:
        return [(name,) for name in flat]
    return [(f"area_{number // FAN_OUT:02}", name) for number, name in enumerate(flat)]


def _modules(modules: int) -> Iterator[_Module]:
    """The modules in sorted order; each imports up to three earlier ones, two from near by, so that no circle forms."""
    dice = random.Random(modules)
    seen: list[tuple[tuple[str, ...], str]] = []
    for package in _packages(modules):
        wanted = min(FAN_OUT, modules - len(seen))
        first = len(seen)
        for stem in sorted(f"{dice.choice(WORDS)}_{number:02}" for number in range(wanted)):
            near = seen[first:][-20:] or seen[-20:]
            needs = {*dice.sample(near, min(2, len(near))), *dice.sample(seen, min(1, len(seen)))}
            yield _Module(package, stem, tuple(sorted(needs)))
            seen.append((package, stem))


def _write(base: Path, modules: int) -> list[str]:
    """Write the Python tree; returns all dotted names in sorted order."""
    names = {TOP}
    made: set[Path] = set()
    for module in _modules(modules):
        folder = base / TOP
        parents = [folder, *(folder := folder / part for part in module.package)]
        for number, parent in enumerate(parents):
            if parent in made:
                continue
            made.add(parent)
            parent.mkdir(parents=True)
            (parent / "__init__.py").write_text(f'"""The package {parent.name}."""\n', encoding="utf-8")
            names.add(".".join((TOP, *module.package[:number])))
        (folder / f"{module.stem}.py").write_text(_python(module), encoding="utf-8")
        names.add(module.dotted)
    return sorted(names)


def _python(module: _Module) -> str:
    imports = (f"from {'.'.join((TOP, *package, stem))} import {camelized(stem)}" for package, stem in module.needs)
    related = "".join(f"{camelized(stem)}, " for _, stem in module.needs)
    return PYTHON.substitute(_facts(module), imports="\n".join(imports), related=related.rstrip(" "))


def _facts(module: _Module) -> dict[str, str]:
    words = module.stem.rpartition("_")[0].replace("_", " ")
    limit = str(len(module.stem) * 7)
    return {"name": camelized(module.stem), "stem": module.stem, "words": words, "limit": limit}


def _mirror(base: Path, modules: int) -> None:
    """The same tree for Zeitwerk: directories are namespaces by themselves, references load what they name."""
    shutil.rmtree(base / "ruby", ignore_errors=True)
    made: set[Path] = set()
    for module in _modules(modules):
        folder = base.joinpath("ruby", TOP, *module.package)
        if folder not in made:
            folder.mkdir(parents=True)
            made.add(folder)
        (folder / f"{module.stem}.rb").write_text(_ruby(module), encoding="utf-8")


def _ruby(module: _Module) -> str:
    scope = "::".join(camelized(part) for part in (TOP, *module.package))
    related = ("::".join(camelized(part) for part in (TOP, *package, stem)) for package, stem in module.needs)
    return RUBY.substitute(_facts(module), scope=scope, related=", ".join(related))
