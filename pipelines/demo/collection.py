"""The demo's collection: 400 scenes of 14 subjects in three archives, and what is wrong with them.

Of every 7 scenes of a subject one is in Europeana, one in Finna and five are in the demo archive. On top
come, always the same for a seed and named in `DemoCollection.faults`:

- copies: 10 prints with the same bytes in a second archive (`same_bytes`), 7 smaller ones (`reduced`), 7 of
  the same size compressed again (`recompressed`), 3 mirror images (`mirrored`), 3 in another tone
  (`retoned`);
- files that are no picture: 4 blank frames (`blank`), 3 cut short (`truncated`), 3 HTML pages named .jpg
  (`html`), 3 that are not there, HTTP 404 (`missing`), 1 too small to be of use (`thumbnail`);
- entries that have a text but no picture (`no_picture`, 8), and entries whose text does not say what is
  shown, so that no search finds them (`silent`, 5).

The searches ask for every subject in English and in Finnish; Finna's records are in Finnish only.
"""

import random
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.demo.catalogue import Entry, Object, demo_object
from pipelines.demo.catalogue_shapes import europeana_item, finna_id, finna_record
from pipelines.demo.catalogue_words import SUBJECT_WORDS
from pipelines.demo.pictures import File, PictureAnswer, answer
from pipelines.demo.scenes import choose_scenes
from pipelines.demo.scenes_model import Scene

ARCHIVES = ("demo", "europeana", "sa_kuva")
N_SCENES = 400
EUROPEANA_HOST = "http://europeana.glamlake.invalid"
_EXTENSIONS = ("jpg",) * 14 + ("png", "tif", "webp", "webp")
_COPIES = {"same_bytes": 10, "reduced": 7, "recompressed": 7, "mirrored": 3, "retoned": 3}
_FAULTS = {"blank": 4, "truncated": 3, "html": 3, "missing": 3, "thumbnail": 1}
_NO_PICTURE, _SILENT = 8, 5


@dataclass(frozen=True)
class Fault:
    """Something wrong on purpose: what, with which picture (or entry), and which picture it is a copy of."""

    kind: str
    archive: str
    where: str    # the picture's address as its archive gives it, or the entry's name where there is none
    copy_of: str | None = None


@dataclass(frozen=True)
class DemoCollection:
    """Three archives' holdings; their pictures are drawn when asked for."""

    objects: list[Object]
    europeana_items: list[Object]
    finna_records: list[Object]
    queries: tuple[str, ...]
    faults: tuple[Fault, ...]
    files: dict[str, File]    # by the key that `picture` derives from path and parameters

    def picture(self, path: str, params: list[tuple[str, str]]) -> PictureAnswer | None:
        """What the archive that has this path answers; None where no archive ever had it."""
        file = self.files.get(_key(path, params))
        return None if file is None else answer(file)

    def scene_at(self, address: str) -> Scene | None:
        """What the picture at an address shows; None where no archive ever had it."""
        file = self.files.get(_key_of(address))
        return None if file is None else file.scene


@dataclass(frozen=True)
class _Holding:
    """A file in an archive, before it has a number and an address there."""

    archive: str
    file: File | None
    scene: Scene
    fault: str | None = None
    source: Scene | None = None


def demo_collection(seed: int = 42) -> DemoCollection:
    """The collection of a seed; drawing nothing yet."""
    holdings = _holdings(seed)
    entries: dict[str, list[Entry]] = {archive: [] for archive in ARCHIVES}
    files: dict[str, File] = {}
    addresses: dict[str, str] = {}
    faults: list[Fault] = []
    for holding in holdings:
        entry = _entry(holding, len(entries[holding.archive]) + 1, seed)
        entries[holding.archive].append(entry)
        if entry.picture is not None and holding.file is not None:
            files[_key_of(entry.picture)] = holding.file
            addresses.setdefault(holding.scene.name, entry.picture)
        if holding.fault:
            source = addresses[holding.source.name] if holding.source else None
            faults.append(Fault(holding.fault, holding.archive, entry.picture or entry.name, source))
    return DemoCollection(
        objects=[demo_object(entry) for entry in entries["demo"]],
        europeana_items=[europeana_item(entry) for entry in entries["europeana"]],
        finna_records=[finna_record(entry) for entry in entries["sa_kuva"]],
        queries=tuple(words[at] for at in (0, 1) for words in SUBJECT_WORDS.values()),
        faults=tuple(faults),
        files=files,
    )


