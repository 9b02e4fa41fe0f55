"""From what is asked to a page: search the lake or leaf through it, and look up what is shown."""

import logging
from collections.abc import Callable
from typing import Any

from lake import Lake
from lake.collector import spare_what_lasts
from lake.errors import GlamlakeError, LakeError, UsageError
from lake.facets import Facets
from lake.search import Searcher, SearchRequest, hits, reasons_of
from lake.snapshot import Snapshot
from web.asked import PER_PAGE, Asked
from web.collection import EVERYTHING, Collection
from web.encoder import LakeEncoder
from web.map import Maps
from web.page import Found, Like, Page, Result
from web.turns import Turns
from web.uploads import Uploads
from web.words import Trouble, apart, trouble_of

log = logging.getLogger(__name__)

RemotePictures = Callable[[str], bytes]
_NO_VECTORS = "To search by words or by a picture, the pictures need vectors: run `glamlake embed`."


class Finder:
    """Answers requests over one lake; `remote` fetches pictures from the web, if wanted. Thread-safe.

    It searches for so many visitors `at_once`: Python runs one thread, a second computes and reads meanwhile.
    """

    def __init__(
        self, lake: Lake, encoder: LakeEncoder, remote: RemotePictures | None = None,
        uploads: Uploads | None = None, at_once: int = 2,
    ) -> None:
        self.lake = lake
        self.collection = Collection(lake)
        self.encoder = encoder
        self.uploads = uploads or Uploads()
        self.maps = Maps(self.collection)
        self.remote = remote
        self._turns = Turns(at_once)
        self._searcher = Searcher(lake)
        self._snapshot: Snapshot | None = None    # the newest that was searched

    def page(self, asked: Asked) -> Page:
        """The page for a request; what goes wrong is said on it."""
        try:
            found = self.find(asked)
        except GlamlakeError as e:
            log.info("refused asked=%s reason=%s", asked.as_json(), e)
            return self.troubled(asked, trouble_of(e, self.lake.root))
        hint = None if asked.is_search or self.encoder.has_vectors else _NO_VECTORS
        return Page(
            asked, self.facets(asked), self.facets(Asked()), self._likes(asked), found, asked.page_number,
            hint=hint, takes_addresses=self.remote is not None,
        )

    def troubled(self, asked: Asked, trouble: Trouble) -> Page:
        """A page that keeps the form as it was and says what is wrong."""
        return Page(asked, self.facets(asked), self.facets(Asked()), self._likes(asked), trouble=trouble,
                    takes_addresses=self.remote is not None)

    def find(self, asked: Asked) -> Found:
        """The samples of one page of the answer; raises UsageError, EmptyLake or EncoderError."""
        results = self.results(asked, PER_PAGE + 1, (asked.page_number - 1) * PER_PAGE)
        total = None if asked.is_search else self.collection.count(asked.narrowing)
        return Found(tuple(results[:PER_PAGE]), len(results) > PER_PAGE, total)

    def results(self, asked: Asked, limit: int, offset: int = 0) -> list[Result]:
        """The samples that fit best, or where nothing is searched for, those that pass the filters."""
        if asked.is_search:
            return self._by_likeness(asked, limit, offset)
        _ = asked.text_weight, asked.is_hybrid    # what makes no sense is refused here too
        if asked.unwanted:
            raise UsageError(
                f"“not {asked.unwanted}” takes away from what is looked for, and nothing is; "
                "give words or a picture too"
            )
        with self._turns:
            ids = self.collection.leaf_through(asked.narrowing, limit, offset)
            return [Result(card) for card in self.collection.cards(ids)]

    def facets(self, asked: Asked) -> Facets | None:
        """Counts under the filters that are on; over everything where those make no sense.

        None where the lake has nothing that can be counted.
        """
        try:
            narrowing = asked.narrowing
        except UsageError:
            narrowing = EVERYTHING
        try:
            return self.collection.facets(narrowing)
        except LakeError:
            return None

    def _by_likeness(self, asked: Asked, limit: int, offset: int) -> list[Result]:
        request = SearchRequest(
            texts=(asked.words,) if asked.words else (), images=self._pictures(asked), like=asked.likes,
            negative=(asked.unwanted,) if asked.unwanted else (), limit=limit, offset=offset,
            where=self.collection.tests(asked.narrowing), text_weight=asked.text_weight,
            hybrid=asked.is_hybrid,
        )
        encoder = self.encoder.current()
        # this and loading out of turn: others need not wait
        snapshot = self._searcher.snapshot(encoder.model_id)
        if request.texts or request.images or request.negative:
            encoder.load()
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            spare_what_lasts()
        with self._turns:
            found = {hit.sample_id: hit for hit in hits(snapshot, request, encoder)}
            cards = self.collection.cards(list(found))
        why = ((card, found[card.sample_id]) for card in cards)
        return [Result(card, hit.score, card.n_near, reasons_of(hit)) for card, hit in why]

    def _pictures(self, asked: Asked) -> tuple[Any, ...]:
        pictures = tuple(self.uploads.get(token) for token in asked.pictures)
        if None in pictures:
            raise UsageError("your picture is no longer kept here; choose it again")
        return pictures

    def _likes(self, asked: Asked) -> tuple[Like, ...]:
        likes = []
        for card in self._liked(asked):
            name = f"“{apart(card.title)}”" if card.title else "an untitled picture"
            likes.append(Like("like", card.sample_id, name, f"pictures/{card.sample_id}?size=grid"))
        likes += [Like("picture", token, "your picture", f"uploads/{token}")
                  for token in asked.pictures if self.uploads.get(token) is not None]
        return tuple(likes)

    def _liked(self, asked: Asked) -> list[Any]:
        try:
            return list(self.collection.cards(asked.likes)) if asked.likes else []
        except LakeError:
            return []
