"""Labels: where each comes from, which way down to it, and vocabularies taken in and given back."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lake import Lake, catalog
from lake.errors import BadVocabulary, EmptyLake, UnknownThing
from lake.label_tree import label_rows, tree_rows, tree_text
from lake.tables import RECORD_LABELS
from pipelines.cli import cli
from pipelines.vocabulary import ImportOptions, import_vocabulary, imported_paths, write_paths
from tests.good_lake import good_lake
from tests.lakes import write_mart
from tests.model_room import ModelRoom

MODELS = (
    "int_vocabulary__united", "int_vocabulary__folded", "int_concepts__labelled", "int_labels__placed",
    "int_queries__labelled", "int_records__labelled",
)
PATHS = """idInSource,objectTypes.hierarchy,subjects.hierarchy,materials.hierarchy,classifications.hierarchy
1,indumentària | vestit $ estampa,,paper $ material vegetal | fusta,arts visuals
2,"edifici | castell $ fortificació|castell",castell,,
3,estampa,,  paper ,
"""
TURTLE = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix : <http://vocabulary.invalid/> .
:vessel a skos:Concept ; skos:prefLabel "Gefäß"@de, "receptacle"@en .
:boat skos:prefLabel "ships"@en-GB, "ships"@en ; skos:altLabel "Kahn"@de ; skos:broader :vessel, :craft .
:craft skos:prefLabel "craft"@en ; skos:narrower :boat ; skos:broader :boat .
:nameless skos:broader :vessel .
"""


def _record(name: str, **given: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "record_id": f"demo:{name}", "archive": "demo", "native_id": name, "queries": [], "titles": [name],
        "descriptions": [], "subjects": [], "concept_uris": [], "object_types": [], "label_paths": [],
    }
    return plain | given


RECORDS = (
    _record("said", queries=["steam train"], titles=["A train at night"]),
    _record("silent", queries=["steam train"], titles=["At night"]),
    _record("named", queries=["streetcar"], concept_uris=["https://www.wikidata.org/wiki/Q3407658"]),
    _record("own", subjects=["Höyryjuna"], object_types=["POSTCARDS"]),
    _record("war", concept_uris=["http://data.europeana.eu/concept/loc/sh85148236", "http://x.invalid/1"]),
    _record("armed", subjects=["warships"]),
    _record("placed", label_paths=[{"facet": "object_type", "path": ["indumentària", "vestit"]}]),
)


def _room(vocabulary: list[dict[str, Any]]) -> ModelRoom:
    room = ModelRoom().seed("vocabulary", "label_parents", "concept_labels")
    con = room.con
    con.execute("""
        create table base_vocabulary (
            vocabulary varchar, facet varchar, concept_uri varchar, label varchar, terms varchar[],
            broader_uris varchar[], path varchar[]
        )
    """)
    names = ("vocabulary", "facet", "concept_uri", "label", "terms", "broader_uris", "path")
    for row in vocabulary:
        con.execute("insert into base_vocabulary values (?, ?, ?, ?, ?, ?, ?)", [row[name] for name in names])
    types = {name: "varchar[]" for name, value in RECORDS[0].items() if isinstance(value, list)}
    types["label_paths"] = "struct(facet varchar, path varchar[])[]"
    columns = ", ".join(f"{name} {types.get(name, 'varchar')}" for name in RECORDS[0])
    con.execute(f"create table int_records__cleaned ({columns})")
    for record in RECORDS:
        marks = ", ".join("?" for _ in record)
        con.execute(f"insert into int_records__cleaned values ({marks})", list(record.values()))
    con.execute("create table int_records__unioned as from int_records__cleaned")
    con.execute("create table int_records__screened (archive varchar, native_id varchar)")
    con.execute("""
        create table base_hits__by_query as
        select native_id, unnest(queries) as query from int_records__cleaned
    """)
    for model in MODELS:
        room.build(model)
    return room


@pytest.fixture(scope="module")
def room() -> ModelRoom:
    return _room([])


@pytest.fixture(scope="module")
def skos_room(tmp_path_factory: pytest.TempPathFactory) -> ModelRoom:
    """As `room`, with an imported SKOS file about topics and one of label paths."""
    folder = tmp_path_factory.mktemp("skos")
    lake = _imported(Lake(folder / "lake"), folder / "boats.ttl", TURTLE, ImportOptions(facet="topic"))
    _imported(lake, folder / "paths.csv", PATHS)
    return _room(_raw_rows(lake))


def _raw_rows(lake: Lake) -> list[dict[str, Any]]:
    with catalog.connect(lake) as con:
        return list(catalog.ask(con, "select * from raw_vocabulary").to_pylist())


