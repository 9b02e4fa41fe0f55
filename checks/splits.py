"""What a split was asked for: `curate` publishes it with its audit as `reports/splits.json`."""

import json
from typing import Any

from lake import Lake


def asked_of_split(lake: Lake) -> dict[str, Any]:
    """The audit's numbers (`val_split`, `near_distance`…); none where it cannot be read."""
    try:
        found = json.loads((lake.reports / "splits.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
