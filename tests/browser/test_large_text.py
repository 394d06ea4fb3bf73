"""The text of every page that people of the clinic reach survives 200 % zoom: half the glass to show it on."""

import re

from tests.browser.test_bedside import TWICE_AS_LARGE, sign_in

# The address of a page without the record that it is about: one page of each kind is looked at.
_KEY = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}|/\d+(?=/|$)")
_ELSEWHERE = re.compile(r"/table|^/(static|logout|lock)\b|\.(csv|ics|pdf|zip|json|ndjson)$|/(calendar|export)\.\w+$")

_LOOK = """() => {
  const links = [...document.querySelectorAll("a[href]")].filter((a) => a.origin === location.origin && !a.download);
  const cut = [...document.querySelectorAll("main *, .rail *, .tabbar *")].filter((element) => {
    // Where the glass is narrow, the way back is an arrow whose word is for screen readers.
    if (element.closest("svg, .vh, .back, [aria-hidden=true], [hidden]")) return false;
    const holds = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const look = getComputedStyle(element);
    const clips = (way) => way === "hidden" || way === "clip";
    if (!holds || element.clientWidth < 2) return false;
    return (clips(look.overflowX) && look.textOverflow !== "ellipsis" && element.scrollWidth > element.clientWidth + 1)
      || (clips(look.overflowY) && element.scrollHeight > element.clientHeight + 3);
  });
  return {
    links: links.map((a) => a.pathname),
    // A sheet of paper on the glass keeps its size.
    wide: !document.body.matches(".paper") && document.documentElement.scrollWidth > innerWidth,
    cut: cut.map((element) => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 40)}`),
  };
}"""


def test_no_page_loses_text_at_twice_the_size(new_context):
    seen, faults = set(), []
    for name in ("amara.quill", "ines.okafor", "tessa.lowe", "petra.lund"):
        page = new_context().new_page()
        page.set_viewport_size(TWICE_AS_LARGE)
        sign_in(page, name)
        waiting = ["/account"]
        while waiting:
            address = waiting.pop(0)
            kind = _KEY.sub("/*", address)
            if kind in seen or _ELSEWHERE.search(address):
                continue
            seen.add(kind)
            page.goto(address, wait_until="domcontentloaded")
            found = page.evaluate(_LOOK)
            faults += [f"{address} runs off the glass"] if found["wide"] else []
            faults += [f"{address} cuts {words}" for words in found["cut"]]
            waiting += found["links"]
        seen -= {"/account"}  # where the next one begins
    assert len(seen) > 45
    assert not faults
