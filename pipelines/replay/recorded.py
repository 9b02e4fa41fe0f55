"""Answers that a service once gave, played again byte for byte."""

import re
from collections.abc import Mapping
from pathlib import Path

from pipelines.replay import europeana, finna, loc_maps, national_archive, smu
from pipelines.replay.answers import Answer, Params, json_answer, param, text_answer
from pipelines.replay.envelope import announced, without_items

SEARCHES = {    # folder of the recordings: paths of the service's search; a * stands for whatever follows
    "europeana": europeana.PATHS, "finna": finna.PATHS, "national_archives": national_archive.PATHS,
    "loc": loc_maps.PATHS, "contentdm": smu.PATHS,
}
_DETAIL = re.compile(r"[a-z]+_(?P<alias>[^_]+)_(?P<number>\d+)_(?P<function>dmGet(Item|CompoundObject)Info)")


class RecordedService:
    """Plays one recorded answer per path, whatever is asked; every later page is an empty one.

    A path that ends in `*` stands for all that begin so; one with `?q=…` for that question alone. The
    announced count is the one recorded, so a harvest of it is rightly called truncated.
    """

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = dict(answers)
        self._begins = tuple(path.removesuffix("*") for path in answers if path.endswith("*"))
        self._asked = {path.partition("?")[0] for path in answers if "?" in path}

    def matches(self, path: str) -> bool:
        """True for the paths that were given an answer."""
        return path in self._answers or path in self._asked or path.startswith(self._begins)

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        """The recording for a first page, an empty page of the same service for any other."""
        if path in self._asked:
            recorded = self._answers.get(f"{path}?q={param(params, 'q')}")
            return json_answer(200, smu.MISSING) if recorded is None else _json(recorded)
        begin = next((begin for begin in self._begins if path.startswith(begin)), path)
        recorded = self._answers.get(path) or self._answers[f"{begin}*"]
        if _is_first_page(path, params):
            return _json(recorded)
        return text_answer(200, without_items(recorded.decode("utf-8"), drop=("nextCursor",)))


def recorded_answers(samples: Path) -> tuple[dict[str, bytes], list[str]]:
    """Every recorded search by path, and the prefix that each file has its own copy of the service under.

    A search is a file with `search_` in its name. Without a prefix each service plays the one that announces
    most hits. Of CONTENTdm, what was recorded of single items is played too.
    """
    answers: dict[str, bytes] = {}
    mounts: list[str] = []
    for service, paths in SEARCHES.items():
        files = sorted((samples / service).glob("*search_*.json"))
        files = [file for file in files if announced(file.read_text("utf-8")) is not None]
        details = _details(samples / service)
        for file in sorted(files, key=lambda file: announced(file.read_text("utf-8")) or 0):
            answers |= details | dict.fromkeys(paths, file.read_bytes())
        for file in files:
            mounts.append(f"/{service}/{file.stem}")
            played = details | dict.fromkeys(paths, file.read_bytes())
            answers |= {f"{mounts[-1]}{path}": content for path, content in played.items()}
    return answers, mounts


def _details(folder: Path) -> dict[str, bytes]:
    """What was asked about single items of a CONTENTdm site, by the question."""
    found = ((file, _DETAIL.fullmatch(file.stem)) for file in sorted(folder.glob("*_dmGet*Info.json")))
    return {
        f"{smu.SERVICES}?q={name['function']}/{name['alias']}/{name['number']}/json": file.read_bytes()
        for file, name in found if name
    }


def _json(content: bytes) -> Answer:
    return Answer(200, "application/json;charset=utf-8", content)


def _is_first_page(path: str, params: Params) -> bool:
    names = ("page", "start", "cursor", "sp", "searchAfter")
    page = re.search(r"/page/(\d+)", path)
    return (page is None or int(page[1]) <= 1) and all(
        param(params, name) in (None, "", "1", "*") for name in names
    )
