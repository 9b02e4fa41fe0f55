"""Hits as untidy as real ones, 2 KB each, written as the harvest writes them: for benchmarks."""

import csv
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake import Lake
from lake.tables import RAW_HITS

HERE = Path(__file__).parent
_BATCH = 20_000
_WORDS = (
    "harbour",
    "tram",
    "bridge",
    "soldier",
    "church",
    "market",
    "horse",
    "factory",
    "street",
    "railway",
    "steamer",
    "mill",
    "village",
    "portrait",
    "crew",
    "winter",
    "summer",
    "river",
    "tower",
    "field",
    "hospital",
    "workshop",
    "carriage",
    "engine",
    "locomotive",
    "bicycle",
    "aeroplane",
    "airship",
    "cannon",
    "trench",
    "school",
    "choir",
    "festival",
    "parade",
    "kitchen",
    "chair",
    "table",
    "vase",
    "coin",
    "map",
    "plan",
    "drawing",
    "poster",
    "engraving",
    "satama",
    "raitiovaunu",
    "silta",
    "sotilas",
    "kirkko",
    "tori",
    "hevonen",
    "tehdas",
    "katu",
    "rautatie",
    "höyrylaiva",
    "mylly",
    "kylä",
    "muotokuva",
    "talvi",
    "kesä",
    "joki",
    "torni",
    "pelto",
    "sairaala",
    "Brücke",
    "Straße",
    "Kirche",
    "Dampfer",
    "Mühle",
    "église",
    "forêt",
    "château",
)
_QUERIES = ("ship", "steam train", "church", "soldier", "laiva", "höyryjuna", "map", "bridge", "horse")


def _texts(name: str) -> list[str]:
    with (HERE.parent / "fixtures" / name).open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


DATES, RIGHTS = _texts("dates.csv"), _texts("rights.csv")


def write_untidy_hits(lake: Lake, n_hits: int, seed: int = 7) -> None:
    """Write `n_hits` hits of two archives; a tenth of them were found before by another search."""
    for archive in ("europeana", "sa_kuva"):
        folder = lake.raw / RAW_HITS.name / f"archive={archive}"
        folder.mkdir(parents=True, exist_ok=True)
        for number, start in enumerate(range(0, n_hits // 2, _BATCH)):
            rng = random.Random(f"{seed} {archive} {start}")
            rows = list(_hits(archive, start, min(start + _BATCH, n_hits // 2), rng))
            pq.write_table(
                pa.Table.from_pylist(rows, schema=RAW_HITS.schema), folder / f"{number:05}.parquet"
            )


def _hits(archive: str, start: int, stop: int, rng: random.Random) -> Iterator[dict[str, Any]]:
    for position in range(start, stop):
        object_number = position if rng.random() > 0.1 else rng.randrange(start, position + 1)
        query = rng.choice(_QUERIES)
        item = (_europeana if archive == "europeana" else _finna)(object_number, random.Random(object_number))
        yield {
            "hit_id": f"{archive}-{position:08}",
            "run_id": "benchmark",
            "native_id": item["id"],
            "query": query,
            "slice": "",
            "page": position // 100,
            "position": position % 100,
            "base_url": "https://api.example.invalid",
            "fetched_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=position),
            "payload": json.dumps(item, ensure_ascii=False),
        }


def _sentence(rng: random.Random, n_words: int) -> str:
    words = [rng.choice(_WORDS) for _ in range(n_words)]
    return " ".join(words).capitalize() + f" {rng.randrange(10_000)}."


def _soiled(text: str, rng: random.Random) -> str:
    """Now and then entities, markup, odd spaces, decomposed letters or bytes decoded wrongly."""
    dice = rng.randrange(100)
    if dice < 5:
        return text.replace(" ", " &amp; ", 1) + "&quot;"
    if dice < 9:
        return f"<p>{text}</p><br/>"
    if dice < 15:
        return text.replace(" ", "  \u00a0", 3) + "\n"
    if dice < 18:
        return text.replace("ö", "o\u0308") + "\u200b"
    if dice == 18:
        return (text + " Mühle höyry").encode().decode("cp1252", errors="ignore")
    return text


def _europeana(number: int, rng: random.Random) -> dict[str, Any]:
    title, english = _soiled(_sentence(rng, 6), rng), _sentence(rng, 6)
    text = _soiled(_sentence(rng, 60), rng)
    # a tenth say of no text in which language it is
    titles = {"def": [title, english]} if number % 10 == 3 else {"de": [title], "en": [english]}
    return {
        "id": f"/{number % 300}/item_{number}",
        "guid": f"https://www.europeana.eu/item/{number % 300}/item_{number}?x=1",
        "type": "IMAGE",
        "title": [title],
        "dcTitleLangAware": titles,
        "dcDescription": [text],
        "dcDescriptionLangAware": {"def": [text]} if number % 3 else {"en": [text]},
        "language": ["de"],
        "dcCreator": [f"Berg, Anna {number % 5000}"],
        "year": [str(1800 + number % 150)],
        "edmTimespanLabel": [
            {"def": rng.choice(DATES)},
            {"def": f"{1 + number % 28}.{1 + number % 12}.{1850 + number % 100}"},
        ],
        "country": ["Germany"],
        "dataProvider": [f"Museum {number % 700}"],
        "provider": ["Aggregator"],
        "rights": [rng.choice(RIGHTS)],
        "edmIsShownAt": [f"https://museum.example/{number}"],
        "edmIsShownBy": [f"https://museum.example/{number}.jpg"],
        "dcSubject": [rng.choice(_WORDS) for _ in range(4)],
        "edmConcept": [f"http://vocab.getty.edu/aat/{300000000 + number % 900}"],
        "dcType": ["photograph"],
        "score": rng.random(),
        "timestamp": 1688571109767 + number,
        "europeanaCollectionName": ["2022_collection_of_things"],
        "edmPreview": [f"https://api.example/thumb/{number}?{'x' * 300}"],
    }


def _finna(number: int, rng: random.Random) -> dict[str, Any]:
    day = f"{1 + number % 28:02}.{1 + number % 12:02}.{1900 + number % 60}"
    return {
        "id": f"sa-kuva.{number}",
        "title": _soiled(_sentence(rng, 8), rng),
        "summary": [_soiled(_sentence(rng, 90), rng), _sentence(rng, 20)],
        "languages": ["fin"],
        "year": str(1900 + number % 60),
        "images": [f"/Cover/Show?source=Solr&id=sa-kuva.{number}&index=0&size=large"],
        "imageRights": {
            "copyright": rng.choice(RIGHTS),
            "link": "http://creativecommons.org/licenses/by/4.0/deed.fi",
            "description": [_sentence(rng, 20)],
        },
        "subjects": [[f"valmistusaika: {day}"], *([rng.choice(_WORDS)] for _ in range(6))],
        "buildings": [
            {"value": "0/SA-kuva/", "translated": "SA-kuva"},
            {"value": "1/SA-kuva/x", "translated": "Sota-arkisto"},
        ],
        "nonPresenterAuthors": [{"name": f"Virtanen, Aino {number % 900}", "role": "kuvaaja"}],
        "formats": [{"value": "0/Image/", "translated": "Kuva"}],
        "recordPage": f"/Record/sa-kuva.{number}" + "?" + "y" * 500,
        "rating": {"count": 0, "average": None},
    }
