"""Other people's words in tables for spreadsheets: nothing of them is ever run as a formula."""

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PASSED_OVER = " \u00a0\u200b\ufeff'\""    # what may stand before a formula


def harmless(value: object) -> object:
    """The value; a text that a spreadsheet would run gets an apostrophe, which makes it text there."""
    if isinstance(value, str) and value.lstrip(_PASSED_OVER).startswith(_RUN):
        return "'" + value
    return value
