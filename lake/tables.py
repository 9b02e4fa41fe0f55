"""The tables others rely on: one Arrow schema each, with the sentence that says what one row is.

Raw tables are what the stages append; contract tables are what people and scripts read. Contract tables may
carry more columns than these, never fewer and never of another type.
"""

from dataclasses import dataclass

import pyarrow as pa

TEXT = pa.string()
TEXTS = pa.list_(pa.string())
INT = pa.int32()
BIG = pa.int64()
INSTANT = pa.timestamp("us")               # UTC, without a zone: what the contract tables say
RAW_INSTANT = pa.timestamp("us", tz="UTC")  # dlt writes no other
DOUBLES = pa.list_(pa.float64())


@dataclass(frozen=True)
class Table:
    """A table's name, grain (what one row is) and columns."""

    name: str
    grain: str
    schema: pa.Schema


def _table(name: str, grain: str, **columns: pa.DataType) -> Table:
    return Table(name, grain, pa.schema(list(columns.items())))


RAW_HITS = _table(
    "hits", "One item of one archive's answer to one query, verbatim; the newest row of a hit_id counts.",
    hit_id=TEXT, run_id=TEXT, native_id=TEXT, query=TEXT, slice=TEXT, page=BIG, position=BIG,
    base_url=TEXT, fetched_at=RAW_INSTANT, payload=TEXT,
)
RAW_PAGES = _table(
    "pages", "One page of one slice as it was received: what was asked, what was announced, where to go on.",
    run_id=TEXT, query=TEXT, slice=TEXT, page=BIG, page_size=BIG, token=TEXT, next_token=TEXT, announced=BIG,
    n_items=BIG, base_url=TEXT, fetched_at=RAW_INSTANT,
)
RAW_HARVESTS = _table(
    "harvests", "One change of one slice's status; the newest row of a slice counts.",
    run_id=TEXT, base_url=TEXT, query=TEXT, slice=TEXT, status=TEXT, announced=BIG, received=BIG, pages=BIG,
    cap=TEXT, started_at=RAW_INSTANT, finished_at=RAW_INSTANT, error=TEXT, recorded_at=RAW_INSTANT,
)
RAW_IMAGES = _table(
    "images", "One attempt at one image URL and what came back; the newest row of a URL counts.",
    image_url=TEXT, status=TEXT, http_status=INT, error=TEXT, fetched_at=RAW_INSTANT, content_type=TEXT,
    bytes=BIG, sha256=TEXT, pixel_hash=TEXT, format=TEXT, mode=TEXT, width=INT, height=INT, phash=TEXT,
    phash_orientations=TEXTS, thumbnail=DOUBLES, entropy=pa.float64(), sharpness=pa.float64(),
    rgb_mean=DOUBLES, rgb_std=DOUBLES, path=TEXT,
    phash_inside=TEXTS, thumbnail_inside=DOUBLES, phash_crops=TEXTS, dhash=TEXT, dhash_crops=TEXTS,
    # of what was served, where a smaller copy of it is kept
    source_sha256=TEXT, source_bytes=BIG, source_width=INT, source_height=INT,
    asked_url=TEXT, etag=TEXT, last_modified=TEXT,
)
RAW_VOCABULARY = _table(
    "vocabulary", "One concept or label path of an imported vocabulary; importing it again replaces it.",
    vocabulary=TEXT, facet=TEXT, concept_uri=TEXT, label=TEXT, terms=TEXTS, broader_uris=TEXTS, path=TEXTS,
    imported_at=RAW_INSTANT,
)
RAW_NEAR_VECTORS = _table(
    "near_vectors", "Two pictures whose embeddings are near, under one model.",
    sha256_a=TEXT, sha256_b=TEXT, model_id=TEXT, cosine=pa.float64(),
)
RAW_ANNOTATIONS = _table(
    "annotations", "One label that a model predicted for one picture in one run.",
    annotation_id=TEXT, run_id=TEXT, model_id=TEXT, method=TEXT, data_version=TEXT, sample_id=TEXT,
    sha256=TEXT, split=TEXT, facet=TEXT, label=TEXT, path=TEXTS, confidence=pa.float64(),
    annotated_at=RAW_INSTANT,
)
RAW_REVIEWS = _table(
    "annotation_reviews", "One decision of a cataloguer on one annotation; the newest on a label counts.",
    annotation_id=TEXT, decision=TEXT, note=TEXT, reviewer=TEXT, reviewed_at=RAW_INSTANT,
)
RAW_TABLES = (
    RAW_HITS, RAW_PAGES, RAW_HARVESTS, RAW_IMAGES, RAW_VOCABULARY, RAW_NEAR_VECTORS, RAW_ANNOTATIONS,
    RAW_REVIEWS,
)

