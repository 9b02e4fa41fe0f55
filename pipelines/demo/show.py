"""`glamlake demo`: every stage on the built-in archives behind a local server; then a model, and a look.

The services are reached under names that exist nowhere (`*.glamlake.invalid`), which the HTTP client takes to
the local port, so that URLs in the lake are the same on every run and a second run finds its work done.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lake import Lake, catalog
from lake.errors import UsageError
from lake.search import SearchRequest, SearchResult, search
from lake.tables import RAW_HITS, RIGHTS_CLASSES
from models.checkpoint import read_card
from models.clip import Encoder
from models.encoder import EncoderSpec, load_encoder
from models.evaluate import EvaluateOptions, evaluate
from models.train import TrainOptions, train
from pipelines import console, exports, transform
from pipelines.archives import archive_names
from pipelines.contact_sheet import save_contact_sheet
from pipelines.demo.collection import EUROPEANA_HOST, DemoCollection, demo_collection
from pipelines.demo.compound import QUERIES_FILE, asked, compound_queries, scenes_of, write_queries
from pipelines.embed import embed
from pipelines.fetch import FetchOptions, fetch
from pipelines.harvest import HarvestOptions, harvest
from pipelines.http_client import Manners, PoliteClient
from pipelines.replay import DemoService, EuropeanaService, FinnaService, ReplayServer, Service

log = logging.getLogger(__name__)

SERVICES = {
    "demo": "http://demo.glamlake.invalid",
    "europeana": EUROPEANA_HOST,
    "sa_kuva": "http://finna.glamlake.invalid",
}
_WORDS = "a ship on the sea"
_COLUMNS = 5
_COMPOUND_TITLE = "held-out pictures found by a picture and a change, as in \"this, but at night\""


@dataclass(frozen=True)
class Shown:
    """What the demo has to show at its end."""

    retrieval: dict[str, Any]
    compound: list[dict[str, Any]]
    searches: dict[str, list[SearchResult]]
    sheet: Path
    exports: list[Path]
    train_seconds: float | None      # None where the model was there already

    def as_text(self) -> str:
        """For the terminal: how well held-out pictures are found, three searches, where things lie."""
        parts = [self._retrieval_text(), f"{_COMPOUND_TITLE}\n{console.table(self.compound)}"]
        for title, found in self.searches.items():
            parts.append(f"{title}\n{console.table([_row(result) for result in found])}")
        places = {"contact sheet": self.sheet, **{f"export {path.name}": path for path in self.exports}}
        parts.append("\n".join(f"{name:<32} {place}" for name, place in places.items()))
        return "\n\n".join(parts)

    def _retrieval_text(self) -> str:
        found = self.retrieval["text_to_image"]
        rows = [
            {"text to image": name, "found": f"{value:.3f}", "chance": f"{found['chance'][name]:.3f}"}
            for name, value in found.items() if name.startswith("R@")
        ]
        trained = f", trained in {self.train_seconds:.0f} s" if self.train_seconds is not None else ""
        counts = self.retrieval["n_pictures"], self.retrieval["n_captions"]
        held_out = "{} held-out pictures, {} captions".format(*counts)
        return f"{held_out}{trained}\n{console.table(rows)}"


def show(lake: Lake, train_seconds: float) -> Shown:
    """Run every stage, train for at most `train_seconds`, evaluate, search.

    Raises UsageError for a lake that holds a real archive's hits: the demo wants a lake of its own.
    """
    require_own_lake(lake)
    collect(lake)
    frozen = exports.export_by_content(lake, "webdataset", exports.ExportOptions(rights=RIGHTS_CLASSES))
    frozen_csv = exports.export_by_content(lake, "csv")
    took_s = _train_once(lake, frozen, train_seconds)
    spec = EncoderSpec(checkpoint=lake.models / "demo")
    embed(lake, spec)
    encoder = load_encoder(spec)
    retrieval = evaluate(lake, encoder, ("val",), EvaluateOptions(tasks=("captions",)))
    compound = _compound(lake, encoder)
    searches = _three_searches(lake, encoder)
    sheet = _save_sheet(lake, searches)
    return Shown(retrieval, compound, searches, sheet, [frozen, frozen_csv], took_s)


def collect(lake: Lake, seed: int = 42) -> None:
    """Harvest, normalise, fetch and curate the built-in archives."""
    collection = demo_collection(seed)
    with replay_of(collection) as server:
        manners = Manners(
            backoff_s=0.05, attempts=3,
            connect_to={str(urlsplit(url).hostname): ("127.0.0.1", server.port) for url in SERVICES.values()},
        )
        for name, base_url in SERVICES.items():
            harvest(lake, name, HarvestOptions(collection.queries, base_url=base_url), manners=manners)
        transform.normalise(lake, archive_names())
        with PoliteClient(manners) as client:
            fetch(lake, FetchOptions(workers=4), client)
    transform.curate(lake, transform.CurateOptions(), archive_names())


def replay_of(collection: DemoCollection) -> ReplayServer:
    """A server that plays the three services over a collection, and serves its pictures."""
    services: list[Service] = [
        DemoService(collection.objects), EuropeanaService(collection.europeana_items),
        FinnaService(collection.finna_records),
    ]
    return ReplayServer(services, collection)


def require_own_lake(lake: Lake) -> None:
    """Raises UsageError where hits of another service lie in the lake."""
    if not catalog.has_rows(lake, RAW_HITS):
        return
    found = catalog.rows(lake, "select distinct base_url from raw_hits order by 1")
    others = [str(row["base_url"]) for row in found if row["base_url"] not in SERVICES.values()]
    if others:
        raise UsageError(
            f"{lake.root} holds hits of {others[0]}; the demo wants a lake of its own, name one with --lake"
        )


def _train_once(lake: Lake, export: Path, seconds: float) -> float | None:
    """Train on the export, unless the model there was trained on this very data; the seconds it took."""
    out = lake.models / "demo"
    version = json.loads((export / "manifest.json").read_text("utf-8"))["version"]
    if read_card(out).get("data", {}).get("version") == version:
        log.info("model=demo was trained on this data already")
        return None
    # The val split is what the demo is judged on, so it has no say in which epoch is kept.
    return train(export, out, TrainOptions(seconds=seconds, keep_best=False)).elapsed_s


def _compound(lake: Lake, encoder: Encoder) -> list[dict[str, Any]]:
    """Questions of a picture and words about held-out pictures: kept as a file, asked, and how they went."""
    scenes = scenes_of(lake, demo_collection())
    queries = compound_queries(scenes)
    write_queries(lake.reports / QUERIES_FILE, queries)
    return asked(lake, encoder, queries, sorted(scenes))


def _three_searches(lake: Lake, encoder: Encoder) -> dict[str, list[SearchResult]]:
    """By words, by the picture found first, and by that picture and other words."""
    by_words = search(lake, SearchRequest(texts=(_WORDS,), where="split <> 'train'", limit=5), encoder)
    seen = by_words[0].sample_id
    like = search(lake, SearchRequest(like=(seen,), limit=5), encoder)
    both = search(lake, SearchRequest(texts=("at night",), like=(seen,), limit=5), encoder)
    return {
        f'glamlake search "{_WORDS}" --where "split <> \'train\'"': by_words,
        f"glamlake search --image {seen}": like,
        f'glamlake search "at night" --image {seen}': both,
    }


def _save_sheet(lake: Lake, searches: Mapping[str, Sequence[SearchResult]]) -> Path:
    pictures = [(result.path, result.title or "untitled") for found in searches.values() for result in found]
    return save_contact_sheet(lake, pictures, lake.reports / "searches.png", _COLUMNS, "Three searches")


def _row(result: SearchResult) -> dict[str, Any]:
    return {
        "score": result.score, "sample_id": result.sample_id, "title": result.title, "year": result.year,
        "label": result.label, "archives": result.archives,
    }
