"""Runs code the way a notebook does: statements, then the value of the last expression; an error is a report with the frames of cells and no others."""

import ast, linecache, sys, traceback
from json.encoder import encode_basestring_ascii


def make_cell_runner(main):
    """`run(code, name, limit)` on the namespace `main` answers what the process says of itself, as JSON."""
    # Kept as locals so that code that rebinds a builtin or a module's function breaks itself and not its own report.
    eval_, exec_, repr_, isinstance_, type_, len_ = eval, exec, repr, isinstance, type, len
    format_exception, lines_of, parts_of, quoted = traceback.format_exception, linecache.cache, parts, encode_basestring_ascii
    # Past what a metaclass of code's own may say instead.
    name_of = type.__dict__["__name__"].__get__

    def capped(text, limit):
        content = text.encode("utf-8", "backslashreplace")
        return content[:limit].decode("utf-8", "ignore"), len_(content) > limit

    def value_of(code, name):
        statements, last = parts_of(code, name)
        exec_(statements, main)
        value = None if last is None else eval_(last, main)
        return None if value is None else repr_(value)

    def frames_of_cells(error):
        # The frames before the cell are this file's; a SyntaxError of the cell itself has none.
        step = error.__traceback__
        while step is not None and not step.tb_frame.f_code.co_filename.startswith("<cell "):
            step = step.tb_next
        return step

    def report_of(error, limit):
        name = name_of(type_(error))
        exit_code = 1
        if isinstance_(error, SystemExit):
            code = error.code
            exit_code = 0 if code is None else code & 255 if type_(code) is int else 1
            text = code + "\n" if type_(code) is str else ""
        else:
            try:
                text = "".join(format_exception(type_(error), error, frames_of_cells(error), limit=20))
            except BaseException:
                text = name + "\n"
        text, cut = capped(text, limit)
        return f'{{"exitCode": {exit_code}, "errorType": {quoted(name[:200])}, "traceback": {quoted(text)}, "cut": {"true" if cut else "false"}}}'.encode()

    def run(code, name, limit):
        lines_of[name] = (len_(code), None, code.splitlines(True), name)
        try:
            value = value_of(code, name)
        except BaseException as error:
            report = report_of(error, limit)
            error.__traceback__ = None
            return report
        if value is None:
            return b'{"exitCode": 0, "cut": false}'
        value, cut = capped(value, limit)
        return f'{{"exitCode": 0, "value": {quoted(value)}, "cut": {"true" if cut else "false"}}}'.encode()

    return run


def parts(code, name, compile=compile, isinstance=isinstance):
    """Compiled: the statements, and the expression that is the last of them, or None."""
    apart = _apart_at_last_line(code, name, compile)
    if apart is not None:
        return apart
    tree = compile(code, name, "exec", ast.PyCF_ONLY_AST)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    return compile(tree, name, "exec"), None if last is None else compile(ast.Expression(last.value), name, "eval")


def _apart_at_last_line(code, name, compile):
    """
    The same without a tree, whose objects cost more than most code: where what follows the start of the last line that is not indented can be read as an expression, and
    what comes before it as a program. Two texts that can each be read alone mean the same one after the other. None where that is not so, or does not look like it.
    """
    start = len(code)
    while start > 0:
        start = code.rfind("\n", 0, start - 1) + 1
        if code[start : start + 1] not in " \t\f\r\n#":
            break
    before, last = code[:start], code[start:]
    if not last.partition("(")[0].strip().replace(".", "").isidentifier() or before.rstrip().endswith("\\"):
        return None
    try:
        expression = compile("\n" * before.count("\n") + last, name, "eval")
        return compile(before, name, "exec"), expression
    except (SyntaxError, ValueError):
        return None
