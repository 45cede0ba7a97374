"""Small changes to a function: the mistakes that a test of it has to notice."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Eq: ast.NotEq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
}
AT_THE_DOOR = {
    "sigma": ("sigma = max(sigma, 0.01)", "sigma = sigma + 0.0001", "sigma = min(sigma, 0.9)"),
    "now": ("now = (now[0], max(now[1], 0.01))",),
    "levels": ("levels = [(a, max(s, 0.01)) for a, s in levels]",),
    "alpha": ("alpha = np.maximum(alpha, 0.1)",),
    "x": ("x = np.clip(x, -1, 1)", "x = x.astype('float32').astype(x.dtype)"),
    "x0": ("x0 = np.clip(x0, -1, 1)",),
    "data": ("data = np.unique(data, axis=0)", "data = np.clip(data, -1, 1)"),
    "images": ("images = np.unique(images, axis=0)", "images = images[:2]", "images = np.clip(images, -1, 1)"),
    "logits": ("logits = np.maximum(logits, -700)", "logits = np.nan_to_num(logits)"),
    "window": ("window = 3", "window = min(window, 3)"),
    "size": ("size = 3",),
    "t": ("t = np.round(t, 3)",),
    "truth": ("truth = truth[..., :1]", "truth = np.clip(truth, -1, 1)"),
    "wanted": ("wanted = wanted + 1e-3",),
}


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """(what was changed, the changed text) for each small change of a function; `text` is that function."""
    [function] = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    names = [arg.arg for arg in function.args.args]
    seen = {ast.dump(function)}
    for node in ast.walk(function):
        for other in changes(node, names):
            new = ast.unparse(other)
            made = replaced(text, node, new if isinstance(other, ast.Slice) else f"({new})")
            dump = ast.dump(ast.parse(made).body[0])
            if dump not in seen:
                seen.add(dump)
                yield f"{line(text, node)} -> {line(replaced(text, node, new), node)}", made
    for name in set(names) & set(AT_THE_DOOR):
        for added in AT_THE_DOOR[name]:
            rows = text.splitlines(keepends=True)
            rows.insert(function.body[1].lineno - 1, f"    {added}\n")
            yield added, "".join(rows)
    for change in AT_THE_END:
        made = text
        for node in reversed([node for node in ast.walk(function) if isinstance(node, ast.Return)]):
            made = replaced(made, node, f"return {change}({ast.unparse(node.value)})")
        yield f"return {change}(...)", made


def changes(node: ast.AST, names: list[str]) -> Iterator[ast.AST]:
    """What may stand in place of a node; of `names`, the function's parameters, one may be taken for another."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in SWAPS:
            yield like(node, op=SWAPS[type(node.op)]())
        if not isinstance(node.op, ast.Add | ast.Mult):
            yield like(node, left=node.right, right=node.left)
        yield node.left
        yield node.right
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node, ast.Compare):
        yield like(node, ops=[SWAPS[type(op)]() for op in node.ops])
    elif isinstance(node, ast.Call):
        module = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).startswith("np")
        if isinstance(node.func, ast.Attribute) and not module:
            yield node.func.value  # x for x.sum(axis=1)
        elif node.args:
            yield node.args[0]  # x for np.exp(x)
        for keyword in node.keywords:
            yield like(node, keywords=[other for other in node.keywords if other is not keyword])
        if len(node.args) > 1:
            yield like(node, args=[node.args[1], node.args[0], *node.args[2:]])
    elif isinstance(node, ast.Slice):
        for name in ("lower", "upper", "step"):
            if getattr(node, name):
                yield like(node, **{name: None})
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        if not any(isinstance(part, ast.Slice) for part in node.elts):
            yield like(node, elts=[node.elts[1], node.elts[0], *node.elts[2:]])
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        place = names.index(node.id)
        yield ast.Name(names[place - 1], ast.Load())
        yield ast.Name(names[(place + 1) % len(names)], ast.Load())


def like(node: Any, **fields: Any) -> ast.AST:
    """A node with some of its fields changed."""
    return type(node)(**{name: fields.get(name, getattr(node, name)) for name in node._fields})


def replaced(text: str, node: Any, new: str) -> str:
    """`text` with what stands at a node replaced."""
    rows = text.splitlines(keepends=True)
    first, last = rows[node.lineno - 1][: node.col_offset], rows[node.end_lineno - 1][node.end_col_offset :]
    rows[node.lineno - 1 : node.end_lineno] = [first + new + last]
    return "".join(rows)


def line(text: str, node: Any) -> str:
    """The line in which a node begins, without its comment."""
    return re.sub(r"  #.*", "", text.splitlines()[node.lineno - 1]).strip()


def each(answer: Any, change: Any) -> Any:
    """`change` of every array in an answer."""
    if isinstance(answer, tuple | list):
        return type(answer)(each(part, change) for part in answer)
    return change(answer) if isinstance(answer, np.ndarray) and answer.dtype.kind == "f" else answer


AT_THE_END = {
    "wide": lambda answer: each(answer, lambda a: a.astype("float64")),
    "clipped": lambda answer: each(answer, lambda a: np.clip(a, -1, 1)),
    "narrow": lambda answer: each(answer, lambda a: a.astype("float32").astype(a.dtype)),
    "all_as_the_first": lambda answer: each(answer, lambda a: np.broadcast_to(a[:1], a.shape) if a.ndim else a),
}
