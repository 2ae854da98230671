"""Runs code the way a notebook does: statements, then the value of the last expression; an error is a report with the frames of cells and no others."""

import ast, linecache, sys, traceback


def make_cell_runner(main):
    """`run(code, name, limit)` on the namespace `main` answers what the process says of itself."""
    # Kept as locals so that code that rebinds a builtin or a module's function breaks itself and not its own report.
    compile_, eval_, exec_, repr_, isinstance_, type_, len_ = compile, eval, exec, repr, isinstance, type, len
    only_tree, expression, expression_statement = ast.PyCF_ONLY_AST, ast.Expression, ast.Expr
    format_exception, lines_of = traceback.format_exception, linecache.cache
    # Past what a metaclass of code's own may say instead.
    name_of = type.__dict__["__name__"].__get__

    def capped(text, limit):
        content = text.encode("utf-8", "backslashreplace")
        return content[:limit].decode("utf-8", "ignore"), len_(content) > limit

    def value_of(code, name):
        tree = compile_(code, name, "exec", only_tree)
        last = tree.body.pop() if tree.body and isinstance_(tree.body[-1], expression_statement) else None
        exec_(compile_(tree, name, "exec"), main)
        if last is None:
            return None
        value = eval_(compile_(expression(last.value), name, "eval"), main)
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
        return {"exitCode": exit_code, "errorType": name[:200], "traceback": text, "cut": cut}

    def run(code, name, limit):
        lines_of[name] = (len_(code), None, code.splitlines(True), name)
        try:
            value = value_of(code, name)
        except BaseException as error:
            report = report_of(error, limit)
            error.__traceback__ = None
            return report
        if value is None:
            return {"exitCode": 0, "cut": False}
        value, cut = capped(value, limit)
        return {"exitCode": 0, "value": value, "cut": cut}

    return run
