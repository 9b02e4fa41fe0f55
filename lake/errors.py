"""Every way glamlake fails on purpose.

    GlamlakeError
    ├── UsageError             what was asked for cannot be done as asked (exit status 2)
    │   ├── UnknownArchive     no adapter of that name
    │   ├── MissingKey         the archive wants an API key that the environment does not hold
    │   ├── BadDate            a date that is none, or a range that ends before it begins
    │   ├── BadQueryFile       the query file cannot be read as one search a line
    │   ├── BadThresholds      the file of thresholds for the checks cannot be used
    │   ├── BadReview          a file of decisions on predicted labels that cannot be taken in
    │   ├── BadVocabulary      a file to import that is neither SKOS nor label paths
    │   ├── BadVectors         a file of vectors to import that is not what it should be
    │   ├── BadSql             DuckDB refuses the statement
    │   ├── UnknownThing       no hit, record, image, sample, question or rule of that name
    │   └── BadFilter          the search filter names an unknown column or is no condition
    ├── LakeError              the lake cannot be used
    │   ├── NotALake           the path is a file, or cannot be created or written
    │   ├── EmptyLake          the stage has nothing to work on; the message names the stage that comes first
    │   └── LakeBusy           another process is in the same stage of the same lake
    ├── ArchiveError           an archive's service did not do what its documentation says
    │   ├── ServiceUnavailable no usable answer after every retry
    │   ├── ServiceRefused     the service says no: key, quota, parameters
    │   └── UnexpectedAnswer   an answer of another shape than the adapter knows
    ├── FetchError             one URL could not be fetched; a picture's becomes a row of `images`
    ├── TransformError         dbt could not build a model, or one of its tests failed
    ├── EncoderError           weights are missing, or a picture cannot be encoded
    ├── ExportError            the data set cannot be frozen as asked
    │   └── BadExport          no such format, name, sample or export (exit status 2)
    └── CheckFailed            the data breaks an expectation marked critical
"""


class GlamlakeError(Exception):
    """What went wrong and what to do about it, in one line."""

    exit_status = 1


class UsageError(GlamlakeError):
    """What was asked for cannot be done as asked."""

    exit_status = 2


class UnknownArchive(UsageError):
    """No adapter of that name."""


class MissingKey(UsageError):
    """The archive wants an API key that the environment does not hold."""


class BadDate(UsageError):
    """A date that is none, or a range that ends before it begins."""


class BadQueryFile(UsageError):
    """The query file cannot be read as one search a line."""


class BadThresholds(UsageError):
    """The file of thresholds for the checks cannot be used."""


class BadReview(UsageError):
    """A file of decisions on predicted labels that cannot be taken in."""


class BadVocabulary(UsageError):
    """A file to import that is neither SKOS nor label paths."""


class BadVectors(UsageError):
    """A file of vectors to import that is not what it should be."""


class BadSql(UsageError):
    """DuckDB refuses the statement."""


class UnknownThing(UsageError):
    """No hit, record, image, sample, question or rule of that name."""


class BadFilter(UsageError):
    """The search filter names an unknown column or is no condition."""


class LakeError(GlamlakeError):
    """The lake cannot be used."""


class NotALake(LakeError):
    """The path is a file, or cannot be created or written."""


class EmptyLake(LakeError):
    """The stage has nothing to work on."""


class LakeBusy(LakeError):
    """Another process is in the same stage of the same lake."""


class ArchiveError(GlamlakeError):
    """An archive's service did not do what its documentation says."""


class ServiceUnavailable(ArchiveError):
    """No usable answer after every retry."""


class ServiceRefused(ArchiveError):
    """The service says no: key, quota, parameters; `is_about_key` where no other query will fare better."""

    def __init__(self, message: str, is_about_key: bool = False) -> None:
        super().__init__(message)
        self.is_about_key = is_about_key


class UnexpectedAnswer(ArchiveError):
    """An answer of another shape than the adapter knows."""


class FetchError(GlamlakeError):
    """One URL could not be fetched: `status` is the value for `images.status`.

    `retry_after_s` is what the host asked for, if it did; `final` says that asking again now is pointless.
    """

    def __init__(self, status: str, reason: str, http_status: int | None = None) -> None:
        # much of it is what a host said: nothing that a terminal would obey
        super().__init__("".join(sign if sign.isprintable() else " " for sign in reason))
        self.status = status
        self.http_status = http_status
        self.retry_after_s: float | None = None
        self.final = False


class TransformError(GlamlakeError):
    """dbt could not build a model, or one of its tests failed."""


class EncoderError(GlamlakeError):
    """Weights are missing, or a picture cannot be encoded."""


class ExportError(GlamlakeError):
    """The data set cannot be frozen as asked."""


class BadExport(ExportError):
    """No such format, name, sample or export."""

    exit_status = 2


class CheckFailed(GlamlakeError):
    """The data breaks an expectation marked critical."""
