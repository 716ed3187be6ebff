"""Python paragraphs: the SQL in their ``execute_sql("…")`` calls, found without running anything.

Only what can be read off the syntax tree is taken: imports, texts given a name, and calls of
``execute_sql`` with a text. Whatever else a paragraph holds is named with its line.
"""

from __future__ import annotations

import ast

from eddyline.errors import EddylineError, Span

_HARMLESS = ("print", "wait", "collect")
_SUPPORTED = 'here a Python paragraph may hold imports and st_env.execute_sql("""...""") only'


def statements(body: str) -> str:
    """The SQL of a paragraph's body, each statement on the line it stands on.

    Raises:
        EddylineError: ``sql_unsupported`` or ``sql_syntax``, with the place.
    """
    try:
        tree = ast.parse(_outdented(body))
    except SyntaxError as error:
        span = Span(error.lineno or 1, error.offset or 1)
        msg = f"the paragraph is not Python: {error.msg}"
        raise EddylineError("sql_syntax", msg, span=span, source=body) from None
    names: dict[str, str] = {}
    lines = ""
    for node in tree.body:
        statement = _statement(node, names, body)
        if statement is None:
            continue
        line, text = statement
        lines += "\n" * (line - 1 - lines.count("\n"))
        lines += text.rstrip().rstrip(";") + ";"
    return lines


def _outdented(body: str) -> str:
    """The body without the blanks that stand for its header."""
    return body.lstrip(" ") if not body.lstrip(" ").startswith("\n") else body


def _statement(node: ast.stmt, names: dict[str, str], body: str) -> tuple[int, str] | None:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
        return None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, text = node.targets[0], _text(node.value, names)
        if isinstance(target, ast.Name) and text is not None:
            names[target.id] = text
            return None
        if isinstance(target, ast.Name) and _is_execute(_unwrapped(node.value)):
            return _executed(node.value, names, body)
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Constant):
            return None
        return _executed(node.value, names, body)
    raise _unsupported(node, _word(node), body)


def _executed(node: ast.expr, names: dict[str, str], body: str) -> tuple[int, str]:
    call = _unwrapped(node)
    if not _is_execute(call):
        raise _unsupported(node, "this call", body)
    assert isinstance(call, ast.Call)
    if len(call.args) != 1 or call.keywords:
        raise _unsupported(node, "execute_sql with other than one text", body)
    text = _text(call.args[0], names)
    if text is None:
        raise _unsupported(call.args[0], "a text that is put together while running", body)
    return call.args[0].lineno, text


def _unwrapped(node: ast.expr) -> ast.expr:
    """The call below ``.wait()`` and its like, which change nothing here."""
    while _calls(node, _HARMLESS):
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Attribute)
        node = node.func.value
    return node


def _is_execute(node: ast.expr) -> bool:
    return _calls(node, ("execute_sql",))


def _calls(node: ast.expr, names: tuple[str, ...]) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_call and node.func.attr in names  # type: ignore[attr-defined]


def _text(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, names), _text(node.right, names)
        return left + right if left is not None and right is not None else None
    return None


_WORDS: dict[type[ast.stmt], str] = {
    ast.ClassDef: "a class",
    ast.FunctionDef: "a function",
    ast.For: "a loop",
    ast.While: "a loop",
    ast.If: "a condition",
    ast.Assign: "this assignment",
}


def _word(node: ast.stmt) -> str:
    return _WORDS.get(type(node), "this statement")


def _unsupported(node: ast.stmt | ast.expr, what: str, body: str) -> EddylineError:
    span = Span(node.lineno, node.col_offset + 1)
    hint = "write the statements in a %flink.ssql paragraph"
    msg = f"{what} is not supported: {_SUPPORTED}"
    return EddylineError("sql_unsupported", msg, hint=hint, span=span, source=body)
