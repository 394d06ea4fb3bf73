"""The renderer of PDFs is shut in: files of the package by name, and nothing else whatever stands in the page."""

import socket
import zlib

import pytest

from clinic.core import pdf
from clinic.core.errors import RuleBroken

STATIC = "/static/"


@pytest.mark.parametrize(
    "address",
    [
        "http://paper.invalid/static/../core/pdf.py",
        "http://paper.invalid/static/%2e%2e/core/pdf.py",
        "http://paper.invalid/static/css/none.css",
        "http://paper.invalid/static/js/clock.js",
        "http://paper.invalid/etc/passwd.css",
        "http://paper.invalid.example/static/css/clinic.css",
        "https://paper.invalid/static/css/clinic.css",
        "file:///etc/passwd",
        "data:text/css,body{}",
    ],
)
def test_no_other_address_is_opened(address):
    assert pdf.file_of_ours(address, static_path=STATIC) is None


def test_style_and_fonts_of_the_package_are_read():
    content, kind = pdf.file_of_ours("http://paper.invalid/static/css/clinic.css?v=1", static_path=STATIC)
    assert b"@page" in content
    assert kind == "text/css"


def test_a_hostile_page_reaches_no_listener_and_no_file(tmp_path):
    if not pdf.can_be_made():
        with pytest.raises(RuntimeError, match="makes no PDF"):
            pdf.made("<p>", paper="A4", static_path=STATIC)
        return
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of this machine")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        away = f"http://127.0.0.1:{listener.getsockname()[1]}"
        made = pdf.made(
            f"""<!doctype html><html lang="en"><head><title>t</title><link rel="stylesheet" href="{away}/a.css">
            <link rel="attachment" href="{away}/b"><link rel="attachment" href="{secret.as_uri()}">
            <style>@import "{away}/c.css"; @font-face {{ font-family: x; src: url({away}/d.woff2) }}
            p {{ font-family: x; background: url({away}/e.png); list-style-image: url({secret.as_uri()}) }}</style>
            </head><body><p>text</p><img src="{away}/f.png"><img src="{secret.as_uri()}">
            <object data="{away}/g"></object><embed src="{away}/h">
            <svg><image href="{away}/i.png"/><use href="{away}/j.svg#k"/></svg></body></html>""",
            paper="A4",
            static_path=STATIC,
        )
        with pytest.raises(TimeoutError):
            listener.accept()
    assert made.startswith(b"%PDF")
    assert b"EmbeddedFile" not in made
    assert b"secret of this machine" not in _unpacked(made)


def _unpacked(made):
    """Every compressed part of a PDF, opened."""
    found = made
    for part in made.split(b"stream\n")[1:]:
        try:
            found += zlib.decompressobj().decompress(part)
        except zlib.error:
            continue
    return found


def test_without_the_library_it_says_so(app, monkeypatch):
    monkeypatch.setattr(pdf, "can_be_made", lambda: False)
    with app.test_request_context("/?form=a4"), pytest.raises(RuleBroken, match="This server makes no PDF: print from"):
        pdf.asked_for()
