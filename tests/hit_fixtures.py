"""Raw hits from answers in files: the fixtures here, or recorded answers of the real services."""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lake import Lake
from lake.tables import RAW_HITS
from pipelines.archives import archive_names, load_archive
from pipelines.archives._archive import Query, Request
from pipelines.details import with_details
from tests.lakes import write_raw

FIXTURES = Path(__file__).parent / "fixtures"
ARCHIVES = tuple(name for name in archive_names() if (FIXTURES / "hits" / name).is_dir())
_LISTS = ("items", "records")
_TOKENS = {    # of pages that do not say themselves where on their site they stand
    "wwii/page_1.html": "0 /gallery/usa/tanks/m3_stuart/",
    "wwii/page_2.html": "0 /gallery/ussr/tanks-2/t-34/",
    "ww_vehicles/page_1.html": "/ww2/us/us-trucks.php", "ww_vehicles/page_2.html": "/ww1/trucks.php",
}


def items_of(archive: str, page: Path) -> list[Any]:
    """The items of one recorded answer, of a bare list of them, or of a list whose envelope was lost."""
    text = page.read_text(encoding="utf-8")
    answer = json.loads(text) if page.suffix == ".json" else None
    if isinstance(answer, list):
        return answer
    if isinstance(answer, dict) and len(answer) == 1 and set(answer) <= set(_LISTS):
        return list(*answer.values())
    adapter = load_archive(archive)
    token = _TOKENS.get(f"{archive}/{page.name}", adapter.first_token)
    if adapter.reads_files:
        return [json.loads(item) for item in adapter.read_local(Query("*"), str(page), token, 1000).items]
    found = adapter.read(text, token, adapter.page_size)
    found = with_details(adapter, found, lambda request: _detail(page, request))
    return [json.loads(item) for item in found.items]


def fixture_items(archive: str) -> list[Any]:
    """The items of every page of an archive's fixture, in order."""
    pages = sorted((FIXTURES / "hits" / archive).glob("*.*"))
    return [item for page in pages for item in items_of(archive, page)]


def _detail(page: Path, request: Request) -> str:
    """The answer to what is asked about one item, from a file: `details/<what is asked>.json`."""
    asked = "".join(value for _, value in request.params) or request.path
    name = re.sub(r"[^A-Za-z0-9]+", "_", asked).strip("_").removesuffix("_json")
    file = page.parent / "details" / f"{name}.json"
    return file.read_text(encoding="utf-8") if file.exists() else '{"code": "-2", "message": "not found"}'


def _native_id(archive: str, item: object) -> str | None:
    if not isinstance(item, dict):
        return None
    return load_archive(archive).native_id(item) if archive in archive_names() else item.get("id")


def hit(archive: str, query: str, item: object, **more: object) -> dict[str, object]:
    """One raw row of an item (JSON text stays as it is)."""
    payload = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
    base_url = load_archive(archive).base_url if archive in archive_names() else None
    row = {
        "native_id": _native_id(archive, item), "query": query, "slice": "all", "page": 0, "position": 0,
        "base_url": base_url, "fetched_at": datetime(2026, 1, 2, 12, tzinfo=UTC), "payload": payload,
    } | more
    key = "\x00".join(str(part) for part in (archive, query, row["native_id"] or payload))
    return {"hit_id": hashlib.sha256(key.encode()).hexdigest()[:16]} | row


def load_hits(lake: Lake, archive: str, query: str, items: Iterable[object]) -> int:
    """Append the items as hits of one query; how many there were."""
    rows = [hit(archive, query, item) for item in items]
    write_raw(lake, RAW_HITS, rows, archive)
    return len(rows)
