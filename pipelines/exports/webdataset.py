"""webdataset: tar shards per split, as `webdataset` and open_clip's training reader take them.

    <split>/00000.tar     <sample_id>.jpg, .txt, .json side by side, for each sample
    <split>/sizes.json    samples in each shard of the split; open_clip reads it

The JPEG is upright RGB, the text is the caption (where there is none: the title, else the labels), the JSON
is the sample's row. Samples are ordered by id, which is a hash: a shard is a random draw of its split.
"""

import json
import tarfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from lake import Lake
from pipelines.exports._croissant import Description, file_set, picture_fields, record_set
from pipelines.exports._draft import Draft, HashedFile
from pipelines.exports._picture import Picture
from pipelines.exports._reading import in_shards, with_jpegs
from pipelines.exports._selection import ExportOptions

FORMAT = "webdataset"
NOTES = (
    "<split>/{00000..NNNNN}.tar holds <sample_id>.jpg (upright RGB), .txt (UTF-8), .json (the sample's row)",
    "open_clip: --dataset-type webdataset --train-data 'train/{00000..NNNNN}.tar'; sizes.json has the counts",
    "mlcroissant keeps extracted shards by their path alone: give it a CROISSANT_CACHE folder per export",
)
_END = bytes(2 * tarfile.BLOCKSIZE)
# what is the same in every header: mode 0644, owner 0, time 0 (the same bytes each time), a plain file
_BEFORE_SIZE, _TIME = b"0000644\0" + 2 * b"0000000\0", b"00000000000\0"
_AFTER_TIME = b"        0" + bytes(100) + b"ustar\x0000" + bytes(247)

Loaded = tuple[Picture, bytes]


def write(lake: Lake, draft: Draft, pictures: Iterable[Picture], options: ExportOptions) -> None:
    """Write the shards of each split and their sizes."""
    loaded = with_jpegs(lake, pictures, options.max_side)
    for split, members in groupby(loaded, key=lambda found: str(found[0].sample["split"])):
        sizes = {}
        for number, shard in enumerate(in_shards(members, options.shard_size)):
            path = f"{split}/{number:05}.tar"
            draft.shards[path] = _write_shard(draft, path, shard)
            sizes[f"{number:05}.tar"] = draft.shards[path]
        draft.put(f"{split}/sizes.json", (json.dumps(sizes, indent=2) + "\n").encode())


def describe(draft: Draft) -> Description:
    """The members of all shards by kind."""
    shards = sorted(draft.shards)
    return Description(
        files=tuple(shards),
        file_sets=(file_set("jpegs", "*.jpg", "image/jpeg", inside=shards),),
        record_sets=(record_set("pictures", "One picture per sample.", picture_fields("pictures", "jpegs")),),
    )


def text_of(sample: dict[str, Any]) -> str:
    """What the picture is trained with: its caption, else its title, else its labels."""
    return str(sample["caption"] or sample["title"] or ", ".join(sample["labels"] or []))


def _write_shard(draft: Draft, path: str, pictures: Iterator[Loaded]) -> int:
    n_samples = 0
    with draft.open(path) as file:
        for picture, jpeg in pictures:
            n_samples += 1
            _add(file, f"{picture.sample_id}.jpg", jpeg)
            _add(file, f"{picture.sample_id}.txt", text_of(picture.sample).encode())
            _add(file, f"{picture.sample_id}.json", picture.sample_json.encode())
        file.write(_END)
    return n_samples


def _add(file: HashedFile, name: str, content: bytes) -> None:
    file.write(tar_header(name, len(content)))
    file.write(content)
    file.write(bytes(-len(content) % tarfile.BLOCKSIZE))


def tar_header(name: str, size: int) -> bytes:
    """What `tarfile` writes for a fresh TarInfo of a short ASCII name, at a twentieth of its time."""
    size_field = b"%011o\0" % size
    header = name.encode("ascii").ljust(100, b"\0") + _BEFORE_SIZE + size_field + _TIME + _AFTER_TIME
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]
