"""`clinic schedule solve` and `clinic schedule propose`: the optimiser alone, on files, without a database."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from clinic.scheduling.optimiser import files, search
from clinic.scheduling.optimiser.problem import Problem
from clinic.scheduling.optimiser.proposals import Booking, answer
from clinic.scheduling.optimiser.reasons import reasons

MALFORMED = 2
# Kept back from the time that is allowed, to write the plan.
_SECONDS_TO_WRITE = 3

_file = click.argument("file", type=click.Path(path_type=Path))
_out = click.option("--out", type=click.Path(path_type=Path), required=True, help="Where to write the answer.")


@click.group("schedule")
def schedule() -> None:
    """Plan sessions from files (format infusion-schedule/1)."""


@schedule.command("solve")
@_file
@_out
@click.option("--seconds", type=click.IntRange(min=0), help="The plan is written by then (60 by default).")
@click.option("--iterations", type=click.IntRange(min=1), help="Rounds of the search, instead of a time.")
@click.option("--seed", type=int, default=0, help="Another number gives another plan.")
def solve_command(file: Path, out: Path, *, seconds: int | None, iterations: int | None, seed: int) -> None:
    """Place the sessions of all courses of FILE; an interruption gives the best plan so far."""
    problem = _read(file)
    is_interrupted = _interruptions()
    click.echo(f"{len(problem.courses)} courses; an interruption gives the best plan so far")
    budget = max(0, 60 if seconds is None else seconds) - _SECONDS_TO_WRITE
    share = _by_count(iterations) if iterations is not None else _by_clock(budget)
    with search.uncollected():
        plan = search.solve(problem, lambda rounds: search.OVER if is_interrupted() else share(rounds), seed)
    document = files.plan_of(problem, plan)
    files.write(out, document)
    unplaced = document["unplaced"]
    click.echo(f"{plan.cost} cost, {len(document['assignments'])} placed, {len(unplaced)} not placed: {out}")
    for line in reasons(problem, plan.places):
        click.echo(line)
    if is_interrupted():
        click.echo("interrupted before the time was over")


@schedule.command("propose")
@_file
@_out
@click.option("--count", type=click.IntRange(min=1), default=3, help="Proposals for each request.")
def propose_command(file: Path, out: Path, *, count: int) -> None:
    """Answer the requests of FILE with ranked proposals against its calendar."""
    problem = _read(file)
    booking = Booking(problem)
    answers, times = [], []
    for request in problem.requests:
        began = time.process_time()
        found = booking.propose(request, count)
        times.append(1000 * (time.process_time() - began))
        answers.append(answer(problem, request, found))
    files.write(out, {"answers": answers})
    times.sort()
    if times:
        p50, p95 = (times[min(len(times) - 1, len(times) * share // 100)] for share in (50, 95))
        click.echo(f"{len(times)} requests, CPU per request: p50 {p50:.1f} ms, p95 {p95:.1f} ms: {out}")


def _read(file: Path) -> Problem:
    try:
        return files.read_problem(file)
    except files.BadFile as fault:
        click.echo(str(fault), err=True)
        sys.exit(MALFORMED)


def _by_clock(seconds: int) -> search.Share:
    began = time.monotonic_ns() - _age()
    return lambda _rounds: (time.monotonic_ns() - began) // (1000 * seconds) if seconds > 0 else search.OVER


def _age() -> int:
    """How long ago this process began, in nanoseconds: on a busy machine a command starts for seconds."""
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    except OSError:  # a system that does not say so
        return time.process_time_ns()
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _by_count(iterations: int) -> search.Share:
    return lambda rounds: search.OVER * rounds // iterations


def _interruptions() -> Callable[[], bool]:
    """Whether somebody has asked to stop since."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda caught, _frame: signals.append(caught))
    return lambda: bool(signals)