def _imported(lake: Lake, path: Path, text: str, options: ImportOptions | None = None) -> Lake:
    path.write_text(text, "utf-8")
    import_vocabulary(lake, path, options)
    return lake


def _labels(room: ModelRoom, name: str) -> list[tuple[Any, ...]]:
    found = room.rows(f"select * from int_records__labelled where record_id = 'demo:{name}' order by all")
    return [(row["label"], row["source"], row["confidence"], " > ".join(row["path"])) for row in found]


def test_a_search_is_low_in_confidence_where_the_record_does_not_speak_of_it(room):
    assert _labels(room, "said") == [("train", "query", 0.9, "vehicle > rail > train")]
    assert _labels(room, "silent") == [("train", "query", 0.4, "vehicle > rail > train")]


def test_a_concept_speaks_for_a_search_that_the_text_does_not_name(room):
    assert [row[:3] for row in _labels(room, "named")] == [("tram", "concept", 1.0), ("tram", "query", 0.9)]


def test_subjects_and_kinds_of_object_are_matched_in_any_language(room):
    found = [row[:3] for row in _labels(room, "own")]
    assert found == [("postcard", "catalogue", 1.0), ("train", "subject", 1.0)]


def test_a_concept_is_known_by_its_older_addresses_too_and_a_strange_one_is_left(room):
    assert [row[0] for row in _labels(room, "war")] == ["first world war"]


def test_a_label_under_several_parents_has_a_row_for_each_way(room):
    assert [row[3] for row in _labels(room, "armed")] == ["vehicle > watercraft > warship", "war > warship"]


def test_a_catalogues_own_path_is_kept_as_it_is(room):
    assert _labels(room, "placed") == [("vestit", "catalogue", 1.0, "indumentària > vestit")]


def test_no_way_up_ends_below_a_parent(room):
    loose = room.rows("""
        select path from int_labels__placed
        where path[1] in (select label from label_parents) or path[-1] <> label
    """)
    assert loose == []


@pytest.mark.parametrize(("given", "same"), [
    ("http://data.europeana.eu/concept/base/43", "https://data.europeana.eu/concept/43"),
    ("http://vocab.getty.edu/page/aat/300028094", "https://vocab.getty.edu/aat/300028094.html"),
    ("https://www.wikidata.org/wiki/Q870", "http://www.wikidata.org/entity/Q870/"),
    ("http://id.loc.gov/authorities/names/sh85148236", "https://id.loc.gov/authorities/subjects/sh85148236"),
])
def test_a_concept_written_in_two_ways_is_one(room, given, same):
    [row] = room.rows(f"select concept_key('{given}') as a, concept_key('{same}') as b")
    assert row["a"] == row["b"]


def test_every_seeded_concept_has_a_label_of_the_vocabulary(room):
    assert room.rows("select * from concept_labels anti join vocabulary using (label)") == []


def test_an_imported_concept_that_the_seed_knows_takes_its_label_and_adds_its_names(skos_room):
    found = skos_room.rows("select label, facet from int_vocabulary__folded where term = 'kahn'")
    assert found == [{"label": "ship", "facet": "topic"}]


def test_concepts_are_climbed_to_the_top_even_where_one_stands_above_itself(skos_room):
    found = skos_room.rows("""
        select path from int_labels__placed
        where list_contains(path, 'receptacle') and len(path) > 1 order by path
    """)
    ways = [" > ".join(row["path"]) for row in found]
    assert ways == ["receptacle > ship", "receptacle > ship > craft"]


def test_each_step_of_an_imported_path_is_a_place(skos_room):
    found = skos_room.rows("select path from int_labels__placed where label = 'castell' order by path")
    ways = [" > ".join(row["path"]) for row in found]
    assert ways == ["castell", "edifici > castell", "fortificació > castell"]


def _sets(text: str) -> dict[str, set[str]]:
    """Label paths by column, read without any code of ours."""
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = [name for name in rows[0] if name.endswith(".hierarchy")]
    cut = {c: {p for row in rows for p in row[c].split("$") if p.strip()} for c in columns}
    return {c: {re.sub(r"\s*\|\s*", " | ", path).strip() for path in paths} for c, paths in cut.items()}


def test_label_paths_taken_in_and_given_back_are_the_same_set(lake, tmp_path):
    _imported(lake, tmp_path / "paths.csv", PATHS)
    given = io.StringIO()
    write_paths(imported_paths(lake), given)
    assert _sets(given.getvalue()) == _sets(PATHS)
    again = _imported(Lake(tmp_path / "again"), tmp_path / "given.csv", given.getvalue())
    assert imported_paths(again) == imported_paths(lake)


