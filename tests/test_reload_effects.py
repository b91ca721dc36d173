"""What a module does to others while it is imported: it is undone, and done again, when the module is edited."""

# ruff: noqa: F811  (a fixture imported by name)

from __future__ import annotations

import pytest
from reload_app import app, shown  # noqa: F401

# What is to be shown of the module `user`, the other sources, and what `b` is edited to be.
CASES = {
    "a counter in a list": (
        "a._n, sorted(k for k in vars(b) if len(k)==1)",
        {"a": "_n=[0]\ndef nxt():\n    _n[0]+=1\n    return _n[0]\n", "user": "from APP import a,b\n"},
        [
            "from APP.a import nxt\nA=nxt()\nB=nxt()\n",
            "from APP.a import nxt\nA=nxt()\n",
            "from APP.a import nxt\nA=nxt()\nB=nxt()\nC=nxt()\n",
            "from APP.a import nxt\n",
        ],
    ),
    "a global counter": (
        "a.N",
        {"a": "N=0\ndef nxt():\n    global N\n    N+=1\n    return N\n", "user": "from APP import a,b\n"},
        [
            "from APP.a import nxt\nA=nxt()\nB=nxt()\n",
            "from APP.a import nxt\nA=nxt()\n",
            "from APP.a import nxt\nX=[nxt() for i in range(4)]\n",
            "from APP.a import nxt\n",
        ],
    ),
    "entries that reading makes": (
        "sorted(a.R)",
        {"a": "from collections import defaultdict\nR=defaultdict(list)\n", "user": "from APP import a,b\n"},
        [
            'from APP.a import R\nX=R["x"]\nY=R["y"]\n',
            'from APP.a import R\nX=R["x"]\n',
            'from APP.a import R\nZ=R["z"]\n',
            "",
        ],
    ),
    "attributes that reading makes": (
        "[sorted(vars(a.Tok)), sorted(vars(vars(a.Tok).get('x', a.Tok))), sorted(vars(vars(a.Tok).get('z', a.Tok)))]",
        {
            "a": "class T:\n    def __getattr__(self, n):\n        if n[:2] == '__': raise AttributeError(n)\n"
            "        v = T()\n        setattr(self, n, v)\n        return v\nTok = T()\n",
            "user": "from APP import a, b\n",
        },
        [
            "from APP.a import Tok\nA = Tok.x.y\nL = [Tok.z.q, Tok.x]\n",
            "from APP.a import Tok\nA = Tok.x\nL = [Tok.z.q, Tok.x]\n",
            "from APP.a import Tok\nA = Tok.x\n",
        ],
    ),
    "a decorator that enters its function": (
        "sorted(a.R)",
        {"a": "R={}\ndef reg(n):\n    def d(f): R[n]=f; return f\n    return d\n", "user": "from APP import a,b\n"},
        [
            'from APP.a import reg\n@reg("x")\ndef h(): return 1\n@reg("y")\ndef g(): return 2\n',
            'from APP.a import reg\ndef h(): return 1\n@reg("y")\ndef g(): return 2\n',
            'from APP.a import reg\n@reg("z")\ndef h(): return 1\ndef g(): return 3\n',
        ],
    ),
    "a default that enters something": (
        "a.R",
        {"a": "R={}\n", "user": "from APP import a,b\n"},
        [
            'from APP.a import R\ndef f(x=R.setdefault("k",1)): return x\n',
            "from APP.a import R\ndef f(x=1): return x\n",
            'from APP.a import R\ndef f(x=R.setdefault("j",5)): return x\n',
        ],
    ),
    "a call in the body of a class": (
        "a.R",
        {"a": "R=[]\ndef col(n):\n    R.append(n); return n\n", "user": "from APP import a,b\n"},
        [
            'from APP.a import col\nclass K:\n    x=col("x")\n    y=col("y")\n',
            'from APP.a import col\nclass K:\n    x=col("x")\n',
            'from APP.a import col\nclass K:\n    x=col("x")\n    z=col("z")\n',
        ],
    ),
    "a call in a comprehension": (
        "sorted(a.R)",
        {"a": "R=set()\ndef add(n): R.add(n); return n\n", "user": "from APP import a,b\n"},
        [
            "from APP.a import add\nX=[add(i) for i in range(3)]\n",
            "from APP.a import add\nX=[add(i) for i in range(2)]\n",
            "from APP.a import add\nX=tuple(map(add,[7]))\n",
        ],
    ),
    "a call under a condition": (
        "a.R",
        {"a": "R={}\ndef put(k,v): R[k]=v; return v\n", "user": "from APP import a,b\n"},
        [
            'from APP.a import put\nV=put("a",1) if True else 0\n',
            'from APP.a import put\nV=put("a",1) if False else 0\n',
            'from APP.a import put\nV=put("b",1) and put("c",2)\n',
        ],
    ),
    "attributes of a class of another module": (
        'sorted(k for k in vars(a.K) if k[0]!="_")',
        {"a": "class K:\n    pass\n", "user": "from APP import a,b\n"},
        [
            "from APP.a import K\nK.x=1\nK.y=2\n",
            "from APP.a import K\nK.x=1\n",
            'from APP.a import K\nsetattr(K,"z",3)\n',
        ],
    ),
    "instances that enter themselves": (
        "a.ALL",
        {"a": "ALL=[]\nclass K:\n    def __init__(s,n): s.n=n; ALL.append(n)\n", "user": "from APP import a,b\n"},
        [
            "from APP.a import K\nP=K(1)\nQ=K(2)\n",
            "from APP.a import K\nP=K(1)\n",
            "from APP.a import K\nP=K(1)\nW=K(5)\n",
        ],
    ),
    "a function of a third module": (
        "a.R",
        {
            "a": "R=[]\n",
            "c": "from APP.a import R\ndef put(x): R.append(x); return x\n",
            "user": "from APP import a,b,c\n",
        },
        ["from APP.c import put\nP=put(1)\nQ=put(2)\n", "from APP.c import put\nP=put(1)\n", "P=4\n"],
    ),
    "a context manager": (
        "a.R",
        {
            "a": "R=[]\nclass C:\n    def __enter__(s): R.append(1); return s\n    def __exit__(s,*a): R.append(2)\n",
            "user": "from APP import a,b\n",
        },
        [
            "from APP.a import C\nwith C() as c: x=1\n",
            "from APP.a import C\nx=1\n",
            "from APP.a import C\nwith C(): pass\nwith C(): pass\n",
        ],
    ),
    "an import in a function": (
        "a.R",
        {"a": "R=[]\n", "user": "from APP import a,b\n"},
        [
            "def f():\n    from APP.a import R\n    R.append(1); return 1\nX=f()\n",
            "X=1\n",
            "def f():\n    from APP.a import R\n    R.append(7); return 1\nX=f()\nY=f()\n",
        ],
    ),
    "attributes of another module": (
        "sorted(k for k in vars(a) if len(k)==1)",
        {"a": "", "user": "from APP import a,b\n"},
        ["from APP import a\na.X=1\na.Y=2\n", "from APP import a\na.X=1\n", "from APP import a\na.Z=3\n", "pass\n"],
    ),
    "a number in a dict": (
        "a.R",
        {"a": 'R={"n":0}\ndef inc(): R["n"]+=1\n', "user": "from APP import a,b\n"},
        ["import APP.a as a\nV=a.inc()\nW=(a.inc(),a.inc())\n", "import APP.a as a\nV=a.inc()\n", "V=1\n"],
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_done_to_others_is_what_a_fresh_process_does(app, kind):
    expression, others, edits = CASES[kind]
    a = app(**others, b=edits[0])
    a("user")
    for text in [*edits[1:], *edits[:2], edits[0]]:
        assert a.edit(b=text).ok
        assert eval(expression, a("user").__dict__) == shown(expression, {**others, "b": text, "user": others["user"]})
