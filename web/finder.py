"""From what is asked to a page: search the lake or leaf through it, and look up what is shown."""

import logging
from dataclasses import replace
from typing import Any

from lake import Lake
from lake.errors import EmptyLake, GlamlakeError, UsageError
from lake.search import SearchRequest, search
from web.asked import PER_PAGE, Asked
from web.collection import Card, Collection, Facets
from web.encoder import LakeEncoder
from web.page import Found, Like, Page
from web.uploads import Uploads
from web.words import Trouble, trouble_of

log = logging.getLogger(__name__)

_NO_VECTORS = "To search by words or by a picture, the pictures need vectors: run `glamlake embed`."


class Finder:
    """Answers requests over one lake. Thread-safe."""

    def __init__(self, lake: Lake, encoder: LakeEncoder, uploads: Uploads) -> None:
        self.lake = lake
        self.collection = Collection(lake)
        self.encoder = encoder
        self.uploads = uploads

    def page(self, asked: Asked) -> Page:
        """The page for a request; what goes wrong is said on it."""
        try:
            found = self.find(asked)
        except GlamlakeError as e:
            log.info("refused asked=%s reason=%s", asked.as_json(), e)
            return self.troubled(asked, trouble_of(e))
        hint = None if asked.is_search or self.encoder.has_vectors else _NO_VECTORS
        return Page(asked, self._facets(), self._likes(asked), found, asked.page_number, hint=hint)

    def troubled(self, asked: Asked, trouble: Trouble) -> Page:
        """A page that keeps the form as it was and says what is wrong."""
        return Page(asked, self._facets(), self._likes(asked), trouble=trouble)

    def find(self, asked: Asked) -> Found:
        """The samples of one page of the answer; raises UsageError, EmptyLake or EncoderError."""
        offset, where = (asked.page_number - 1) * PER_PAGE, asked.where
        scores = self._by_likeness(asked, where, offset) if asked.is_search else self._in_order(where, offset)
        cards = [replace(card, score=scores[card.sample_id]) for card in self.collection.cards(list(scores))]
        total = None if asked.is_search else self.collection.count(where)
        return Found(tuple(cards[:PER_PAGE]), len(scores) > PER_PAGE, total)

    def _in_order(self, where: str | None, offset: int) -> dict[str, float | None]:
        return dict.fromkeys(self.collection.leaf_through(where, PER_PAGE + 1, offset))

    def _by_likeness(self, asked: Asked, where: str | None, offset: int) -> dict[str, float | None]:
        request = SearchRequest(
            texts=(asked.words,) if asked.words else (), images=self._pictures(asked),
            like=(asked.like,) if asked.like else (), where=where, limit=PER_PAGE + 1, offset=offset,
        )
        return {found.sample_id: found.score for found in search(self.lake, request, self.encoder.current())}

    def _pictures(self, asked: Asked) -> tuple[Any, ...]:
        if not asked.picture:
            return ()
        picture = self.uploads.get(asked.picture)
        if picture is None:
            raise UsageError("your picture is no longer kept here; choose it again")
        return (picture,)

    def _facets(self) -> Facets | None:
        try:
            return self.collection.facets()
        except EmptyLake:
            return None

    def _likes(self, asked: Asked) -> tuple[Like, ...]:
        likes = []
        for card in self._liked(asked):
            name = f"“{card.title}”" if card.title else "an untitled picture"
            likes.append(Like("like", card.sample_id, name, f"./pictures/{card.sample_id}?size=grid"))
        if asked.picture and self.uploads.get(asked.picture) is not None:
            likes.append(Like("picture", asked.picture, "your picture", f"./uploads/{asked.picture}"))
        return tuple(likes)

    def _liked(self, asked: Asked) -> list[Card]:
        try:
            return self.collection.cards([asked.like]) if asked.like else []
        except EmptyLake:
            return []
