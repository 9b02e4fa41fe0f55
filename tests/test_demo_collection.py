"""The built-in collection: enough of everything, the same every time, and wrong exactly where it says so."""

import hashlib
import io
import subprocess
import sys
import urllib.parse
from collections import Counter
from itertools import combinations
from pathlib import Path

import imagehash
import pytest
from PIL import Image, UnidentifiedImageError

from pipelines.demo.catalogue_words import SUBJECT_WORDS
from pipelines.demo.collection import ARCHIVES, DemoCollection, Fault, demo_collection
from pipelines.demo.pictures import PictureAnswer, print_of
from pipelines.demo.scenes import SUBJECTS, choose_scenes
from pipelines.replay.holdings import holds_words

EUROPEANA_ALWAYS = {
    "completeness", "country", "dataProvider", "dcTitleLangAware", "edmConcept", "edmConceptLabel",
    "edmConceptPrefLabelLangAware", "edmDatasetName", "edmIsShownAt", "europeanaCollectionName",
    "europeanaCompleteness", "guid", "id", "index", "language", "link", "previewNoDistribute", "provider",
    "rights", "score", "timestamp", "timestamp_created", "timestamp_created_epoch", "timestamp_update",
    "timestamp_update_epoch", "title", "type", "ugc",
}
EUROPEANA_SOMETIMES = {
    "dcCreator", "dcCreatorLangAware", "dcDescription", "dcDescriptionLangAware", "edmIsShownBy",
    "edmPreview", "year",
}
FINNA_ALWAYS = {
    "buildings", "formats", "id", "images", "languages", "nonPresenterAuthors", "onlineUrls", "presenters",
    "rating", "series", "subjects", "title",
}
FINNA_SOMETIMES = {"imageRights", "year"}
DEMO_ALWAYS = {"id", "holder", "page"}
DEMO_SOMETIMES = {"title", "note", "made", "keywords", "makers", "country", "licence", "picture"}


@pytest.fixture(scope="module")
def collection() -> DemoCollection:
    """The collection of the seed that `glamlake demo` uses."""
    return demo_collection()


def _items(collection: DemoCollection) -> list[tuple[str, dict[str, object]]]:
    held = (collection.objects, collection.europeana_items, collection.finna_records)
    return [(archive, item) for archive, items in zip(ARCHIVES, held, strict=True) for item in items]


def _list(item: dict[str, object], key: str) -> list[object]:
    held = item.get(key, [])
    assert isinstance(held, list)
    return held


def _faults(collection: DemoCollection, *kinds: str) -> list[Fault]:
    return [fault for fault in collection.faults if fault.kind in kinds]


def _get(collection: DemoCollection, address: str) -> PictureAnswer:
    parts = urllib.parse.urlsplit(address)
    answer = collection.picture(parts.path, urllib.parse.parse_qsl(parts.query))
    assert answer is not None, address
    return answer


def _phash(body: bytes) -> imagehash.ImageHash:
    return imagehash.phash(Image.open(io.BytesIO(body)))


def _found_by(collection: DemoCollection, item: dict[str, object]) -> list[str]:
    return [query for query in collection.queries if holds_words(item, query.casefold().split())]


def _digest(collection: DemoCollection) -> str:
    texts = repr(_items(collection)) + repr(collection.faults) + repr(sorted(collection.files.items()))
    return hashlib.sha256(texts.encode()).hexdigest()


def test_there_are_400_scenes_of_14_subjects_in_three_archives(collection: DemoCollection) -> None:
    scenes = {file.scene.name: file.scene for file in collection.files.values()}
    own = Counter(scene.subject for name, scene in scenes.items() if name.startswith("42/"))
    assert set(own) == set(SUBJECTS) == set(SUBJECT_WORDS)
    assert sum(own.values()) == 400
    assert set(own.values()) == {28, 29}
    assert len(collection.objects) > 280
    assert 55 <= len(collection.europeana_items) <= 80
    assert 55 <= len(collection.finna_records) <= 80


def test_identifiers_are_unique_in_each_archive(collection: DemoCollection) -> None:
    ids = [(archive, item["id"]) for archive, item in _items(collection)]
    assert len(ids) == len(set(ids))


