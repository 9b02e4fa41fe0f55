"""Lakes with pictures in them, curated as `curate` would: what embed, search and the page are tested on."""

import hashlib
from collections.abc import Mapping
from typing import Any

from lake import Lake
from lake.tables import RAW_HITS, RECORDS, SAMPLES
from tests.lakes import noise_jpeg, write_mart, write_raw


def stored_picture(lake: Lake, content: bytes) -> dict[str, str]:
    """Put bytes where `fetch` puts them; gives sample_id, sha256 and path as `samples` has them."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = lake.images / sha256[:2] / sha256[2:4] / f"{sha256}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"sample_id": sha256[:16], "sha256": sha256, "path": str(path.relative_to(lake.root))}


def picture_lake(
    lake: Lake, n: int, facts: Mapping[int, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Fill a lake with n pictures, one record each; gives the rows of `samples`, in order of making.

    Picture i is of year 1900 + i, labelled 'even' or 'odd', of provider P0, P1 or P2; `facts` overrides by i.
    """
    records = [
        {"record_id": f"demo:{i}", "archive": "demo", "provider": f"P{i % 3}", "country": "Finland",
         "landing_url": f"https://demo.invalid/{i}"}
        for i in range(n)
    ]
    samples = [_sample(lake, i) | dict((facts or {}).get(i, {})) for i in range(n)]
    write_raw(lake, RAW_HITS, [{"hit_id": "0" * 16}])
    write_mart(lake, RECORDS, records)
    write_mart(lake, SAMPLES, samples)
    return samples


def _sample(lake: Lake, i: int) -> dict[str, Any]:
    label = "odd" if i % 2 else "even"
    return stored_picture(lake, noise_jpeg(i)) | {
        "record_ids": [f"demo:{i}"], "archives": ["demo"], "labels": [label, "number"], "label": label,
        "caption": f"number {i}", "title": f"Number {i}", "year": 1900 + i, "rights_class": "open",
        "split": "val",
    }
