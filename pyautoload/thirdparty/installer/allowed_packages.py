"""Which distributions may be installed: what the user names, checked before anything sees it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit, urlunsplit
from urllib.request import url2pathname

from pyautoload.sources.regular import read_regular
from pyautoload.thirdparty.installer.wheel_check import provided_by_wheel
from pyautoload.thirdparty.load_errors import InstallRefused
from pyautoload.thirdparty.redaction import redacted

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Package", "allowed_packages", "parsed_requirement"]

HASH = re.compile(r"\s+--hash=(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$")
PINNED = re.compile(r"@[0-9a-f]{40}$")


@dataclass(frozen=True)
class Package:
    """A distribution that may be installed.

    Attributes:
        name: its normalised name, ``'scikit-learn'``.
        requirement: version, extras and marker, as ``packaging`` has it.
        imports: the import names that it is known to provide; empty where that is not known before it is there.
        location: the path of a local file or directory, or a Git URL; ``''`` for a distribution of an index.
        hashes: the accepted hashes, ``('sha256:...',)``.
    """

    name: str
    requirement: Requirement
    imports: frozenset[str] = field(default_factory=frozenset)
    location: str = ""
    hashes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Package {redacted(self.line)}>"

    @property
    def line(self) -> str:
        """The line for a requirements file."""
        requirement = self.requirement
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        source = self.location if self.location.startswith("git+") else self.location and Path(self.location).as_uri()
        if source.startswith("git+file:///") and os.name != "nt":
            # A pip before 23.1 takes a URL without a host for a path.
            source = source.replace("file:///", "file://localhost/", 1)
        line = (
            f"{requirement.name}{extras} @ {source}" if source else f"{requirement.name}{extras}{requirement.specifier}"
        )
        return line + "".join(f" --hash={value}" for value in self.hashes)


def allowed_packages(
    packages: Iterable[str] | Mapping[str, str], only_binary: bool, hashes: bool | Mapping[str, Iterable[str]]
) -> dict[str, Package]:
    """The packages that the user allows, by normalised name.

    Raises:
        InstallRefused: one of them is not acceptable; the message says why and what would be.
    """
    if isinstance(packages, str):
        raise InstallRefused(f"packages is a list of requirements, not the one text {packages!r}")
    pairs = packages.items() if isinstance(packages, Mapping) else ((None, text) for text in packages)
    allowed: dict[str, Package] = {}
    for import_name, text in pairs:
        package = _parsed(text, only_binary)
        if import_name is not None:
            if not import_name.isidentifier():
                raise InstallRefused(f"{import_name!r} is not an import name: packages={{'sklearn': 'scikit-learn'}}")
            package = replace(package, imports=frozenset({import_name}))
        if package.name in allowed:
            package = replace(package, imports=package.imports | allowed[package.name].imports)
        allowed[package.name] = package
    return {name: _hashed(package, hashes) for name, package in allowed.items()}


def _parsed(text: str, only_binary: bool) -> Package:
    if not isinstance(text, str) or not text or not text.isprintable() or text.startswith("-"):
        raise InstallRefused(f"{text!r} is not a requirement: give the name of a distribution, 'name>=1'")
    hashes: list[str] = []
    while match := HASH.search(text):
        hashes.insert(0, match[1])
        text = text[: match.start()]
    if text.startswith((".", "/", "~")) or os.path.isabs(text) or text.endswith((".whl", ".tar.gz", ".zip")):
        return _local(os.path.expanduser(text), text, only_binary, tuple(hashes))
    try:
        requirement = parsed_requirement(text)
    except ValueError as error:
        raise InstallRefused(f"{text!r} is not a requirement ({error}): 'name', 'name>=1'") from None
    name = _normalised(requirement.name)
    if requirement.url is None:
        return Package(name, requirement, hashes=tuple(hashes))
    parts = _split(requirement.url)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise InstallRefused(f"{text!r}: a file of another machine has to be fetched first")
        package = _local(url2pathname(parts.path), text, only_binary, tuple(hashes))
        if package.name != name:
            raise InstallRefused(f"{text!r}: the file is of the distribution {package.name}")
        return package
    return Package(name, requirement, location=_git(requirement.url, only_binary), hashes=tuple(hashes))


def parsed_requirement(text: str) -> Requirement:
    """What ``packaging`` makes of a requirement.

    Raises:
        ValueError: it is none; the message is one line.
    """
    from packaging.requirements import Requirement

    try:
        return Requirement(text)
    except (ValueError, RecursionError, OverflowError) as error:
        lines = str(error).splitlines() or [""]
        raise ValueError(redacted(lines[0]) or type(error).__name__) from None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is not a number
    except ValueError as error:
        raise InstallRefused(f"{url!r} is not a URL: {error}") from None
    return parts


def _git(url: str, only_binary: bool) -> str:
    """A Git URL that always gives the same code."""
    parts = _split(url)
    if parts.scheme not in ("git+https", "git+ssh", "git+file"):
        raise InstallRefused(
            f"{url!r} is not a source: an index, a Git URL (git+https://...@commit), a local path or wheel"
        )
    if not PINNED.search(parts.path) or parts.query or parts.fragment:
        raise InstallRefused(f"{url!r} can change: end it with @ and the full commit (40 digits)")
    if parts.password is not None:
        raise InstallRefused(
            "a Git URL with a password would be seen by others: leave it to a credential helper of Git"
        )
    if only_binary:
        raise InstallRefused(f"{url!r} must be built, which runs its code: only_binary=False allows that")
    return urlunsplit(parts)  # the scheme in lower case


def _local(path: str, text: str, only_binary: bool, hashes: tuple[str, ...]) -> Package:
    """A wheel, a source archive or a directory of this machine."""
    from packaging.utils import parse_sdist_filename, parse_wheel_filename

    try:
        path = os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise InstallRefused(f"{text!r} is not a path: {error}") from None
    if not os.path.exists(path):
        raise InstallRefused(f"{text!r} is not a requirement, and there is no file or directory {path}")
    imports: frozenset[str] = frozenset()
    try:
        if path.endswith(".whl"):
            name = str(parse_wheel_filename(os.path.basename(path))[0])
            imports = provided_by_wheel(path)
        elif os.path.isdir(path):
            name = _project_name(path)
        else:
            name = str(parse_sdist_filename(os.path.basename(path))[0])
        requirement = parsed_requirement(name)
    except ValueError as error:
        raise InstallRefused(f"{path} is not a distribution: {error}") from None
    if only_binary and not path.endswith(".whl"):
        raise InstallRefused(f"{path} must be built, which runs its code: build a wheel, or allow only_binary=False")
    return Package(_normalised(name), requirement, imports, path, hashes)


def _project_name(directory: str) -> str:
    """The name in ``pyproject.toml``: the one thing that tells a distribution's name without running its code."""
    try:
        text = read_regular(os.path.join(directory, "pyproject.toml")).decode("utf-8", "replace")
    except OSError:
        raise InstallRefused(f"{directory} is not a distribution: it has no pyproject.toml") from None
    section = re.search(r"^\[project\]\s*$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    match = re.search(r"""^name\s*=\s*["']([A-Za-z0-9._-]+)["']""", section[1] if section else "", re.MULTILINE)
    if match is None:
        raise InstallRefused(f"{directory} does not state its name in [project] of pyproject.toml")
    return match[1]


def _hashed(package: Package, hashes: bool | Mapping[str, Iterable[str]]) -> Package:
    """``package`` with its hashes, if hashes are required."""
    if isinstance(hashes, Mapping):
        given = {_normalised(name): tuple(values) for name, values in hashes.items()}.get(package.name, ())
        if any(not HASH.search(f" --hash={value}") for value in given):
            raise InstallRefused(f"the hashes of {package.name} must look like 'sha256:' and 64 hexadecimal digits")
        package = replace(package, hashes=package.hashes + given)
    if hashes is False:
        return package
    if not package.hashes:
        raise InstallRefused(
            f"hashes are required and {package.name} has none: require_hashes={{'{package.name}': [...]}}"
        )
    pins = [specifier.operator for specifier in package.requirement.specifier]
    if package.location.startswith("git+") or (not package.location and pins != ["=="]):
        raise InstallRefused(
            f"with hashes {package.name} needs one version of an index or a file: '{package.name}==1.0'"
        )
    return package


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
