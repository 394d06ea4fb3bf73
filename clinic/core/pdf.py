"""From a printed page to a PDF, by WeasyPrint where the machine has it.

The page is our own HTML with our own style, but what people typed stands in it. So the renderer is shut in: it is
given files of the package's `static` folder by name and nothing else: no network, no other file, no data address.
"""

import logging
import re
from functools import cache, lru_cache
from html import unescape
from importlib import import_module
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

from flask import make_response, request, url_for
from flask.typing import ResponseReturnValue

from clinic.core.errors import RuleBroken

# Never looked up: addresses in a page are resolved against it, and then belong to the package or to nobody.
_HERE: Final = "http://paper.invalid/"
_OPEN: Final = {".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
_PAPER: Final = {"a4": "A4", "letter": "letter"}
_STYLE: Final = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
_STATIC: Final = Path(__file__).resolve().parent.parent / "static"
_one_at_a_time = Lock()


@cache
def _weasyprint() -> Any | None:
    """The renderer, or None where it is not installed or its system libraries (pango, harfbuzz) are missing."""
    # It would warn of every line of the style sheet that it cannot use, and name what it refused.
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    try:
        return import_module("weasyprint")
    except (ImportError, OSError):
        return None


def can_be_made() -> bool:
    """Whether this machine makes PDFs."""
    return _weasyprint() is not None


def file_of_ours(address: str, *, static_path: str) -> tuple[bytes, str] | None:
    """Return the content and type of a file of the package, or None for every other address.

    `static_path` is where pages find the folder: "/static/".
    """
    beginning = urljoin(_HERE, static_path)
    if not address.startswith(beginning):
        return None
    name = unquote(urlsplit(address.removeprefix(beginning)).path)
    path = (_STATIC / name).resolve()
    if path.suffix not in _OPEN or not path.is_relative_to(_STATIC) or not path.is_file():
        return None
    return path.read_bytes(), _OPEN[path.suffix]


def asked_for() -> str:
    """Return "page", or the paper that the PDF asked for is for. Raises RuleBroken where this machine makes none."""
    paper = _PAPER.get(request.args.get("form", ""))
    if paper and not can_be_made():
        raise RuleBroken("This server makes no PDF: print from the browser.")
    return paper or "page"


def answer(page: str, *, name: str, is_wide: bool = False) -> ResponseReturnValue:
    """Answer with a printed page, or with the PDF made of it where that was asked for; a wide one lies on its side."""
    paper = asked_for()
    if paper == "page":
        return page
    response = make_response(
        made(page, paper=f"{paper} landscape" if is_wide else paper, static_path=url_for("static", filename=""))
    )
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


def made(page: str, *, paper: str, static_path: str) -> bytes:
    """Return a page as a tagged PDF. Ask `can_be_made` first."""
    renderer = _weasyprint()
    if renderer is None:
        raise RuntimeError("This machine makes no PDF.")
    addresses = tuple(_STYLE.findall(page))
    with _one_at_a_time:  # the fonts are shared, and they are not made for two threads
        style, fonts = _style(addresses, static_path)
        size = renderer.CSS(string=f"@page {{ size: {paper} }}")
        drawn = renderer.HTML(string=_STYLE.sub("", page), base_url=_HERE, url_fetcher=_fetcher(static_path))
        pdf: bytes = drawn.write_pdf(stylesheets=[style, size], font_config=fonts, pdf_variant="pdf/ua-1")
    return pdf


@lru_cache(maxsize=4)
def _style(addresses: tuple[str, ...], static_path: str) -> tuple[Any, Any]:
    """The style sheets that a page names, read once: that takes as long as everything else about a PDF.

    They are one sheet, so that the order of their layers holds across them; all lie in one folder.
    """
    fonts = import_module("weasyprint.text.fonts").FontConfiguration()
    found = [file_of_ours(urljoin(_HERE, unescape(address)), static_path=static_path) for address in addresses]
    text = "".join(file[0].decode() for file in found if file is not None)
    base = urljoin(_HERE, static_path) + "css/"
    sheet = import_module("weasyprint").CSS(
        string=text, base_url=base, url_fetcher=_fetcher(static_path), font_config=fonts
    )
    return sheet, fonts


def _fetcher(static_path: str) -> Any:
    """What the renderer asks for the files that a page names; its own way to the network is never taken."""
    urls = import_module("weasyprint.urls")

    class Fetcher(urls.URLFetcher):  # type: ignore[misc,name-defined] # known only when the program runs
        def fetch(self, url: str, headers: Any = None) -> Any:
            found = file_of_ours(url, static_path=static_path)
            if found is None:
                raise ValueError("Only the files of the package are read.")
            return urls.URLFetcherResponse(url, BytesIO(found[0]), {"Content-Type": found[1]})

    return Fetcher()