def test_every_address_has_an_answer_and_every_file_an_address(collection: DemoCollection) -> None:
    addresses = [o["picture"] for o in collection.objects if "picture" in o]
    addresses += [path for item in collection.europeana_items for path in _list(item, "edmIsShownBy")]
    addresses += [path for record in collection.finna_records for path in _list(record, "images")]
    assert len(addresses) == len(set(addresses)) == len(collection.files)
    wrong = {fault.where for fault in _faults(collection, "missing")}
    for address in [*map(str, addresses[::40]), *wrong]:
        assert _get(collection, address).status == (404 if address in wrong else 200)


def test_an_unknown_path_has_no_picture(collection: DemoCollection) -> None:
    assert collection.picture("/pictures/np-9999.jpg", []) is None
    assert collection.picture("/Cover/Show", []) is None


def test_the_same_seed_gives_the_same_collection_in_another_process(collection: DemoCollection) -> None:
    program = (
        "import tests.test_demo_collection as t, hashlib; c = t.demo_collection();"
        "print(t._digest(c), hashlib.sha256(t._get(c, '/pictures/np-0003.jpg').body).hexdigest())"
    )
    command, root = [sys.executable, "-c", program], Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    body = _get(collection, "/pictures/np-0003.jpg").body
    assert done.stdout.split() == [_digest(collection), hashlib.sha256(body).hexdigest()]


def test_another_seed_gives_another_collection(collection: DemoCollection) -> None:
    other = demo_collection(7)
    assert _digest(other) != _digest(collection)
    assert _get(other, "/pictures/np-0001.jpg").body != _get(collection, "/pictures/np-0001.jpg").body


def test_items_have_the_keys_of_the_real_services(collection: DemoCollection) -> None:
    allowed = {
        "demo": (DEMO_ALWAYS, DEMO_SOMETIMES), "europeana": (EUROPEANA_ALWAYS, EUROPEANA_SOMETIMES),
        "sa_kuva": (FINNA_ALWAYS, FINNA_SOMETIMES),
    }
    seen: dict[str, set[str]] = {archive: set() for archive in ARCHIVES}
    for archive, item in _items(collection):
        always, sometimes = allowed[archive]
        assert always <= set(item) <= always | sometimes
        seen[archive] |= set(item)
    assert all(seen[archive] == always | sometimes for archive, (always, sometimes) in allowed.items())


def test_europeana_items_hold_lists_language_maps_and_a_place_for_the_key(collection: DemoCollection) -> None:
    for item in collection.europeana_items:
        assert str(item["guid"]).endswith("utm_campaign={{KEY}}")
        assert str(item["link"]).endswith("wskey={{KEY}}")
        titles = item["dcTitleLangAware"]
        assert isinstance(titles, dict)
        assert item["title"] == [text for texts in titles.values() for text in texts]
        assert all(_list(item, key) for key in ("rights", "dataProvider", "country", "language"))


def test_finna_records_have_rights_only_with_a_picture_and_years_as_text(collection: DemoCollection) -> None:
    for record in collection.finna_records:
        assert ("imageRights" in record) == bool(record["images"])
        assert isinstance(record.get("year", ""), str)
        assert all(isinstance(subject, list) for subject in _list(record, "subjects"))


def test_the_texts_are_untidy_in_every_way_promised(collection: DemoCollection) -> None:
    objects = collection.objects
    assert {type(o.get("title")) for o in objects} == {str, dict, type(None)}
    assert {type(o.get("keywords")) for o in objects} == {str, list, type(None)}
    assert any("note" in o and o["note"] is None for o in objects)
    assert any("&" in str(o.get("note")) and "<p>" in str(o.get("note")) for o in objects)
    dates = {str(o.get("made")) for o in objects}
    marks = ("ca. ", "-luku", "-?]", "/", ".19", "undated", "None")
    assert all(any(mark in date for date in dates) for mark in marks)
    licences = {str(o.get("licence")) for o in objects}
    assert {"CC BY 4.0", "© Northport", "None"} <= licences
    assert any(licence.startswith("http") for licence in licences)


