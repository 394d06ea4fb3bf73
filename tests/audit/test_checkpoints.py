"""Checkpoints leave the machine, and prove there what the database alone cannot."""

import os
import subprocess
import sys

import pytest

from clinic import checkpoints
from clinic.accounts import operations
from clinic.audit import verify
from clinic.core import clock, db
from tests.structure.tree import ROOT

SECRET = "testing-only-testing-only-testing-only"


@pytest.fixture
def send(committed_db, mail_server, tmp_path):
    """Runs `clinic audit send-checkpoints` for a clinic with a mail server and an empty folder."""
    with db.unit_of_work():
        operations.create_clinic("Harbour", zone="Europe/Lisbon", at=clock.now())
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    def sending(**changes):
        settings = {
            "DATABASE_URL": committed_db,
            "SECRET_KEY": SECRET,
            "CHECKPOINT_FOLDER": str(folder),
            "CHECKPOINT_MAIL_TO": "privacy@clinic.example",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail_server.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "desk@clinic.example",
            "PUBLIC_URL": "https://chairtime.clinic.example",
        }
        line = [sys.executable, "-m", "clinic.cli", "audit", "send-checkpoints"]
        environment = os.environ | settings | changes
        return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    sending.folder = folder
    return sending


def test_a_checkpoint_arrives_in_the_folder_and_by_mail_and_both_count(send, mail_server, tmp_path):
    done = send()
    assert done.returncode == 0, done.stderr
    (file,) = send.folder.iterdir()
    (mail,) = mail_server.kept.mails
    lines = mail.get_content().replace("\r\n", "\n").split("\n\n", 1)[1]
    saved = tmp_path / "saved from the mail"
    saved.write_text(lines)
    with db.unit_of_work(write=False):
        heads = {head.chain_id for head in verify.checkpoints(db.session, at=clock.now())}
    for kept in (file, saved):
        assert {checkpoint.chain_id for checkpoint in verify.read(kept, [SECRET])} == heads
    assert mail["To"] == "privacy@clinic.example"


def test_a_folder_that_is_gone_is_told_and_the_mail_goes_all_the_same(send, mail_server):
    done = send(CHECKPOINT_FOLDER=str(send.folder / "gone"))
    assert done.returncode == 1
    assert "CHECKPOINT_FOLDER" in done.stderr
    assert len(mail_server.kept.mails) == 1


def test_without_a_place_it_says_what_to_set(send):
    done = send(CHECKPOINT_FOLDER="", CHECKPOINT_MAIL_TO="")
    assert done.returncode == 1
    assert "Set CHECKPOINT_FOLDER or CHECKPOINT_MAIL_TO" in done.stderr


def test_no_checkpoint_is_written_over(tmp_path):
    at = clock.now()
    checkpoints.keep("first\n", tmp_path, at=at)
    with pytest.raises(checkpoints.NotKept):
        checkpoints.keep("second\n", tmp_path, at=at)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["first\n"]


def test_a_folder_that_is_gone_does_not_bring_the_mail_again(app, database, mail_server, monkeypatch, tmp_path):
    settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": mail_server.port, "SMTP_SECURITY": "none"}
    addresses = {"MAIL_FROM": "desk@clinic.example", "PUBLIC_URL": "https://chairtime.clinic.example"}
    for name, value in (settings | addresses).items():
        monkeypatch.setitem(app.config, name, value)
    places = checkpoints.Places(tmp_path / "gone", "privacy@clinic.example")
    with app.app_context():
        problems, is_mailed = checkpoints.send_out(places, at=clock.now(), is_mail_due=True)
    assert ["CHECKPOINT_FOLDER" in problem for problem in problems] == [True]
    assert is_mailed
