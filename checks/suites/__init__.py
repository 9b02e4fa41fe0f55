"""One suite per table, in the order of the flow, and one for the ledger between them."""

from checks.expectations import Suite
from checks.suites import (
    drift,
    duplicates,
    exports,
    harvests,
    hits,
    images,
    labels,
    ledger,
    placeholders,
    record_labels,
    records,
    rejections,
    samples,
    vectors,
)

SUITES: tuple[Suite, ...] = (
    ledger.SUITE, hits.SUITE, harvests.SUITE, records.SUITE, rejections.SUITE, record_labels.SUITE,
    images.SUITE, placeholders.SUITE, samples.SUITE, duplicates.SUITE, labels.SUITE, vectors.SUITE,
    exports.SUITE, drift.SUITE,
)
