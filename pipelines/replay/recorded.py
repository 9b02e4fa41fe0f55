"""Answers that a service once gave, played again byte for byte."""

from collections.abc import Mapping

from pipelines.replay.answers import Answer, Params, param, text_answer
from pipelines.replay.envelope import without_items


class RecordedService:
    """Plays one recorded answer per path, whatever is asked; every later page is an empty one.

    Its announced count is the one recorded, so a harvest of it is rightly called truncated.
    """

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = dict(answers)

    def matches(self, path: str) -> bool:
        """True for the paths that were given an answer."""
        return path in self._answers

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """The recording for a first page, an empty page of the same service for any other."""
        recorded = self._answers[path]
        if _is_first_page(params):
            return Answer(200, "application/json;charset=utf-8", recorded)
        return text_answer(200, without_items(recorded.decode("utf-8"), drop=("nextCursor",)))


def _is_first_page(params: Params) -> bool:
    names = ("page", "start", "cursor", "sp", "searchAfter")
    return all(param(params, name) in (None, "", "1", "*") for name in names)
