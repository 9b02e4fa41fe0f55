"""Raw hits from answers in files: the fixtures here, or recorded answers of the real services."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lake import Lake
from lake.tables import RAW_HITS
from tests.lakes import write_raw

FIXTURES = Path(__file__).parent / "fixtures"
ARCHIVES = ("demo", "europeana", "sa_kuva")
BASE_URLS = {
    "demo": "http://demo.glamlake.invalid", "europeana": "https://api.europeana.eu", "sa_kuva": "https://api.finna.fi",
}
_ITEMS = {"demo": "objects", "europeana": "items", "sa_kuva": "records"}


def items_of(archive: str, page: Path) -> list[Any]:
    """The items of one recorded answer, or of a bare list of them."""
    answer = json.loads(page.read_text(encoding="utf-8"))
    return answer if isinstance(answer, list) else answer.get(_ITEMS[archive], [])


def fixture_items(archive: str) -> list[Any]:
    """The items of every page of an archive's fixture, in order."""
    pages = sorted((FIXTURES / "hits" / archive).glob("*.json"))
    return [item for page in pages for item in items_of(archive, page)]


def hit(archive: str, query: str, item: object, **more: object) -> dict[str, object]:
    """One raw row of an item (JSON text stays as it is)."""
    native_id = item.get("id") if isinstance(item, dict) else None
    payload = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
    row = {
        "native_id": native_id, "query": query, "slice": "all", "page": 0, "position": 0,
        "base_url": BASE_URLS.get(archive), "fetched_at": datetime(2026, 1, 2, 12, tzinfo=UTC),
        "payload": payload,
    } | more
    key = "\x00".join(str(part) for part in (archive, query, row["native_id"] or payload))
    return {"hit_id": hashlib.sha256(key.encode()).hexdigest()[:16]} | row


def load_hits(lake: Lake, archive: str, query: str, items: Iterable[object]) -> int:
    """Append the items as hits of one query; how many there were."""
    rows = [hit(archive, query, item) for item in items]
    write_raw(lake, RAW_HITS, rows, archive)
    return len(rows)
