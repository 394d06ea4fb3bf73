// Theme of this device. A classic script in the head, not a module: it must run before the first paint, or a page
// opened in a dark room flashes white. "dark" or "light" overrides the system; nothing stored follows it.
(() => {
  const key = "chairtime-theme";
  const root = document.documentElement;
  const stored = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // private mode: follow the system
    }
  };
  const apply = (theme) => {
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  const isDark = () => root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  apply(stored());

  const show = () => {
    for (const button of document.querySelectorAll("[data-dim]")) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(isDark()));
    }
  };
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-dim]")) return;
    const theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(key, theme);
    } catch {
      // private mode: the choice lasts as long as the page
    }
    apply(theme);
    show();
  });
  addEventListener("storage", (event) => {
    if (event.key === key) {
      apply(event.newValue);
      show();
    }
  });
})();
