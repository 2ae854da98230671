"""Runs cells the way a notebook does. Loaded once, before the baseline of memory is taken; the host calls run_cell through the C API."""

import ast, asyncio, gc, io, json, linecache, os, random, sys, time, traceback, types


def _make_driver():
    # Kept as locals so that a cell that rebinds a builtin or a module's function breaks itself and not its own report.
    main = sys.modules["__main__"].__dict__
    stdout, stderr = sys.stdout, sys.stderr
    dumps, loads, count = json.dumps, json.loads, 0  # setup is cell 0

    def capped(text, limit):
        data = text.encode("utf-8", "backslashreplace")
        return data[:limit].decode("utf-8", "ignore"), len(data) > limit

    def stdin_of(text):
        return io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "replace")), encoding="utf-8")

    def value_of(code, name):
        if code and not code[0].isspace() and "\n" not in code:
            # Most cells are one expression, which needs no tree of Python objects.
            try:
                only = compile(code, name, "eval")
            except SyntaxError:
                pass
            else:
                value = eval(only, main)
                return None if value is None else repr(value)
        tree = compile(code, name, "exec", ast.PyCF_ONLY_AST)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), main)
        if last is None:
            return None
        value = eval(compile(ast.Expression(last.value), name, "eval"), main)
        return None if value is None else repr(value)

    def user_frames(error):
        # The frames before the cell are this file's; a SyntaxError of the cell itself has no frame of the user's at all.
        step = error.__traceback__
        while step is not None and not step.tb_frame.f_code.co_filename.startswith("<cell "):
            step = step.tb_next
        return step

    def report(error, limit):
        name = type.__getattribute__(type(error), "__name__")
        try:
            lines = traceback.format_exception(type(error), error, user_frames(error), limit=20)
            text = "".join(lines)
        except BaseException:
            text = name + "\n"
        exit_code = 1
        if isinstance(error, SystemExit):
            code = error.code
            exit_code = 0 if code is None else code & 255 if type(code) is int else 1
            text = code + "\n" if type(code) is str else ""
        text, cut = capped(text, limit)
        return {"exitCode": exit_code, "errorType": name[:200], "traceback": text, "cut": cut}

    def run_cell(request):
        nonlocal count
        request = loads(request)
        name = f"<cell {count}>"
        count += 1
        code = request["code"]
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        if request["stdin"]:
            sys.stdin = stdin_of(request["stdin"])
        answer = {"exitCode": 0}
        try:
            value = value_of(code, name)
            if value is not None:
                answer["value"], answer["cut"] = capped(value, request["limit"])
        except BaseException as error:
            answer = report(error, request["limit"])
            error.__traceback__ = None
        for stream in (sys.stdout, stdout, sys.stderr, stderr):
            try:
                stream.flush()
            except Exception:
                pass
        return dumps(answer).encode()

    def rehearse():
        # What the first cells of a session do (filling caches, importing lazily, specializing bytecode) becomes part of what every session begins with.
        nonlocal count
        for _ in range(20):
            for code in REHEARSAL:
                run_cell(dumps({"code": code, "stdin": "", "limit": 4096}))
        count = 0
        linecache.cache.clear()

    sys.stdin = stdin_of("")
    return run_cell, rehearse


def _close_bridge():
    """Leaves no importable way to JavaScript. The import table of the WebAssembly module is what enforces it; this makes the failure a clean one."""
    closed = {"js", "pyodide_js", "pyodide", "_pyodide", "_pyodide_core", "pyodide_kernel", "micropip", "ctypes", "_ctypes", "webbrowser", "ssl"}

    class ClosedModules:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.partition(".")[0] in closed:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    # Pyodide wraps these two to go through JavaScript's event loop.
    time.sleep, asyncio.run = getattr(time.sleep, "__wrapped__", time.sleep), getattr(asyncio.run, "__wrapped__", asyncio.run)
    for name in [name for name in sys.modules if name.partition(".")[0] in closed]:
        module = sys.modules.pop(name)
        if type(module) is types.ModuleType and name != "_pyodide_core":
            module.__dict__.clear()
    sys.meta_path[:] = [ClosedModules] + [finder for finder in sys.meta_path if finder.__module__.startswith("_frozen_importlib")]
    asyncio.events._set_event_loop_policy(None)


def _reset_main():
    main = sys.modules["__main__"].__dict__
    for name in list(main):
        if name not in ("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__builtins__"):
            del main[name]


def prepare():
    """What every session begins with. Runs once, after the host has taken hold of run_cell."""
    for name in PRELOADED.split():
        __import__(name)
    _close_bridge()
    rehearse()
    _reset_main()
    os.environ.clear()
    random.seed(0)
    gc.collect()
    gc.freeze()


# Imported before the baseline is taken, so that a cell's import of them costs nothing and touches little memory.
PRELOADED = """math cmath re fractions decimal collections itertools functools statistics string heapq bisect operator datetime time copy
dataclasses typing enum textwrap abc contextlib"""
# Cells as they come: a setup, calls, output, and the usual errors.
REHEARSAL = [
    "def _tool(table, name):\n    def tool(key): return table[key]\n    tool.__name__ = tool.__qualname__ = name\n    return tool\nget = _tool({'a': 1}, 'get')\ndel _tool",
    "get('a')",
    "get('missing')",
    "get()",
    "get(",
    "undefined + 1",
    "1 / 0",
    "total = sum(i * i for i in range(50))\nprint(total)\ntotal / 7",
    "def f(n): return n if n < 2 else f(n - 1) + f(n - 2)\n[f(5), 'text', {1: 2.5}, (True, None)]",
    "import math\nfor i in range(3):\n    x = math.sqrt(i)\n    print(i, f'{x:.3f}')",
]
run_cell, rehearse = _make_driver()
