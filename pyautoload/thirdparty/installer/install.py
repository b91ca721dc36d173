"""Installing what ``load`` misses: only what the user named, only from where the user said, all of it or nothing.

The installer (uv if there is one, else pip) is a process of its own. It gets a requirements file that is made of
checked names, and a directory of ours; what it put there is checked, then moved into place.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import sys
import sysconfig
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pyautoload.errors import ModuleNotFoundError, SetupError
from pyautoload.thirdparty.installer.allowed_packages import Package, allowed_packages, parsed_requirement
from pyautoload.thirdparty.installer.command import Command
from pyautoload.thirdparty.installer.package_indexes import Index, index_of
from pyautoload.thirdparty.installer.staging import locked, make_staging, move_all, remove_left
from pyautoload.thirdparty.installer.wheel_check import provided_by_wheel
from pyautoload.thirdparty.load_errors import InstallError, InstallRefused
from pyautoload.thirdparty.redaction import redacted

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Installer", "missing"]


def missing(name: str) -> ModuleNotFoundError:
    """The error for a module that is missing while installing is off."""
    return ModuleNotFoundError(
        name,
        "install the distribution that provides it, whose name may differ; "
        f"or allow its installation with load.allow_install({{{name!r}: '<distribution>'}})",
    )


class Installer:
    """Installs the distributions that the user named; made by ``load.allow_install``."""

    def __init__(
        self,
        packages: Iterable[str] | Mapping[str, str],
        *,
        index: str | Index | None = None,
        only_binary: bool = True,
        require_hashes: bool | Mapping[str, Iterable[str]] = False,
        into: str | os.PathLike[str] | None = None,
        timeout: float = 300,
    ) -> None:
        if importlib.util.find_spec("packaging") is None:
            raise SetupError("allow_install() checks names with packaging: pip install 'pyautoload[install]'")
        self.allowed = allowed_packages(packages, only_binary, require_hashes)
        self.index = index_of(index) if isinstance(index, str) else index
        self.into = os.path.abspath(os.fspath(into)) if into is not None else None
        self.timeout = timeout
        self.command = Command(self.index, only_binary, bool(require_hashes), timeout)
        # One installation at a time in this process; the file lock keeps other processes out. It is not held while
        # anything that was installed is imported.
        self._lock = threading.Lock()

    def install(self, import_name: str) -> None:
        """Make ``import_name`` importable by installing the distribution that provides it.

        Raises:
            ModuleNotFoundError: none of the allowed distributions is known to provide it.
            InstallError: it failed, nothing was left behind.
        """
        package = self.package_for(import_name)
        directory = self.into or sysconfig.get_path("purelib")
        os.makedirs(directory, exist_ok=True)
        with self._lock, locked(directory, self.timeout):
            remove_left(directory)
            if directory not in sys.path:
                sys.path.append(directory)
            importlib.invalidate_caches()
            # Another thread or process may have been faster.
            if importlib.util.find_spec(import_name) is None:
                self._install(package, import_name, directory)
                importlib.invalidate_caches()

    def package_for(self, import_name: str) -> Package:
        """The allowed distribution that provides ``import_name``: as given, as wheels say, or of the same name.

        The last is checked against what the distribution really holds before anything of it is moved into place.
        """
        for package in self.allowed.values():
            if import_name in package.imports or import_name in self._imports_in_directory(package):
                return package
        same = self.allowed.get(import_name.lower().replace("_", "-"))
        if same is not None and not same.imports:
            return same
        names = ", ".join(self.allowed) or "none"
        raise ModuleNotFoundError(
            import_name,
            f"which of the allowed distributions ({names}) provides it is not known, and nothing is guessed; "
            f"say it with load.allow_install({{{import_name!r}: '<distribution>'}})",
        )

    def _imports_in_directory(self, package: Package) -> frozenset[str]:
        """What the wheels of ``package`` provide, where the index is a directory."""
        if self.index is None or not self.index.is_directory or package.location:
            return frozenset()
        prefix = package.name.replace("-", "_") + "-"
        found: frozenset[str] = frozenset()
        try:
            names = os.listdir(self.index.place)
        except OSError as error:
            raise InstallError(f"the directory {self.index.place} cannot be read: {error.strerror}") from error
        for name in names:
            if name.lower().replace(".", "_", name.count(".")).startswith(prefix) and name.endswith(".whl"):
                with contextlib.suppress(InstallRefused):  # a damaged one tells nothing; the installer will refuse it
                    found |= provided_by_wheel(os.path.join(self.index.place, name))
        return found

    def _install(self, package: Package, import_name: str, directory: str) -> None:
        staging = make_staging(directory)
        try:
            library = self._fetch({package.name: package}, staging)
            if importlib.machinery.PathFinder.find_spec(import_name, [library]) is None:
                held = ", ".join(sorted(name for name in os.listdir(library) if not name.endswith(".dist-info")))
                raise InstallError(
                    f"the distribution {package.name} does not provide {import_name} (it holds {held}); nothing was "
                    f"installed. Say which one does: load.allow_install({{{import_name!r}: '<distribution>'}})"
                )
            move_all(library, directory)
        except InstallError as error:
            raise InstallError(f"{error}\nNothing was installed. To do it by hand: {self._by_hand(package)}") from error
        except OSError as error:
            raise InstallError(
                f"{package.name} could not be installed into {directory}: {error}. Nothing was installed. "
                f"To do it by hand: {self._by_hand(package)}"
            ) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _fetch(self, wanted: dict[str, Package], staging: str) -> str:
        """Install ``wanted`` and what it depends on into a fresh directory below ``staging``; returns that.

        Dependencies are never left to the installer: each must have been named by the user, or be there already. As
        that is known only when the metadata is there, what is wanted grows until it is complete.
        """
        for attempt in range(50):
            library = os.path.join(staging, f"library-{attempt}")
            self.command.run([package.line for package in wanted.values()], library, staging)
            try:
                more = self._dependencies(library, wanted)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                raise InstallError(f"the metadata of the downloaded package cannot be read ({reason})") from None
            if not more:
                return library
            wanted = {**wanted, **more}
        raise InstallError(f"the dependencies of {next(iter(wanted))} do not come to an end")

    def _dependencies(self, library: str, wanted: Mapping[str, Package]) -> dict[str, Package]:
        """What the distributions in ``library`` still need, with the versions that they ask for."""
        from packaging.utils import canonicalize_name

        more: dict[str, Package] = {}
        staged = {
            str(canonicalize_name(found.metadata["Name"])): found
            for found in importlib.metadata.distributions(path=[library])
        }
        for name, distribution in staged.items():
            if name not in wanted:
                raise InstallError(f"the installer brought {name}, which was not asked for")
            for text in distribution.requires or ():
                requirement = parsed_requirement(text)
                if not _applies(requirement, wanted[name].requirement.extras):
                    continue
                needed = str(canonicalize_name(requirement.name))
                present = staged[needed].version if needed in staged else _installed_version(needed)
                if present is not None and requirement.specifier.contains(present, prereleases=True):
                    continue
                more[needed] = self._narrowed(needed, requirement, name, present, more.get(needed, wanted.get(needed)))
        return more

    def _narrowed(
        self, needed: str, requirement: Requirement, by: str, present: str | None, chosen: Package | None
    ) -> Package:
        """The allowed package ``needed`` in a version that ``requirement`` takes, too."""
        package = chosen or self.allowed.get(needed)
        if package is None:
            has = f" (version {present} is there)" if present else ""
            raise InstallError(f"{by} needs {requirement}{has}, which is not allowed: add {needed!r} to packages=")
        if package.location or package.hashes:
            if chosen is not None:
                raise InstallError(f"{by} needs {requirement}, and {package.line.split(' --hash')[0]} does not fit")
            return package
        both = package.requirement.specifier & requirement.specifier
        if chosen is not None and both == chosen.requirement.specifier:
            raise InstallError(f"{by} needs {requirement}, and no version of {needed} fits all that need it")
        extras = package.requirement.extras | requirement.extras
        text = package.requirement.name + (f"[{','.join(sorted(extras))}]" if extras else "") + str(both)
        return replace(package, requirement=parsed_requirement(text))

    def _by_hand(self, package: Package) -> str:
        """The command for a user to type; credentials are left to them."""
        source = []
        if self.index is not None:
            place = self.index.place
            source = ["--no-index", "--find-links", place] if self.index.is_directory else ["--index-url", place]
        words = [sys.executable, "-m", "pip", "install", *source, package.line.split(" --hash")[0]]
        if self.into:
            words[4:4] = ["--target", self.into]
        return redacted(shlex.join(words))


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    """Whether the marker of ``requirement`` holds here, with the extras that were asked for."""
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
