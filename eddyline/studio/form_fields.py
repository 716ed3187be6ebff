"""The dynamic forms of a paragraph: a field for each, kept as soon as it is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from eddyline.service.notes.forms import Form
from eddyline.studio.shell import labelled

Filled = Callable[[Form, Any], Any]


class FormFields:
    """The fields; rebuilt only when the forms are others.

    filled: keeps a value. entered: called when Enter is pressed in a field of text.
    """

    def __init__(self, filled: Filled, entered: Callable[[], Any]) -> None:
        self._filled = filled
        self._entered = entered
        self._forms: tuple[Form, ...] = ()
        self._values: dict[Form, Any] = {}
        self._fields: dict[Form, Any] = {}
        self._frame = ui.element("div").classes("form-fields row-line")
        self._frame.set_visibility(False)

    def show(
        self,
        forms: Sequence[Form],
        params: Mapping[str, Any],
        note_params: Mapping[str, Any],
    ) -> None:
        """The forms with their values."""
        self._frame.set_visibility(bool(forms))
        values = {f: (note_params if f.note_wide else params).get(f.name) for f in forms}
        if tuple(forms) != self._forms:
            self._forms = tuple(forms)
            self._frame.clear()
            with self._frame:
                self._fields = {form: self._made(form, values[form]) for form in forms}
        elif values != self._values:  # changed in another window
            for form, field in self._fields.items():
                shown = _shown(form, values[form])
                if field.value != shown:
                    field.set_value(shown)
        self._values = values

    def _made(self, form: Form, value: Any) -> Any:
        shown = _shown(form, value)
        if form.kind == "select":
            field: Any = ui.select(_options(form, shown), value=shown, label=form.label)
        elif form.kind == "checkbox":
            options = _options(form, None)
            field = ui.select(options, value=shown, label=form.label, multiple=True)
            field.props("use-chips")
        else:
            hidden = form.kind == "password"
            field = ui.input(form.label, value=shown, password=hidden).props("debounce=400")
            field.on("keydown.enter", lambda: self._enter(form, field.value))
        labelled(field).classes("field")
        field.on_value_change(lambda event: self._changed(form, event.value))
        return field

    async def _enter(self, form: Form, value: Any) -> None:
        await self._changed(form, value)
        await self._entered()

    async def _changed(self, form: Form, value: Any) -> None:
        if _shown(form, self._values.get(form)) == value:
            return
        self._values[form] = value
        await self._filled(form, value)


def _options(form: Form, value: Any) -> dict[str, str]:
    options = dict(form.options)
    if isinstance(value, str):
        options.setdefault(value, value)
    return options


def _shown(form: Form, value: Any) -> Any:
    """A form's value as its field has it."""
    if form.kind != "checkbox":
        return form.filled(value)
    known = dict(form.options)
    chosen = form.default.split("|") if value is None else value
    return [str(v) for v in chosen if str(v) in known] if isinstance(chosen, list) else []
