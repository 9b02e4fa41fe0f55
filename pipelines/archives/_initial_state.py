"""The data a page hands to its own script: `window.__INITIAL_STATE__ = JSON.parse("…")`.

The literal is a JSON text written as a string, so it is decoded as one. Decoding its backslashes any other
way (`unicode_escape`) would ruin every letter beyond ASCII.
"""

import json
import re

from pipelines.archives._archive import unexpected

_STATE = re.compile(r"window\.__INITIAL_STATE__\s*=\s*(JSON\.parse\(\s*)?(?=[\"'{])")
_DECODER = json.JSONDecoder(strict=False)


def initial_state(html: str, archive: str) -> str:
    """The JSON text of the state, verbatim; raises UnexpectedAnswer where the page holds none."""
    found = _STATE.search(html)
    if found is None:
        raise unexpected(archive, "a page without window.__INITIAL_STATE__")
    try:
        return _json_text(html, found.end(), is_literal=bool(found[1]))
    except (ValueError, IndexError, RecursionError) as e:
        raise unexpected(archive, f"a window.__INITIAL_STATE__ that is no JSON ({e})") from e


def _json_text(html: str, at: int, is_literal: bool) -> str:
    if not is_literal:
        return html[at:_DECODER.raw_decode(html, at)[1]]
    literal = html[at:]
    if literal[0] == "'":
        literal = _in_double_quotes(literal)
    text = str(_DECODER.raw_decode(literal)[0])
    _DECODER.decode(text)
    return text


def _in_double_quotes(text: str) -> str:
    """A script's string in single quotes as the JSON string that means the same."""
    found = re.match(r"'((?:[^'\\]|\\.)*)'", text, re.DOTALL)
    if found is None:
        raise ValueError("the string has no end")
    bare = re.sub(r"\\'", "'", re.sub(r'(\\.)|"', lambda m: m[1] or r"\"", found[1], flags=re.DOTALL))
    return f'"{bare}"'
