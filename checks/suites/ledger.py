"""The equations of the ledger: nothing is lost, nothing is counted twice."""

from checks.expectations import CRITICAL, Finding, Nothing, Question, Scene, Suite, always
from lake.errors import GlamlakeError

REASONS = {
    "hits = hits in records + rejections":
        "a hit in neither was lost without a word; one in both is a mistake",
    "searches of records = hits in records":
        "a record, or a search of it, that no hit explains came out of nothing",
    "image URLs of records = images with a status + not yet fetched":
        "every picture was fetched, failed for a known reason, or is still to come",
    "ok images of records = samples + duplicates":
        "every good picture ends as a sample or as a copy of one",
    "samples = train + val + test_id + test_ood":
        "a sample without a split is trained on or tested by accident",
}


def _equation(name: str) -> Question:
    def judge(scene: Scene) -> Finding:
        if isinstance(scene.ledger, GlamlakeError):
            raise scene.ledger
        equation = next(e for e in scene.ledger.equations if e.name == name)
        if equation.holds is None:
            return Finding(0, not_yet=equation.detail)
        sides = f"{equation.left:,} {'=' if equation.left == equation.right else '≠'} {equation.right:,}"
        return Finding(int(not equation.holds), (equation.detail,), observed=sides)

    return judge


SUITE = Suite(
    table="ledger",
    view="",
    not_yet=always,
    expectations=tuple(Nothing(name, reason, CRITICAL, _equation(name)) for name, reason in REASONS.items()),
)