def test_a_vocabulary_taken_in_again_replaces_itself(lake, tmp_path):
    for _ in range(2):
        _imported(lake, tmp_path / "paths.csv", PATHS)
    assert len(_raw_rows(lake)) == len({(row["facet"], *row["path"]) for row in _raw_rows(lake)}) == 8


@pytest.mark.parametrize(("suffix", "format_"), [("ttl", "turtle"), ("rdf", "xml"), ("nt", "nt")])
def test_skos_is_read_in_its_three_spellings(lake, tmp_path, suffix, format_):
    from rdflib import Graph

    text = Graph().parse(data=TURTLE, format="turtle").serialize(format=format_)
    _imported(lake, tmp_path / f"boats.{suffix}", text)
    by_label = {row["label"]: row for row in _raw_rows(lake)}
    assert sorted(by_label) == ["craft", "receptacle", "ships"]
    assert by_label["ships"]["terms"] == ["Kahn", "ships"]
    above = [uri.rpartition("/")[2] for uri in by_label["ships"]["broader_uris"]]
    assert above == ["craft", "vessel"]
    assert ("receptacle", "ships") in imported_paths(lake)["subject"]


@pytest.mark.parametrize(("name", "text", "said"), [
    ("x.csv", "a,b\n1,2\n", "has none of the columns objectTypes.hierarchy"),
    ("x.csv", "subjects.hierarchy\n\n", "holds no label"),
    ("x.ttl", "no turtle", "cannot read"),
    ("x.rdf", "<rdf:RDF", "cannot read"),
    ("x.nt", "<a> <b> .", "cannot read"),
    ("x.json", "{}", "is none of .rdf"),
])
def test_a_file_that_is_no_vocabulary_is_named_and_changes_nothing(lake, tmp_path, name, text, said):
    with pytest.raises(BadVocabulary, match=said):
        _imported(lake, tmp_path / name, text)
    with pytest.raises(EmptyLake, match="no vocabulary was imported"):
        imported_paths(lake)


def test_the_commands_take_in_and_give_back(lake, tmp_path):
    (tmp_path / "paths.csv").write_text(PATHS, "utf-8")
    here = ["--lake", str(lake.root), "vocabulary"]
    assert CliRunner().invoke(cli, [*here, "import", str(tmp_path / "paths.csv")]).exit_code == 0
    assert "edifici | castell" in CliRunner().invoke(cli, [*here, "export"]).output


def _row(n: int, label: str, *above: str) -> dict[str, Any]:
    plain = {"source": "subject", "source_value": label, "facet": "topic", "confidence": 1.0}
    return plain | {"record_id": f"demo:{n}", "label": label, "path": [*above, label]}


@pytest.fixture
def tree_lake(lake: Lake) -> Lake:
    good_lake(lake, "curate")
    write_mart(lake, RECORD_LABELS, [
        _row(1, "warship", "vehicle", "watercraft"), _row(1, "warship", "war"),
        _row(2, "ship", "vehicle", "watercraft"), _row(5, "paper") | {"facet": "material"},
        _row(4, "tram", "vehicle") | {"confidence": 0.4, "source": "query"},
    ])
    return lake


def test_the_tree_counts_each_record_once_above_all_its_labels(tree_lake):
    rows = tree_rows(tree_lake, "topic")
    counts = {" > ".join(row["path"]): (row["n_records"], row["n_samples"]) for row in rows}
    assert counts["vehicle"] == (3, 1)
    assert counts["vehicle > watercraft"] == (2, 1)
    assert counts["war > warship"] == counts["vehicle > watercraft > warship"] == (1, 1)
    assert "paper" not in counts


def test_the_tree_is_shown_by_facet_with_children_below_their_parents(tree_lake):
    names = [line[:44].rstrip() for line in tree_text(tree_rows(tree_lake)).splitlines()]
    assert names == [
        "material", "  paper", "", "topic", "  vehicle", "    tram", "    watercraft", "      ship",
        "      warship", "  war", "    warship",
    ]


def test_labels_are_listed_with_how_sure_their_records_are(tree_lake):
    by_label = {row["label"]: row for row in label_rows(tree_lake)}
    assert (by_label["tram"]["n_records"], by_label["tram"]["n_sure_records"]) == (1, 0)
    assert by_label["warship"]["n_records"] == 1


def test_a_facet_that_is_none_is_named(tree_lake):
    with pytest.raises(UnknownThing, match="no facet named 'colour'; there are: topic"):
        tree_rows(tree_lake, "colour")
