"""The recorded answers of the real services that are searches, as the items they hold."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.hit_fixtures import items_of

RECORDED = {
    "europeana": ("europeana", (
        "items_open_art", "search_rich_facets_greek_photographs", "search_cursor_italian_ww1_maps",
    )),
    "sa_kuva": ("finna", (
        "search_museovirasto_images", "search_books_condie", "records_finna_client_session",
        "records_fields_id_title_year",
    )),
    "national_archive": ("national_archives", ("search_v3_uap_ohio", "record_v3_488808329")),
    "loc_maps": ("loc", ("photos_search_homesteading_page1", "collections_listing_2017")),
    "smu": ("contentdm", ("smu_search_wes_cowboy",)),
}


def recorded_items(archive: str) -> list[Any]:
    """Every item of an archive's recorded searches, and those that were recorded without their envelope."""
    folder, names = RECORDED[archive]
    at = Path(os.environ["GLAMLAKE_SAMPLES"]) / folder
    items = [item for name in names for item in items_of(archive, at / f"{name}.json")]
    if archive == "loc_maps":
        items.append(json.loads((at / "result_sanborn_map_arkansas.json").read_text("utf-8")))
    if archive == "smu":
        return [_with_own_metadata(at, item) for item in items] + list(_known_by_metadata_only(at))
    return items


def _with_own_metadata(at: Path, item: dict[str, Any]) -> dict[str, Any]:
    found = item["search"]
    file = at / f"smu_{found['collectionAlias']}_{found['itemId']}_dmGetItemInfo.json"
    return item | {"item": json.loads(file.read_text("utf-8")) if file.exists() else None}


def _known_by_metadata_only(at: Path) -> Iterator[dict[str, Any]]:
    """Items of another site, recorded without the search that would have found them."""
    for file in sorted(at.glob("umn_*_dmGetItemInfo.json")):
        item = json.loads(file.read_text("utf-8"))
        alias = file.name.split("_")[1]
        filetype = item["find"].split(".")[-1]
        found = {"collectionAlias": alias, "itemId": item["dmrecord"], "filetype": filetype}
        pages = at / f"umn_{alias}_{item['dmrecord']}_dmGetCompoundObjectInfo.json"
        compound = json.loads(pages.read_text("utf-8")) if pages.exists() else None
        yield {"search": found, "item": item, "compound": compound}
