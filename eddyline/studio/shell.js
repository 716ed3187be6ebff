// What cannot be told to the page from Python: keys that act before the server knows, and which of
// dark and light the system wants. An element with data-key="n" is clicked by the key n, one with
// data-go="s" by g and then s.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => {
    document.cookie = `eddyline-dark=${system.matches ? 1 : 0}; path=/; max-age=31536000; samesite=lax`;
  };
  tell();
  system.addEventListener("change", tell);

  let going = 0;
  const typing = (e) => e && (e.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(e.tagName));
  const find = (name, key) =>
    [...document.querySelectorAll(`[data-${name}="${CSS.escape(key)}"]`)].find((e) => e.getClientRects().length);
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    if (typing(document.activeElement)) {
      if (e.key === "Escape" && document.activeElement.closest(".cm-editor")) document.activeElement.blur();
      return;
    }
    const element = find(Date.now() - going < 1500 ? "go" : "key", e.key);
    going = e.key === "g" ? Date.now() : 0;
    if (element) {
      e.preventDefault();
      element.click();
    }
  });
})();
