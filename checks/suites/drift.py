"""Drift: how far an archive's records are from those of the last run of the checks that had others.

Growth is drift, too; that is why these are warnings, and why the limits are wide. `glamlake drift` tells all.
"""

from collections.abc import Callable, Iterable

from checks.drift import Change, compare
from checks.expectations import WARNING, Finding, Limit, Nothing, Question, Scene, Suite, made_by
from checks.profile import kept_profiles, profile_of, read_profile

NOTHING_BEFORE = "no earlier run of the checks saw other records"
_LOST_RECORDS = Limit("lost_records", 0.1)
_FILL_EFFECT = Limit("fill_effect", 0.5, 0, 3.2)
_MOVED_SHARE = Limit("moved_share", 0.5)


def profile_now(scene: Scene) -> object:
    """The profile of the records as they are; made once a run."""
    return scene.once("profile", lambda scene: profile_of(scene.con))


def _changes(scene: Scene) -> tuple[Change, ...] | None:
    """What changed since records were last others; None where there is nothing to compare with."""
    now = profile_now(scene)
    for run in reversed(kept_profiles(scene.lake)):
        then = read_profile(scene.lake, run)
        if not then.equals(now):
            return compare(run, "now", then, now).changes
    return None


def _further_than(limit: Limit, matter: Callable[[Change, float], bool]) -> Question:
    def judge(scene: Scene) -> Finding:
        changes: Iterable[Change] | None = scene.once("changes", _changes)
        if changes is None:
            return Finding(0, not_yet=NOTHING_BEFORE)
        allowed = scene.thresholds[f"drift.{limit.name}"]
        return Finding.of([
            f"{c.archive} {c.what}: {c.before} → {c.after}" for c in changes if matter(c, allowed)
        ])

    return judge


def _is_loss(change: Change, allowed: float) -> bool:
    return change.what == "lost archive" or (change.what == "records" and change.effect < -allowed)


def _is_emptied(change: Change, allowed: float) -> bool:
    return change.what.endswith(" known") and change.effect < -allowed


def _is_moved(change: Change, allowed: float) -> bool:
    return change.what in ("years", "labels", "lost providers") and change.effect > allowed


SUITE = Suite(
    table="drift",
    view="",
    not_yet=made_by("normalise", "records"),
    expectations=(
        Nothing(
            "no archive lost many of its records",
            "what was found before and is not now: a changed service, or a rule that is new",
            WARNING, _further_than(_LOST_RECORDS, _is_loss), _LOST_RECORDS,
        ),
        Nothing(
            "no column is filled much less often than before",
            "an archive renamed a field, or a mapping broke; the limit is Cohen's h",
            WARNING, _further_than(_FILL_EFFECT, _is_emptied), _FILL_EFFECT,
        ),
        Nothing(
            "years, labels and institutions are spread about as before",
            "the share of records that would have to move; what was learnt before may not hold now",
            WARNING, _further_than(_MOVED_SHARE, _is_moved), _MOVED_SHARE,
        ),
    ),
)
