// What cannot be told to the page from Python: keys that act before the server knows, and which of
// dark and light the system wants. An element with data-key="n" is clicked by the key n, one with
// data-go="s" by g and then s.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => {
    document.cookie = `eddyline-dark=${system.matches ? 1 : 0}; path=/; max-age=31536000; samesite=lax`;
  };
  // The page was built for what the system wanted when a page was last open.
  const stale = document.cookie.includes("eddyline-dark=1") !== system.matches;
  tell();
  const correct = () => window.did_handshake && window.emitEvent
    ? emitEvent("system-dark", system.matches) : setTimeout(correct, 100);
  if (stale) addEventListener("DOMContentLoaded", correct);
  system.addEventListener("change", () => {
    tell();
    if (window.emitEvent) emitEvent("system-dark", system.matches);
  });

  // A page whose session has ended elsewhere (signed out in another tab, a changed password) goes to
  // the sign-in page. A server that is restarting answers nothing, and is waited for.
  const leave = async () => {
    if (window.socket.connected) return;
    try {
      const answer = await fetch("/signin", { redirect: "manual" });
      if (answer.ok) return location.reload(); // who is signed in is led away from it
    } catch { /* not there yet */ }
    setTimeout(leave, 1000);
  };
  const watch = () => window.socket
    ? window.socket.on("disconnect", () => setTimeout(leave, 300)) : setTimeout(watch, 100);
  addEventListener("DOMContentLoaded", watch);

  // Accessible names of editors, whose own elements are made in the browser.
  const name = () => {
    document.querySelectorAll(".q-loading-bar:not([aria-label])").forEach((e) => e.setAttribute("aria-label", "Loading"));
    document.querySelectorAll("[data-label] .cm-content:not([aria-label])").forEach((e) =>
      e.setAttribute("aria-label", e.closest("[data-label]").dataset.label));
  };
  addEventListener("DOMContentLoaded", () => {
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
    name();
  });

  // Files dropped anywhere go to the page's uploader, if it takes them.
  const taker = () => document.querySelector(".takes-drops input[type=file]");
  const mark = (on) => document.body.classList.toggle("dropping", on);
  addEventListener("dragover", (e) => {
    if (!taker() || ![...e.dataTransfer.types].includes("Files")) return;
    e.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (e) => e.relatedTarget || mark(false));
  addEventListener("drop", (e) => {
    const input = taker();
    mark(false);
    if (!input || !e.dataTransfer.files.length) return;
    e.preventDefault();
    input.files = e.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

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
    const field = find("focus", e.key);
    if (element || field) e.preventDefault();
    if (element) element.click();
    else if (field) field.focus();
  });
})();