def test_all_but_the_silent_items_are_found_by_their_subject_alone(collection: DemoCollection) -> None:
    subjects = {word: subject for subject, words in SUBJECT_WORDS.items() for word in words[:2]}
    found = [{subjects[query] for query in _found_by(collection, item)} for _, item in _items(collection)]
    assert Counter(len(these) for these in found) == {1: len(found) - 5, 0: 5}


def test_finnish_searches_find_what_no_english_one_does(collection: DemoCollection) -> None:
    english = {words[0] for words in SUBJECT_WORDS.values()}
    alone = Counter(
        query for record in collection.finna_records for query in _found_by(collection, record)
        if not english & set(_found_by(collection, record))
    )
    assert set(alone) == {words[1] for words in SUBJECT_WORDS.values()}


def test_a_picture_in_two_archives_has_the_same_bytes_in_both(collection: DemoCollection) -> None:
    copies = _faults(collection, "same_bytes")
    assert len(copies) >= 8
    assert all(fault.archive != "demo" and str(fault.copy_of).startswith("/pictures/np-") for fault in copies)
    assert all(_get(collection, f.where).body == _get(collection, str(f.copy_of)).body for f in copies[:4])


def test_reworked_copies_are_other_bytes_and_near_by_hash(collection: DemoCollection) -> None:
    copies = _faults(collection, "reduced", "recompressed", "retoned")
    assert len(copies) >= 12
    for fault in copies:
        copy, original = _get(collection, fault.where).body, _get(collection, str(fault.copy_of)).body
        assert copy != original
        assert _phash(copy) - _phash(original) <= 3


def test_a_mirrored_copy_is_near_once_it_is_turned_back(collection: DemoCollection) -> None:
    for fault in _faults(collection, "mirrored"):
        image = Image.open(io.BytesIO(_get(collection, fault.where).body))
        turned = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        assert imagehash.phash(turned) - _phash(_get(collection, str(fault.copy_of)).body) <= 3


def test_blank_frames_are_of_one_tone(collection: DemoCollection) -> None:
    blanks = _faults(collection, "blank")
    assert len(blanks) >= 3
    for fault in blanks:
        body = _get(collection, fault.where).body
        averaged = Image.open(io.BytesIO(body)).convert("L").resize((32, 32), Image.Resampling.BOX)
        tones = averaged.tobytes()
        assert max(tones) - min(tones) <= 3
        assert len(body) > 2560


def test_truncated_files_open_and_cannot_be_loaded(collection: DemoCollection) -> None:
    faults = _faults(collection, "truncated")
    assert len(faults) >= 2
    for fault in faults:
        image = Image.open(io.BytesIO(_get(collection, fault.where).body))
        with pytest.raises(OSError, match="truncated"):
            image.load()


def test_html_pages_come_with_the_media_type_of_a_picture(collection: DemoCollection) -> None:
    faults = _faults(collection, "html")
    assert len(faults) >= 2
    for fault in faults:
        answer = _get(collection, fault.where)
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(answer.body))


def test_some_pictures_are_missing_and_one_is_too_small(collection: DemoCollection) -> None:
    assert len(_faults(collection, "missing")) >= 2
    (small,) = _faults(collection, "thumbnail")
    assert max(Image.open(io.BytesIO(_get(collection, small.where).body)).size) < 64


def test_every_format_is_served_under_its_own_media_type(collection: DemoCollection) -> None:
    types = {"jpg": "image/jpeg", "png": "image/png", "tif": "image/tiff", "webp": "image/webp"}
    seen = {}
    for key, file in collection.files.items():
        if file.treatment == "print" and file.extension not in seen:
            answer = _get(collection, key)
            seen[file.extension] = answer.content_type
            assert Image.MIME[str(Image.open(io.BytesIO(answer.body)).format)] == answer.content_type
    assert seen == types


@pytest.mark.parametrize("subject", SUBJECTS)
def test_pictures_of_one_subject_differ_in_their_hashes(subject: str) -> None:
    hashes = [imagehash.phash(print_of(scene)) for scene in choose_scenes(subject, 6, 42)]
    assert min(a - b for a, b in combinations(hashes, 2)) > 8