RECORDS = _table(
    "records", "One object of one archive, in one schema for all archives, from its newest hit.",
    record_id=TEXT, archive=TEXT, native_id=TEXT, title=TEXT, description=TEXT, language=TEXT, caption=TEXT,
    queries=TEXTS, labels=TEXTS, date_raw=TEXT, date_start=pa.date32(), date_end=pa.date32(), year=INT,
    country=TEXT, provider=TEXT, creators=TEXTS, subjects=TEXTS, concept_uris=TEXTS, rights_uri=TEXT,
    rights_class=TEXT, landing_url=TEXT, image_url=TEXT, iiif_service_url=TEXT, harvested_at=INSTANT,
)
HARVESTS = _table(
    "harvests", "One slice asked of an archive: what the service announced and what came.",
    archive=TEXT, query=TEXT, slice=TEXT, announced=BIG, received=BIG, pages=BIG, cap=TEXT, status=TEXT,
    started_at=INSTANT, finished_at=INSTANT, error=TEXT,
)
RECORD_LABELS = _table(
    "record_labels", "One record and label, with where the label came from.",
    record_id=TEXT, label=TEXT, source=TEXT, source_value=TEXT, facet=TEXT, path=TEXTS,
    confidence=pa.float64(),
)
REJECTIONS = _table(
    "rejections", "One hit that did not become part of a record, and the rule that rejected it.",
    hit_id=TEXT, archive=TEXT, native_id=TEXT, query=TEXT, rule=TEXT, detail=TEXT,
)
IMAGES = _table(
    "images", "One image URL and what came back from it: status, facts, hashes.",
    image_url=TEXT, status=TEXT, http_status=INT, error=TEXT, attempts=INT, fetched_at=INSTANT,
    content_type=TEXT, bytes=BIG, sha256=TEXT, format=TEXT, mode=TEXT, width=INT, height=INT, phash=TEXT,
    rgb_mean=DOUBLES, rgb_std=DOUBLES, path=TEXT,
)
SAMPLES = _table(
    "samples", "One distinct picture: its labels, caption, rights, duplicates and split.",
    sample_id=TEXT, sha256=TEXT, path=TEXT, record_ids=TEXTS, archives=TEXTS, labels=TEXTS, label=TEXT,
    caption=TEXT, title=TEXT, description=TEXT, year=INT, rights_class=TEXT, attribution=TEXT,
    cluster_id=TEXT, split=TEXT,
)
DUPLICATES = _table(
    "duplicates", "One picture that is another copy of a sample, with the evidence.",
    sha256=TEXT, sample_id=TEXT, cluster_id=TEXT, relation=TEXT, distance=INT, image_url=TEXT,
)
PLACEHOLDERS = _table(
    "placeholders", "One file and archive that answers with it where it has no picture, with the evidence.",
    sha256=TEXT, archive=TEXT, evidence=TEXT, n_urls=BIG, n_titles=BIG, entropy=pa.float64(),
)
LABELS = _table(
    "labels", "One canonical label with its samples, tier, searches and parents.",
    label=TEXT, n_samples=BIG, n_train=BIG, n_val=BIG, tier=TEXT, queries=TEXTS, parents=TEXTS,
)
FACETS = ("topic", "material", "object_type", "discipline", "subject")
CONTRACT_TABLES = (RECORDS, HARVESTS, RECORD_LABELS, REJECTIONS, IMAGES, SAMPLES, DUPLICATES, LABELS)

IMAGE_STATUSES = (
    "ok", "http_error", "timeout", "connection_error", "blocked", "not_an_image", "corrupt", "too_large",
    "too_small", "blank",
)
HARVEST_STATUSES = ("complete", "truncated", "failed", "running")
RIGHTS_CLASSES = ("open", "noncommercial", "restricted", "unknown")
SPLITS = ("train", "val", "test_id", "test_ood")
TIERS = ("head", "torso", "tail")    # of labels, from the most frequent on
