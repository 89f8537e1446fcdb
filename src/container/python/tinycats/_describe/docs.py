"""What a docstring or a comment says about a parameter."""

from __future__ import annotations

import io
import re
import tokenize

_SECTION = re.compile(r"^(?:Args|Arguments|Parameters|Keyword Args|Keyword Arguments)\s*:?\s*$")
_OTHER_SECTION = re.compile(r"^(?:Returns?|Raises|Yields?|Examples?|Notes?|See Also|Attributes|References)\s*:?\s*$")
_ENTRY = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY = re.compile(r"^\*{0,2}(\w+)(?:\s*:.*)?$")
_SPHINX = re.compile(r"^:param\s+(?:[\w\[\], |]+\s+)?(\w+):\s*(.*)$")


def summary(docstring):
    """The first paragraph in one line."""
    return " ".join((docstring or "").strip().split("\n\n")[0].split())


def parameter_docs(docstring):
    """Descriptions by name: Google's, NumPy's and Sphinx's ways of writing."""
    found = {}
    current, base, inside, underlined = None, None, False, False
    for line in (docstring or "").splitlines():
        text, indent = line.strip(), len(line) - len(line.lstrip())
        sphinx = _SPHINX.match(text)
        if sphinx:
            current, base, inside = sphinx.group(1), indent, True
            found[current] = sphinx.group(2)
        elif _SECTION.match(text):
            inside, underlined, current, base = True, False, None, None
        elif _OTHER_SECTION.match(text) or text.startswith((":return", ":raise", ":rtype")):
            inside = False
        elif not inside or not text:
            continue
        elif set(text) == {"-"}:
            underlined = True
        else:
            entry = (_NUMPY if underlined else _ENTRY).match(text)
            if entry and (base is None or indent <= base):
                current, base = entry.group(1), indent
                found[current] = "" if underlined else entry.group(2)
            elif current is not None:
                found[current] = f"{found[current]} {text}".strip()
    return found


def comments(source):
    """Comments by the number of the line that they end."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return {}
    lines = source.splitlines()
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokens
        if token.type == tokenize.COMMENT and lines[token.start[0] - 1][: token.start[1]].strip()
    }
