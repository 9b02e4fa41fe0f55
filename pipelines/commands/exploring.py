"""Commands that look into a lake: SQL, ready questions, labels, and why something is as it is."""

import sys
from pathlib import Path

import click

from lake.errors import UsageError
from pipelines import console
from pipelines.commands._shared import Session, as_format, as_json, command, path_type, say, show


@command('glamlake sql "select archive, count(*) as n from records group by all" --format csv')
@click.argument("statement")
@as_format
@click.pass_obj
def sql(session: Session, /, statement: str, format_: str) -> None:
    """Ask the lake in SQL; parquet goes to standard output as bytes."""
    from lake import catalog

    sys.stdout.buffer.write(console.formatted(catalog.query(session.lake(), statement), format_))


@command("glamlake labels --facet topic --tree")
@click.option("--facet", help="topic, material, object_type, discipline or subject.")
@click.option("--tree", is_flag=True, help="As a tree, each label with what stands below it.")
@as_json
@click.pass_obj
def labels(session: Session, facet: str | None, tree: bool, as_json: bool) -> None:
    """List the labels, or show them as a tree, with the records and samples that carry them."""
    from lake import label_tree

    lake = session.lake()
    rows = label_tree.tree_rows(lake, facet) if tree else label_tree.label_rows(lake, facet)
    if tree and not as_json:
        click.echo(label_tree.tree_text(rows))
    else:
        show(rows, as_json)


@command("glamlake vocabulary import thesaurus.ttl --facet subject")
@click.argument("action", type=click.Choice(["import", "export"]))
@click.argument("files", nargs=-1, type=path_type, metavar="[FILE]...")
@click.option("--facet", type=click.Choice(["topic", "material", "object_type", "discipline", "subject"]),
              default="subject", show_default=True, help="What kind of labels a SKOS file holds.")
@click.option("--name", help="Of the vocabulary, where it is not to be the file's.")
@click.pass_obj
def vocabulary(session: Session, action: str, files: tuple[Path, ...], facet: str, name: str | None) -> None:
    """Take in SKOS files or EUFCC label paths, or give all that was taken in as a CSV of label paths.

    What was taken in counts from the next `glamlake normalise` on.
    """
    from pipelines import vocabulary

    if action == "export":
        lake = session.lake(create=session.root.exists())
        vocabulary.write_paths(vocabulary.imported_paths(lake), sys.stdout)
        return
    if not files or (name and len(files) > 1):
        raise UsageError("name files to import (one, if it is to have another name): .rdf, .ttl, .nt, .csv")
    options = vocabulary.ImportOptions(facet, name)
    lake = session.lake(create=True)
    show([{"file": path.name} | vocabulary.import_vocabulary(lake, path, options) for path in files], False)


@command("glamlake docs")
@click.pass_obj
def docs(session: Session) -> None:
    """Write what the SQL means as one page: models, columns, seeds and lineage."""
    from pipelines import archives, transform

    click.echo(transform.document(session.lake(create=True), archives.archive_names()))


@command("glamlake ask what_is_missing")
@click.argument("name", required=False, metavar="[NAME]")
@as_format
@click.pass_obj
def ask(session: Session, name: str | None, format_: str) -> None:
    """Ask the lake a ready question, or list them."""
    from lake import catalog
    from pipelines import questions

    if name is None:
        click.echo("\n".join(f"{name:<40}{title}" for name, title in questions.question_titles().items()))
        return
    statement = questions.question(name)
    sys.stdout.buffer.write(console.formatted(catalog.query(session.lake(), statement), format_))


@command("glamlake why demo:NP-0001")
@click.argument("thing", metavar="ID")
@as_json
@click.pass_obj
def why(session: Session, thing: str, as_json: bool) -> None:
    """Explain a hit, record, image (its URL) or sample, from the archive's answer to its split."""
    from lake.why import why

    say(why(session.lake(), thing), as_json)


@command("glamlake rules --sample 20 --seed 7")
@click.option("--sample", type=click.IntRange(1), default=20, show_default=True, help="Hits of each rule.")
@click.option("--seed", type=int, default=42, show_default=True, help="Another seed, other hits.")
@click.option("--rule", metavar="NAME", help="Only this rule.")
@as_json
@click.pass_obj
def rules(session: Session, sample: int, seed: int, rule: str | None, as_json: bool) -> None:
    """Show random hits that each rule rejected, and what the rule saw."""
    from lake.why import victims

    show(victims(session.lake(), sample, seed, rule), as_json)


COMMANDS = (sql, ask, why, rules, labels, vocabulary, docs)
