"""The frame of every page: navigation, title, keys, dark and light."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nicegui import context, ui

from eddyline.studio.gate import LOGO, MAY_OPEN, STATUS, USER
from eddyline.studio.markup import escape
from eddyline.studio.notice import Notice
from eddyline.studio.refresh import Refresh

# section: (path, label, icon, key after g)
SECTIONS: dict[str, tuple[str, str, str, str]] = {
    "overview": ("/", "Overview", "space_dashboard", "o"),
    "streams": ("/streams", "Streams", "waves", "s"),
    "generator": ("/generator", "Generator", "bolt", "r"),
    "notes": ("/notes", "Notes", "description", "n"),
    "notebooks": ("/notebooks", "Notebooks", "menu_book", "b"),
    "applications": ("/applications", "Applications", "apps", "p"),
    "tables": ("/tables", "Tables", "table_chart", "t"),
    "anomalies": ("/anomalies", "Anomalies", "insights", "a"),
    "jobs": ("/jobs", "Jobs", "sync", "j"),
    "users": ("/users", "Users and roles", "group", "u"),
}
_THEMES: dict[str, bool | None] = {"auto": None, "light": False, "dark": True}
_NEXT = {"auto": "light", "light": "dark", "dark": "auto"}
_ICONS = {"auto": "contrast", "light": "light_mode", "dark": "dark_mode"}
_HEAD = '<link rel="stylesheet" href="/theme.css"><script src="/shell.js" defer></script>'

T = TypeVar("T")
Keys = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Page:
    """A page being built. ``actions``: where its buttons go, beside the title."""

    actions: ui.element
    heading: ui.html
    dark: bool
    on_dark: list[Callable[[bool], None]] = field(default_factory=list)


@contextmanager
def page(
    section: str, title: str, *, crumb: tuple[str, str] | None = None, keys: Keys = ()
) -> Iterator[Page]:
    """The frame, with what follows in its middle. ``crumb``: (path, label) of the page above."""
    ui.page_title(f"{title} · Eddyline")
    ui.add_head_html(_HEAD)
    cookies = context.client.request.cookies
    theme = cookies.get("eddyline-theme", "auto")
    theme = theme if theme in _THEMES else "auto"
    dark = theme == "dark" or (theme == "auto" and cookies.get("eddyline-dark") == "1")
    mode = ui.dark_mode(_THEMES[theme])
    pages: list[Page] = []
    with ui.element("div").classes("frame"):
        _element("a", "Skip to content", "skip", href="#main")
        with ui.element("nav").classes("rail").props('aria-label="Sections"'):
            _rail(section, theme, mode, keys, pages)
        # The page framework's own <main> is around all of this, and there may be only one.
        with ui.element("div").classes("main").props('id="main" tabindex="-1"'):
            with ui.element("header").classes("head"):
                if crumb is not None:
                    _element("a", f"← {crumb[1]}", "crumb", href=crumb[0])
                heading = _element("h1", title)
                actions = ui.element("div").classes("row-line")
            built = Page(actions, heading, dark)
            pages.append(built)
            yield built


def _rail(section: str, theme: str, mode: ui.dark_mode, keys: Keys, pages: list[Page]) -> None:
    ui.html(
        f'<a class="brand" href="/" aria-label="Eddyline">{LOGO}'
        '<span class="name">Eddyline</span></a>',
        sanitize=False,
    )
    for name, (path, label, icon, key) in SECTIONS.items():
        if not may_open(path):
            continue
        item = ui.element("a").classes("rail-item").props(f'href="{path}" data-go="{key}"')
        item.props(f'title="{label} (g {key})"')
        if name == section:
            item.props('aria-current="page"')
        with item:
            ui.icon(icon).props('aria-hidden="true"')
            _element("span", label, "name")
    ui.element("div").classes("rail-space")
    _theme_button(theme, mode, pages)
    help_dialog = _help(keys)
    _rail_button("keyboard", "Keys", help_dialog.open).props('data-key="?" title="Keys (?)"')
    ui.html(
        '<form method="post" action="/signout"><button class="rail-item" title="Sign out" '
        'style="width:100%"><i class="q-icon material-icons" aria-hidden="true">logout</i>'
        '<span class="name">Sign out</span></button></form>',
        sanitize=False,
    )


def may_open(path: str) -> bool:
    """Whether the user of the page that is being built may open a path of the studio."""
    allowed: Callable[[str], bool] | None = context.client.request.scope.get(MAY_OPEN)
    return allowed is None or allowed(path)


def user_of_page() -> str | None:
    """Who has opened the page that is being built."""
    user: str | None = context.client.request.scope.get(USER)
    return user


def _theme_button(theme: str, mode: ui.dark_mode, pages: list[Page]) -> None:
    now = {"theme": theme}

    def show(dark: bool) -> None:
        for page in pages:
            page.dark = dark
            for listener in page.on_dark:
                listener(dark)

    def system_turned(event: Any) -> None:
        if now["theme"] == "auto":
            show(bool(event.args))

    ui.on("system-dark", system_turned)

    async def turn() -> None:
        chosen = now["theme"] = _NEXT[now["theme"]]
        mode.value = _THEMES[chosen]
        assert isinstance(icon, ui.icon), "as it was built"
        assert isinstance(word, ui.label), "as it was built"
        icon.set_name(_ICONS[chosen])
        word.set_text(_theme_word(chosen))
        script = (
            f"document.cookie = 'eddyline-theme={chosen}; path=/; max-age=31536000; samesite=lax';"
            "return matchMedia('(prefers-color-scheme: dark)').matches"
        )
        system = bool(await ui.run_javascript(script))
        show(chosen == "dark" or (chosen == "auto" and system))

    button = _rail_button(_ICONS[theme], _theme_word(theme), turn)
    button.props('title="Dark or light (t)" data-key="t"')
    icon, word = button.default_slot.children


def _theme_word(theme: str) -> str:
    return {"auto": "System theme", "light": "Light", "dark": "Dark"}[theme]


def _rail_button(icon: str, label: str, on_click: Callable[[], Any]) -> ui.element:
    button = ui.element("button").classes("rail-item").props('type="button"')
    button.on("click", lambda: on_click())
    with button:
        ui.icon(icon).props('aria-hidden="true"')
        ui.label(label).classes("name")
    return button


def _help(keys: Keys) -> ui.dialog:
    going = tuple((f"g {key}", label) for _, label, _, key in SECTIONS.values())
    every = (*keys, *going, ("t", "Dark, light or the system's theme"), ("?", "This list"))
    with ui.dialog() as dialog, ui.card().classes("dialog"):
        _element("h2", "Keys")
        with ui.element("div").classes("keys"):
            for key, meaning in every:
                ui.html(" ".join(f"<kbd>{k}</kbd>" for k in key.split()), sanitize=False)
                ui.label(meaning)
        with ui.element("div").classes("row-line end"):
            button("Close", dialog.close, kind="side")
    return dialog


def _element(tag: str, text: str, classes: str = "", **props: str) -> ui.html:
    element = ui.html(escape(text), sanitize=False, tag=tag).classes(classes)
    for name, value in props.items():
        element.props[name] = value
    return element


def heading(text: str, level: int = 2) -> ui.html:
    """A heading."""
    return _element(f"h{level}", text)


def button(
    label: str,
    on_click: Callable[..., Any] | None = None,
    *,
    kind: str = "side",
    icon: str | None = None,
    key: str | None = None,
    hint: str | None = None,
) -> ui.button:
    """A button. kind: main (one a view), side, quiet; "danger" may be added."""
    look = {"main": "main-action", "side": "side-action", "quiet": "quiet"}
    classes = " ".join(look.get(word, word) for word in kind.split())
    made = ui.button(label, on_click=on_click, icon=icon, color=None).classes(classes)
    made.props("flat no-caps unelevated")
    if key:
        made.props(f'data-key="{key}"')
    if hint or key:
        made.props["title"] = f"{hint or label} ({key})" if key else hint
    return made


def icon_button(icon: str, label: str, on_click: Callable[..., Any] | None = None) -> ui.button:
    """A small button with a picture; ``label`` is read out and shown when pointed at."""
    made = ui.button(icon=icon, on_click=on_click, color=None).classes("quiet")
    made.props("flat round dense")
    made.props["aria-label"] = made.props["title"] = label
    return made


def empty(title: str, words: str) -> ui.element:
    """What is shown where there is nothing yet; what to do next goes into it."""
    with ui.element("section").classes("empty") as section:
        heading(title)
        ui.label(words).props("role=paragraph")
    return section


def _take_away(dialog: ui.dialog) -> None:
    """Remove a dialog; with a tab that was closed it is gone already."""
    if not dialog.is_deleted:
        dialog.delete()


def mark_missing() -> None:
    """Answer this page with status 404: it is about something that does not exist."""
    context.client.request.scope[STATUS] = 404


async def confirm(title: str, words: str, action: str) -> bool:
    """Ask before something that cannot be undone."""
    with ui.dialog() as dialog, ui.card().classes("dialog").props('role="alertdialog"'):
        heading(title)
        ui.label(words)
        with ui.element("div").classes("row-line end"):
            button("Cancel", lambda: dialog.submit(False)).props("autofocus")
            button(action, lambda: dialog.submit(True), kind="main danger")
    answer = await dialog
    _take_away(dialog)
    return bool(answer)


async def ask(title: str, label: str, value: str, action: str) -> str | None:
    """Ask for a text; None if it was not given."""
    with ui.dialog() as dialog, ui.card().classes("dialog"):
        heading(title)
        field = labelled(ui.input(label, value=value)).props("autofocus")
        field.on("keydown.enter", lambda: dialog.submit(field.value))
        with ui.element("div").classes("row-line end"):
            button("Cancel", lambda: dialog.submit(None))
            button(action, lambda: dialog.submit(field.value), kind="main")
    answer = await dialog
    _take_away(dialog)
    text = str(answer or "").strip()
    return text or None


Field = TypeVar("Field", bound=ui.element)


def labelled(field: Field) -> Field:
    """A field in the studio's look, its label above what is written."""
    field.props("outlined dense stack-label options-dense")
    return field


def every(seconds: float, pull: Callable[[], T], show: Callable[[T], None]) -> Refresh[T]:
    """Pull and show, now and every so many seconds while somebody looks at the page."""
    refresh = Refresh(seconds, pull, show, Notice())
    refresh.first()
    return refresh