def _holdings(seed: int) -> list[_Holding]:
    """Every file of every archive: prints, shuffled, then what is wrong on purpose, shuffled."""
    rng = random.Random(f"holdings/{seed}")
    prints = list(_prints(seed))
    sound = list(prints)
    rng.shuffle(prints)
    spare = iter([scene for subject in SUBJECT_WORDS
                  for scene in choose_scenes(subject, 3, seed + 1_000_003)])
    extra = [*_copies(sound, rng), *_broken(spare, rng)]
    rng.shuffle(extra)
    return [*prints, *extra]


def _prints(seed: int) -> Iterator[_Holding]:
    for at, subject in enumerate(SUBJECT_WORDS):
        count = N_SCENES // len(SUBJECT_WORDS) + (at < N_SCENES % len(SUBJECT_WORDS))
        rng = random.Random(f"files/{seed}/{subject}")
        for i, scene in enumerate(choose_scenes(subject, count, seed)):
            archive = {2: "europeana", 5: "sa_kuva"}.get(i % 7, "demo")
            yield _Holding(archive, File(scene, rng.choice(_EXTENSIONS)), scene)


def _copies(prints: Sequence[_Holding], rng: random.Random) -> Iterator[_Holding]:
    """Copies of prints of the demo archive that are JPEG files, in the other archives and in its own."""
    sources = [h for h in prints if h.archive == "demo" and h.file is not None and h.file.extension == "jpg"]
    chosen = iter(rng.sample(sources, sum(_COPIES.values())))
    for fault, count in _COPIES.items():
        for i in range(count):
            source = next(chosen)
            archive = ARCHIVES[1 + i % 2] if fault == "same_bytes" else ARCHIVES[i % 3]
            treatment = "print" if fault == "same_bytes" else fault
            yield _Holding(archive, File(source.scene, "jpg", treatment), source.scene, fault, source.scene)


def _broken(scenes: Iterator[Scene], rng: random.Random) -> Iterator[_Holding]:
    for fault, count in _FAULTS.items():
        for i in range(count):
            scene = next(scenes)
            yield _Holding(ARCHIVES[(0, 0, 1, 2)[i % 4]], File(scene, "jpg", fault), scene, fault)
    for i in range(_NO_PICTURE):
        yield _Holding(ARCHIVES[(0, 2, 0, 1)[i % 4]], None, next(scenes), "no_picture")
    for _ in range(_SILENT):
        scene = next(scenes)
        yield _Holding("demo", File(replace(scene, name=f"{scene.name}/{rng.random()}")), scene, "silent")


def _entry(holding: _Holding, number: int, seed: int) -> Entry:
    address = None if holding.file is None else _address(holding.archive, number, holding.file.extension)
    return Entry(f"{seed}/{holding.archive}/{number}", number, holding.scene, address,
                 silent=holding.fault == "silent")


def _address(archive: str, number: int, extension: str) -> str:
    """A picture's address as its archive gives it: site-relative, or absolute in Europeana's fashions."""
    if archive == "demo":
        return f"/pictures/np-{number:04d}.{extension}"
    if archive == "sa_kuva":
        return f"/Cover/Show?id={finna_id(number)}&index=0&size=large"
    ways = (f"eu-{number:04d}.{extension}", f"eu-{number:04d}.{extension}", f"eu-{number:04d}/full",
            f"image?id=eu-{number:04d}&size=full")
    return f"{EUROPEANA_HOST}/pictures/{ways[number % 4]}"


def _key_of(address: str) -> str:
    parts = urllib.parse.urlsplit(address)
    return _key(parts.path, urllib.parse.parse_qsl(parts.query))


def _key(path: str, params: Sequence[tuple[str, str]]) -> str:
    """What tells pictures apart: the path, and the parameter `id` where pictures share one path."""
    chosen = next((value for name, value in params if name == "id"), None)
    return path if chosen is None else f"{path}?id={chosen}"
