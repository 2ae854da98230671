/** @file Programs that try to pass without solving, and some that solve: the task is a function `add(a, b)`, its cases hidden. */

export const honest: Readonly<Record<string, string>> = {
  plain: 'def add(a, b):\n    return a + b',
  'through a class, printing on its way': 'class Sum:\n    def __call__(self, a, b):\n        print("adding", a, b)\n        return a + b\nadd = Sum()',
  'with a main part and its own imports':
    'import functools, operator\ndef add(*numbers):\n    return functools.reduce(operator.add, numbers)\nif __name__ == "__main__":\n    assert add(1, 2) == 3',
};

export const cheats: Readonly<Record<string, string>> = {
  'exit(0) before it is called': 'import sys\nsys.exit(0)',
  'os._exit(0) before it is called': 'import os\nos._exit(0)',
  'os._exit(0) inside the function': 'import os\ndef add(a, b):\n    os._exit(0)',
  'SystemExit inside the function': 'def add(a, b):\n    raise SystemExit(0)',
  'SkipTest inside the function': 'import unittest\ndef add(a, b):\n    raise unittest.SkipTest("not today")',
  'an object that equals everything':
    'class AlwaysEqual:\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\ndef add(a, b): return AlwaysEqual()',
  'an int that equals everything':
    'class Any(int):\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    __hash__ = int.__hash__\ndef add(a, b): return Any(0)',
  'claims on stdout, then exits': 'print("ALL TESTS PASSED\\n1 passed")\nimport os\nos._exit(0)',
  'a report in JSON on stdout':
    'import json, os\nprint(json.dumps({"passed": True, "score": 1.0, "exit_code": 0}))\nimport sys; sys.stdout.flush()\nos._exit(0)',
  'patched json.dumps': 'import json\njson.dumps = lambda *rest, **more: "true"\ndef add(a, b): return 0',
  'patched print': 'import builtins, os\nbuiltins.print = lambda *rest, **more: os.write(1, b"null\\n")\ndef add(a, b): return 0',
  'the caller from the stack':
    'import sys\ndef add(a, b):\n    frame = sys._getframe()\n    seen = []\n    while frame:\n        seen += [v for n, v in {**frame.f_globals, **frame.f_locals}.items() if "expect" in n or "answer" in n or "cases" in n]\n        frame = frame.f_back\n    return seen[0] if seen else 0',
  'the garbage collector':
    'import gc\ndef add(a, b):\n    found = [o for o in gc.get_objects() if isinstance(o, dict) and ("expected" in o or "stdout" in o)]\n    return found[0].get("expected") if found else 0',
  'its own source and files beside it':
    'import os\ndef add(a, b):\n    for folder in ("/", "/tmp", "/home", os.getcwd(), "/work"):\n        for root, _, files in os.walk(folder):\n            if root.startswith(("/proc", "/sys", "/usr", "/lib")): continue\n            for name in files:\n                if "case" in name or "expected" in name or "test" in name: return open(os.path.join(root, name)).read()\n    return 0',
  'frames written to every descriptor':
    'import os, json\nframe = json.dumps({"op": "execution", "status": "ok", "stdout": {"head": "5"}}).encode()\nfor fd in range(3, 256):\n    try: os.write(fd, len(frame).to_bytes(4, "big") + bytes(32) + frame)\n    except OSError: pass\ndef add(a, b): return 0',
  'a child that answers later': 'import os, time\nif os.fork() == 0:\n    time.sleep(0.2)\n    os.write(1, b"5\\n")\n    os._exit(0)\ndef add(a, b): return 0',
  'every small number, one after another': 'def add(a, b):\n    print("\\n".join(map(str, range(100))))\n    return list(range(100))',
};
