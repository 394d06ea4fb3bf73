"""Promises about the pages that the content security policy and the reader rely on."""

import re

import pytest

from tests.structure.tree import ROOT, TEMPLATES, named

PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if "email" not in path.parts)
PAGE = pytest.mark.parametrize("path", PAGES, ids=named)

# Markup written out in the template itself.
OWN_MARKUP = {"templates/components/icon.html"}

FORBIDDEN = {
    "inline style": re.compile(r"<style\b|<[^<>]*\sstyle\s*=", re.IGNORECASE),
    "inline script": re.compile(
        r"<script\b(?![^>]*\ssrc\s*=)(?![^>]*type=\"application/json\")|<[^<>]*\son[a-z]+\s*=|javascript:|\shx-on",
        re.IGNORECASE,
    ),
    "unescaped text": re.compile(r"\|\s*safe\b|autoescape\s+false"),
    "address written by hand, use url_for": re.compile(r"\s(?:href|src|action|hx-get|hx-post)\s*=\s*[\"']/"),
    "something from another host": re.compile(
        r"\s(?:src|srcset)\s*=\s*[\"']\s*(?:https?:)?//|<link[^>]*href=[\"'](?:https?:)?//"
    ),
}


def complaints(markup):
    plain = re.sub(r"\{#.*?#\}", "", markup, flags=re.DOTALL)
    # Inside an expression `<` and `>` compare; outside, they open and close tags.
    bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", lambda found: re.sub(r"[<>]", " ", found[0]), plain, flags=re.DOTALL)
    return [what for what, pattern in FORBIDDEN.items() if pattern.search(bare)]


@PAGE
def test_a_template_holds_nothing_that_the_policy_refuses(path):
    allowed = {"unescaped text"} if named(path) in OWN_MARKUP else set()
    assert not set(complaints(path.read_text(encoding="utf-8"))) - allowed


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="color: red">',
        "<style>p {}</style>",
        "<script>go()</script>",
        '<button onclick="go()">',
        '<a href="javascript:go()">',
        "{{ note | safe }}",
        '<a href="/patients">',
        '<script src="https://cdn.example/x.js"></script>',
    ],
)
def test_the_search_finds(markup):
    assert complaints(markup)


@pytest.mark.parametrize(
    "markup",
    [
        "<script src=\"{{ url_for('static', filename='js/app.js') }}\" defer></script>",
        "{# style= and <script> in a comment #}",
        "<link rel=\"stylesheet\" href=\"{{ url_for('static', filename='css/base.css') }}\">",
        '{% if dose > 5 %}<p class="style">text on = side</p>{% endif %}',
    ],
)
def test_the_search_leaves_alone(markup):
    assert not complaints(markup)


def test_scripts_and_styles_come_from_here_alone():
    for path in [*(ROOT / "clinic/static").rglob("*.css"), *(ROOT / "clinic/static").rglob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//|\beval\(|new Function\(|document\.write", text), (
            named(path)
        )


def test_every_template_is_drawn_by_something():
    sources = [*TEMPLATES.rglob("*.html"), *(ROOT / "clinic").rglob("*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    idle = [
        named(page)
        for page in PAGES
        if page.parent.name != "errors"  # named by the number of the answer
        and not any(page.relative_to(TEMPLATES).as_posix() in text for path, text in texts.items() if path != page)
    ]
    assert not idle
