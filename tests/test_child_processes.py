"""Processes that are started by spawn or forkserver have the loaders of the one that starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pyautoload

MODELS = """
class Address:
    def __init__(self, street):
        self.street = street

def upper(address):
    return Address(address.street.upper())
"""
POOLS = {
    "pool": "with multiprocessing.get_context(method).Pool(2) as pool:\n        got = pool.map(upper, given)",
    "executor": "with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:\n"
    "        got = list(pool.map(upper, given))",
}
BEFORE = {
    "below main": ("", "AutoLoader('shop').setup()"),
    "at the top": ("AutoLoader('shop').setup()", "pass"),
    "multiprocessing later": ("", "AutoLoader('shop').ignore('skipped').setup()"),
}


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("where", BEFORE)
def test_a_pool_takes_what_is_managed(tree, tmp_path, where, pool, method):
    if method == "forkserver" and sys.platform == "win32":
        pytest.skip("there is none")
    top, main = BEFORE[where]
    imports = "import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\n"
    early, late = ("", imports) if where == "multiprocessing later" else (imports, "")
    program = f"""{early}from pyautoload import AutoLoader
{top}
if __name__ == "__main__":
    method = {method!r}
    {main}
    {late.replace(chr(10), chr(10) + "    ")}
    from shop.models import Address, upper
    given = [Address("a"), Address("b")]
    {POOLS[pool]}
    print([address.street for address in got])
"""
    tree({"shop/models.py": MODELS, "main.py": program})
    path = str(Path(pyautoload.__file__).parent.parent)
    result = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, env=_environment(path), capture_output=True, text=True, timeout=100
    )
    assert result.stdout == "['A', 'B']\n", result.stderr


def _environment(path: str) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": path}
