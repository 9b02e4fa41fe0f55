"""webdataset: tar shards per split, as `webdataset` and open_clip's training reader take them.

    <split>/00000.tar     <sample_id>.jpg, .txt, .json side by side, for each sample
    <split>/sizes.json    samples in each shard of the split; open_clip reads it

The JPEG is upright RGB, the text is the caption (where there is none: the title, else the labels), the JSON
is the sample's row. Samples are ordered by id, which is a hash: a shard is a random draw of its split.
"""

import json
import tarfile
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice
from typing import Any

from lake import Lake
from lake.errors import FetchError
from pipelines.exports._draft import Draft, HashedFile
from pipelines.exports._jpeg import upright_rgb_jpeg
from pipelines.exports._manifest import plain_json
from pipelines.exports._selection import ExportOptions, Picture

FORMAT = "webdataset"
NOTES = (
    "<split>/{00000..NNNNN}.tar holds <sample_id>.jpg (upright RGB), .txt (UTF-8), .json (the sample's row)",
    "open_clip: --dataset-type webdataset --train-data 'train/{00000..NNNNN}.tar'; sizes.json has the counts",
)
_END = bytes(2 * tarfile.BLOCKSIZE)


def write(lake: Lake, draft: Draft, pictures: Iterable[Picture], options: ExportOptions) -> None:
    """Write the shards of each split and their sizes."""
    for split, members in groupby(pictures, key=lambda picture: str(picture.sample["split"])):
        sizes = {}
        for number, shard in enumerate(_shards(iter(members), options.shard_size)):
            path = f"{split}/{number:05}.tar"
            draft.shards[path] = _write_shard(lake, draft, path, shard)
            sizes[f"{number:05}.tar"] = draft.shards[path]
        draft.put(f"{split}/sizes.json", (json.dumps(sizes, indent=2) + "\n").encode())


def text_of(sample: dict[str, Any]) -> str:
    """What the picture is trained with: its caption, else its title, else its labels."""
    return str(sample["caption"] or sample["title"] or ", ".join(sample["labels"] or []))


def _shards(pictures: Iterator[Picture], size: int) -> Iterator[Iterator[Picture]]:
    """One iterator per shard, each to be used up before the next is taken."""
    for first in pictures:
        yield chain([first], islice(pictures, size - 1))


def _write_shard(lake: Lake, draft: Draft, path: str, pictures: Iterator[Picture]) -> int:
    n_samples = 0
    with draft.open(path) as file:
        for picture in pictures:
            n_samples += 1
            for extension, content in _members(lake, picture):
                _add(file, f"{picture.sample_id}.{extension}", content)
        file.write(_END)
    return n_samples


def _members(lake: Lake, picture: Picture) -> Iterator[tuple[str, bytes]]:
    content = picture.read(lake)
    try:
        jpeg = upright_rgb_jpeg(content)
    except FetchError as e:
        raise picture.unreadable(str(e)) from e
    yield "jpg", jpeg
    yield "txt", text_of(picture.sample).encode()
    yield "json", plain_json(picture.sample).encode()


def _add(file: HashedFile, name: str, content: bytes) -> None:
    header = tarfile.TarInfo(name)   # a fresh one has time 0, owner 0 and mode 0644: the same bytes each time
    header.size = len(content)
    file.write(header.tobuf(tarfile.USTAR_FORMAT))
    file.write(content)
    file.write(bytes(-len(content) % tarfile.BLOCKSIZE))
