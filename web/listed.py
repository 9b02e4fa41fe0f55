"""A list of pictures to take away: those chosen one by one, or the first of what a search finds."""

from starlette.exceptions import HTTPException

from lake.errors import UsageError
from web.asked import MOST_LISTED, Parameters, read_asked
from web.finder import Finder
from web.page import Result


def listed(finder: Finder, parameters: Parameters) -> list[Result]:
    """The pictures named by `id`, in that order, else those found.

    Raises UsageError for too many, HTTPException 404 for none.
    """
    chosen = list(dict.fromkeys(str(value) for value in parameters.getlist("id")))
    if len(chosen) > MOST_LISTED:
        raise UsageError(f"{len(chosen)} pictures were chosen; {MOST_LISTED} are the most in one list")
    if chosen:
        found = [Result(card) for card in finder.collection.cards(chosen)]
    else:
        found = finder.results(read_asked(parameters), MOST_LISTED)
    if not found:
        raise HTTPException(404, "no picture is like that; widen the filters")
    return found
