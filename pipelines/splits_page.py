"""The split's audit as a page for people, beside `reports/splits.json`."""

from collections.abc import Mapping
from html import escape
from typing import Any

from lake.tables import SPLITS


def splits_page(audit: Mapping[str, Any]) -> str:
    """One page without scripts: near pairs on two sides, samples per side, each label's shares."""
    sides = [side for side in SPLITS if audit[f"n_{side}"]]
    pairs, on_two = audit["n_pairs"], audit["n_pairs_on_two_sides"]
    asked = f"validation {audit['val_split']:.1%}, test {audit['test_split']:.1%}, seed {audit['seed']}"
    rows = [_row("all samples", audit, sides)]
    rows += [_row(str(label["label"]), label, sides) for label in audit["labels"]]
    held_out = ", ".join(audit["ood_providers"])
    whole = f"\n<p>Held out whole as test_ood: {escape(held_out)}.</p>" if held_out else ""
    head = "".join(f"<th>{escape(side)}</th><th>share</th>" for side in sides)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Splits</title><style>
body {{ font: 15px/1.5 sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
table {{ border-collapse: collapse }} td, th {{ padding: .15rem .8rem; text-align: right }}
th {{ border-bottom: 1px solid #888 }} td:first-child, th:first-child {{ text-align: left }}
</style></head><body>
<h1>Splits</h1>
<p><strong>{on_two} pairs of near pictures are on two sides</strong>, of {pairs} pairs whose perceptual
hashes, in any orientation, differ in at most {audit['near_distance']} of 64 bits, or which show the same.</p>
<p>{audit['n_samples']} samples in {audit['n_groups']} groups that stay together.
Asked for: {escape(asked)}.</p>{whole}
<table><thead><tr><th>label</th><th>samples</th>{head}</tr></thead>
<tbody>
{"".join(rows)}</tbody></table>
</body></html>
"""


def _row(name: str, counts: Mapping[str, Any], sides: list[str]) -> str:
    total = counts["n_samples"]
    cells = "".join(
        f"<td>{counts[f'n_{side}']}</td><td>{counts[f'n_{side}'] / max(total, 1):.1%}</td>" for side in sides
    )
    return f"<tr><td>{escape(name)}</td><td>{total}</td>{cells}</tr>\n"
