"""`clinic cases play FILE`: play worked cases and say whether the system agrees with them."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from clinic.cases import play, schema
from clinic.cases.figures import NOT_COMPUTED, Figure
from clinic.cases.play import Played

DIFFERENT = 1
MALFORMED = 2


@click.group("cases")
def cases() -> None:
    """Play worked cases (schema infusion-cases/1)."""


@cases.command("play")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write the figures for a machine.")
@click.option("--database", "url", help="An empty database to play in; a temporary one by default.")
def play_command(file: Path, *, as_json: bool, url: str | None) -> None:
    """Play FILE through the operations of the screens, and set each expected figure beside the computed one.

    Ends with 0 when everything agrees, with 1 when a figure differs or the system refuses what a case tells of, and
    with 2 when the file is not a case file.
    """
    try:
        read = schema.read_file(file)
    except schema.CaseFault as fault:
        click.echo(str(fault), err=True)
        sys.exit(MALFORMED)
    for warning in read.warnings:
        click.echo(f"warning: {warning}", err=True)
    try:
        with _database(url):
            played = list(play.play_file(read))
    except schema.CaseFault as fault:
        click.echo(str(fault), err=True)
        sys.exit(MALFORMED)
    except play.NotEmpty:
        click.echo("--database: there is a clinic in this database; cases are played in an empty one.", err=True)
        sys.exit(MALFORMED)
    except SQLAlchemyError as error:
        if url is None:
            raise
        click.echo(f"--database: {str(error).splitlines()[0]}", err=True)
        sys.exit(MALFORMED)
    click.echo(json.dumps(play.as_data(played, read), indent=2, ensure_ascii=False) if as_json else _report(played))
    sys.exit(0 if all(one.agrees for one in played) else DIFFERENT)


@contextmanager
def _database(url: str | None) -> Iterator[None]:
    if url is not None:
        with play.database(url):
            yield
        return
    with tempfile.TemporaryDirectory(prefix="cases-") as folder, play.database(f"sqlite:///{folder}/cases.sqlite"):
        yield


def _report(played: list[Played]) -> str:
    rows = [(one.case.id, figure) for one in played for figure in one.figures]
    widths = (
        max((len(case_id) for case_id, _ in rows), default=0),
        max((len(figure.name) for _, figure in rows), default=0),
        max((len(figure.expected or "null") for _, figure in rows), default=0),
        max((len(_computed(figure)) for _, figure in rows), default=0),
    )
    lines: list[str] = []
    for one in played:
        lines += [f"{one.case.id}  {one.case.title}"]
        lines += [_row(one.case.id, figure, widths) for figure in one.figures]
        lines += [f"    refused: {refusal.line}" for refusal in one.refusals]
        lines += [f"    supplied: {text}" for text in one.supplied]
        lines.append("")
    different = [one.case.id for one in played if not one.agrees]
    total = len(rows)
    agreeing = sum(figure.agrees for _, figure in rows)
    lines.append(f"{agreeing} of {total} figures agree in {len(played)} cases.")
    if different:
        lines.append(f"Different: {', '.join(different)}.")
    return "\n".join(lines)


def _computed(figure: Figure) -> str:
    return figure.note or ("null" if figure.computed is None else figure.computed)


def _row(case_id: str, figure: Figure, widths: tuple[int, int, int, int]) -> str:
    cells = (case_id, figure.name, figure.expected or "null", _computed(figure))
    left, right = cells[:2], cells[2:]
    text = [cell.ljust(width) for cell, width in zip(left, widths[:2], strict=True)]
    text += [cell.rjust(width) for cell, width in zip(right, widths[2:], strict=True)]
    return f"    {'  '.join(text)}  {'agrees' if figure.agrees else 'DIFFERS'}"


__all__ = ["NOT_COMPUTED", "cases"]
