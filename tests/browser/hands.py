"""Ways to work a page: by the keys of a keyboard alone, or by what a page without script does."""

import re

from playwright.sync_api import Locator, Page

# Nobody is asked to press Tab more often than this to get from one thing to the next.
MOST_TABS = 60

_LANDED = """wanted => {
  const at = document.activeElement;
  const isThere = at === wanted
    || (wanted.type === "radio" && at.type === "radio" && at.name === wanted.name && at.form === wanted.form);
  if (at === document.body) return [isThere, ""];
  const name = (at.getAttribute("aria-label") || at.labels?.[0]?.textContent || at.textContent || at.name || at.tagName)
    .trim().replace(/\\s+/g, " ").slice(0, 40);
  const ringed = [at, at.closest(".in, .pick, .search")].filter(Boolean).find((element) => {
    const look = getComputedStyle(element);
    return look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
  });
  if (!ringed) return [isThere, `no ring: ${name}`];
  const box = ringed.getBoundingClientRect();
  const x = Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1);
  const y = Math.min(Math.max(box.y + box.height / 2, 1), innerHeight - 1);
  const isOn = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  if (box.width < 4 || box.height < 4 || !isOn) return [isThere, `off the glass: ${name}`];
  const top = document.elementFromPoint(x, y);
  return [isThere, top && (ringed.contains(top) || top.contains(ringed)) ? "" : `covered: ${name}`];
}"""


class Hand:
    """What every way has in common. Targets only say which thing is meant."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def named(self, name: str, within: Locator | Page | None = None) -> Locator:
        """The button or link of a name."""
        place, words = within or self.page, re.compile(f"^{name}")
        return place.get_by_role("button", name=words).or_(place.get_by_role("link", name=words)).first


class Keys(Hand):
    """A keyboard and nothing else. `unseen` collects where the focus went and could not be seen."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.unseen: list[str] = []

    def reach(self, target: Locator) -> None:
        """Press Tab until the focus is there, or in its group of radio buttons."""
        wanted = target.element_handle()
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            is_there, fault = wanted.evaluate(_LANDED)
            if fault:
                self.unseen.append(f"{self.page.url.split('/')[-1]}: {fault}")
            if is_there:
                return
        raise AssertionError(f"The Tab key does not reach {target} on {self.page.url}.")

    def act(self, target: Locator) -> None:
        """Press a button or follow a link."""
        self.reach(target)
        self.key("Enter")

    def key(self, key: str) -> None:
        """Press a key that leads to another page."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def type(self, target: Locator, text: str) -> None:
        """Write into a field, over what it holds."""
        self.reach(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def pick(self, target: Locator) -> None:
        """Choose one of several, or mark a box."""
        self.reach(target)
        self.page.keyboard.press("Space")
        for _ in range(18):  # the cells of a ladder
            if target.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"The arrow keys do not reach {target} on {self.page.url}.")

    def choose(self, target: Locator, words: str) -> None:
        """Choose from a list that folds out."""
        self.reach(target)
        self.page.keyboard.type(words)

    def unfold(self, target: Locator) -> None:
        """Open what stands folded."""
        self.reach(target)
        self.page.keyboard.press("Enter")


class Plain(Hand):
    """A finger on pages whose script does not run."""

    def act(self, target: Locator) -> None:
        """Press a button or follow a link."""
        with self.page.expect_navigation():
            target.click()

    def key(self, key: str) -> None:
        """Follow the link that the key stands on."""
        self.act(self.page.locator(f"[data-key='{key}']").first)

    def type(self, target: Locator, text: str) -> None:
        """Write into a field."""
        target.fill(text)

    def pick(self, target: Locator) -> None:
        """Choose one of several, or mark a box."""
        target.locator("xpath=ancestor::label").click()

    def choose(self, target: Locator, words: str) -> None:
        """Choose from a list that folds out."""
        target.select_option(label=words)

    def unfold(self, target: Locator) -> None:
        """Open what stands folded."""
        target.click()
