"""`clinic schedule` on files."""

import json
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from clinic.scheduling.commands import schedule
from tests.factories.schedules import make_clinic, make_course, make_day, make_problem, make_session
from tests.scheduling.judge import judge
from tests.structure.tree import ROOT

COURSES = [make_course(f"K{number}", [make_session(f"K{number}", 1)]) for number in range(3)]
PROBLEM = make_problem([make_clinic([make_day(0), make_day(1)])], COURSES)


@pytest.fixture
def run():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield lambda *words: CliRunner().invoke(schedule, list(map(str, words)))
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def file(tmp_path):
    def write(document):
        path = tmp_path / "problem.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    return write


def test_a_plan_is_written(run, file, tmp_path):
    done = run("solve", file(PROBLEM), "--out", tmp_path / "plan.json", "--iterations", "5")
    assert done.exit_code == 0, done.output
    assert judge(PROBLEM, json.loads((tmp_path / "plan.json").read_text()))[0] == set()


def test_the_time_is_counted_from_the_start_of_the_process():
    code = "from clinic.scheduling.commands import _age; print(_age())"
    began = time.monotonic_ns()
    age = int(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout)
    took = time.monotonic_ns() - began
    assert took // 2 < age < took + 20_000_000  # the system counts in hundredths of a second


def test_requests_are_answered(run, file, tmp_path):
    document = {**PROBLEM, "courses": [], "calendar": [], "requests": COURSES}
    done = run("propose", file(document), "--out", tmp_path / "answers.json", "--count", "2")
    assert "3 requests" in done.output
    answers = json.loads((tmp_path / "answers.json").read_text())["answers"]
    assert [len(one["proposals"]) for one in answers] == [2, 2, 2]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "cannot be read"),
        ({}, "no file of the format"),
        ({**PROBLEM, "horizon": {}}, "missing"),
        ({**PROBLEM, "slot_minutes": "15"}, "whole number"),
        ({**PROBLEM, "clinics": []}, "named nowhere"),
    ],
)
def test_a_bad_file_is_told_in_one_line(run, file, tmp_path, document, words):
    done = run("solve", file(document), "--out", tmp_path / "plan.json")
    assert done.exit_code == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_interruption_gives_the_best_plan_so_far(file, tmp_path):
    out = tmp_path / "plan.json"
    words = ["schedule", "solve", str(file(PROBLEM)), "--out", str(out), "--seconds", "1000"]
    command = [sys.executable, "-c", "from clinic.cli import main; main()", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert "3 courses" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert "interrupted" in process.stdout.read()
    assert process.returncode == 0
    assert judge(PROBLEM, json.loads(out.read_text()))[0] == set()
