"""The installer as a process: uv or pip, arguments as a list, credentials in its environment, a time limit."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.resources import files

from pyautoload import log
from pyautoload.thirdparty.installer.package_indexes import Index
from pyautoload.thirdparty.load_errors import InstallError
from pyautoload.thirdparty.redaction import redacted, secrets_in, without

__all__ = ["Command"]

# So long (seconds) the process between us and the installer may take to kill that.
_KILL = 10.0


class Command:
    """Runs the installer for the interpreter that runs this."""

    def __init__(self, index: Index | None, only_binary: bool, require_hashes: bool, timeout: float) -> None:
        self.index = index
        self.only_binary = only_binary
        self.require_hashes = require_hashes
        self.timeout = timeout

    def run(self, lines: list[str], library: str, staging: str) -> None:
        """Install requirements, without their dependencies, into the directory ``library``.

        Args:
            lines: lines of a requirements file, each made of a checked name.
            library: a directory that does not exist yet.
            staging: an existing directory for the requirements file.

        Raises:
            InstallError: it failed or took too long; the message holds the end of what it said, without credentials.
        """
        requirements = os.path.join(staging, "requirements.txt")
        with open(requirements, "w", encoding="utf-8") as opened:
            opened.write("\n".join(lines) + "\n")
        arguments = self.arguments(library, requirements)
        log.debug("install", "%s: %s", redacted(", ".join(lines)), redacted(" ".join(arguments)))
        code, output = self._finished(arguments, staging)
        if code != 0:
            secrets = secrets_in("\n".join(lines)) | (self.index.secrets if self.index else set())
            shown = without(output, secrets)
            tail = "\n".join(shown.strip().splitlines()[-12:])
            raise InstallError(f"{os.path.basename(arguments[0])} failed with exit code {code}:\n{tail}")

    def arguments(self, library: str, requirements: str) -> list[str]:
        """The command as a list of words; nothing secret, as other users can read it."""
        uv = shutil.which("uv")
        if uv:
            words = [uv, "pip", "install", "--python", sys.executable, "--no-progress", "--link-mode", "copy"]
            words += ["--no-config"] if self.index else []
        elif importlib.util.find_spec("pip") is not None:
            words = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--no-input",
                "--disable-pip-version-check",
                "--no-compile",
            ]
            words += ["--progress-bar", "off", "--no-warn-script-location"]
        else:
            raise InstallError(f"there is neither uv nor pip for {sys.executable}: run {sys.executable} -m ensurepip")
        words += ["--no-deps", "--target", library]
        words += ["--only-binary", ":all:"] if self.only_binary else []
        words += ["--require-hashes"] if self.require_hashes else []
        words += ["--no-index", "--find-links", self.index.place] if self.index and self.index.is_directory else []
        return [*words, "-r", requirements]

    def environment(self) -> dict[str, str]:
        """The environment of the installer: with an index given, nobody's configuration can add another one."""
        if self.index is None:
            return dict(os.environ)
        kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(("PIP_", "UV_"))}
        kept.update({"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"})
        if not self.index.is_directory:
            kept.update({"PIP_INDEX_URL": self.index.full, "UV_DEFAULT_INDEX": self.index.full})
        return kept

    def _finished(self, arguments: list[str], staging: str) -> tuple[int, str]:
        """Exit code and output; the process and its children are ended after the time limit, and when this one ends."""
        program = files("pyautoload.thirdparty.installer").joinpath("command_lifeline.py").read_text(encoding="utf-8")
        read, held = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", program, staging, *arguments],
                env=self.environment(),
                stdin=read,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except BaseException:
            os.close(held)
            raise
        finally:
            os.close(read)
        try:
            output, _ = process.communicate(timeout=self.timeout)
        except BaseException as error:
            os.close(held)
            held = -1
            _end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise InstallError(f"the installer did not end within {self.timeout} seconds") from None
            raise
        finally:
            if held >= 0:
                os.close(held)
        return process.returncode, output


def _end(process: subprocess.Popen[str]) -> None:
    """Wait for the process, which kills the installer and its children (builds); if it does not, kill it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_KILL)
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
