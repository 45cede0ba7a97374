"""Docstrings for Sphinx: backticks are code, "`name`: what it is" is a parameter, and a table stays a list of rows."""

import inspect
import re

from edudiff.support import types

ITEM = re.compile(r"(?:^|(?<=[.;] ))((?:`\w+`(?:, | and )?)+): ")  # "`channels`, `depth`: " at the start of a sentence
TAGS, WORDS = r"(?:</?(?:em|span)\b[^>]*>)*", ("ndarray", "[", "tuple", "[", "Any", ",", " ", "...", "]", ",", " ")
SPELLED = TAGS.join(map(re.escape, (*WORDS, "dtype", "[", "Any", "]", "]"))).replace(r"\.\.\.", r"(?:\.\.\.|…)")
AFTER = re.compile(r"(?<=\. )(?=(?:Returns|Raises|Gives|Errors)\b)")  # what follows is about all of it


def plain(app, what, name, thing, options, lines):
    """Rewrite a docstring, in place, for reStructuredText: only code is marked up, parameters become a list."""
    known = parameters(thing) if what in ("class", "function", "method") else ()
    kept, listed = [], []
    for part in paragraphs(lines):
        if part and part[0].startswith("    "):  # an indented paragraph, as it is
            kept += ["::", "", *part, ""]
            continue
        text, found = described(" ".join(line.strip() for line in part), known)
        listed += found
        if found:
            part = [text] if text else []
        kept += [marked(line) for line in part if not line.startswith("|--")] + [""] * bool(part)
    kept += [f":param {word}: {marked(text)}" for word, text in listed]
    lines[:] = kept


class Array:
    """Stands in the reference for the type of that name, which Python only knows by what it is short for."""


Array.__module__ = "builtins"


def named(app, thing, bound):
    """Call an array's type Array in what Sphinx writes of a function or a class, and leave out that of self."""
    function = thing.__init__ if inspect.isclass(thing) else getattr(thing, "__func__", thing)
    function = inspect.unwrap(function)
    if inspect.isfunction(function):
        hints = {name: hint for name, hint in function.__annotations__.items() if name not in ("self", "cls")}
        function.__annotations__ = {name: Array if hint == types.Array else hint for name, hint in hints.items()}


def shortened(page):
    """A page of the reference, HTML, in which the type of an array is called Array where Sphinx still spells it out."""

    def short(found):
        closed, opened = [], []  # tags that belong to others before and after, and stay
        for tag in re.findall(r"<[^>]+>", found[0]):
            if not tag.startswith("</"):
                opened.append(tag)
            elif opened:
                opened.pop()
            else:
                closed.append(tag)
        return "".join(["Array", *closed, *opened])

    return re.sub(SPELLED, short, page)


def paragraphs(lines):
    """The paragraphs of a docstring, lists of lines; an indented one goes on over blank lines."""
    parts, code = [[]], False
    for line in lines:
        indented = line.startswith("    ")
        if code and (indented or not line):
            parts[-1].append(line)
            continue
        if code or not line or (indented and parts[-1] == []):
            while parts[-1] and not parts[-1][-1]:
                parts[-1].pop()
            parts.append([])
        code = indented and parts[-1] == []
        if line:
            parts[-1].append(line)
    while parts[-1] and not parts[-1][-1]:
        parts[-1].pop()
    return [part for part in parts if part]


def parameters(thing):
    """The names of what a function or a class takes."""
    try:
        return tuple(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return ()


def described(text, known):
    """A paragraph without what it says of the `known` parameters, and [(parameter, what it says)]."""
    begins = [found for found in ITEM.finditer(text) if set(re.findall(r"`(\w+)`", found[1])) <= set(known)]
    if not begins:
        return text, []
    rest, found = text[: begins[0].start()], []
    for item, then in zip(begins, [*begins[1:], None], strict=True):
        said = text[item.end() : then.start() if then else None]
        said, *after = AFTER.split(said, maxsplit=1)
        rest += " ".join(after)
        found += [(word, said.strip().removesuffix(";")) for word in re.findall(r"`(\w+)`", item[1])]
    return rest.strip(), found


def marked(line):
    """One line of text, or one row of a table, of a docstring: what stands in backticks as code, the rest as it is."""
    parts = line.removeprefix("| ").split("`")  # every second part is code
    text = [part if k % 2 else re.sub(r"([\\|*_])", r"\\\1", part) for k, part in enumerate(parts)]
    text[2::2] = ["\\ " * part[:1].isalnum() + part for part in text[2::2]]
    return "| " * line.startswith("| ") + "``".join(text)
