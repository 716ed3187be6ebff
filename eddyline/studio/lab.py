"""The labs, set up by one click: streams, generators, and the note that goes with them."""

from __future__ import annotations

from contextlib import suppress

from eddyline.errors import EddylineError
from eddyline.generator.spec import GeneratorSpec
from eddyline.log import StreamMode
from eddyline.service import lab
from eddyline.service.notes import Notes
from eddyline.service.services import Services

CLICKS, SENSORS = lab.CLICK_NOTE, lab.SENSOR_NOTE
# What a lab has: streams, and generators by name with template, stream and rate.
LABS: dict[str, tuple[tuple[str, ...], tuple[tuple[str, str, str, float], ...]]] = {
    lab.CLICK_NOTE: (
        (lab.CLICK_STREAM, lab.ANOMALY_STREAM),
        (
            # One sender of both: a busy machine then changes no rate of clicks.
            ("visitors", lab.VISIT_TEMPLATE, lab.CLICK_STREAM, 2 * lab.CLICKS_PER_S),
        ),
    ),
    lab.SENSOR_NOTE: (
        (lab.SENSOR_STREAM, lab.STATE_STREAM),
        (("sensors", lab.SENSOR_TEMPLATE, lab.SENSOR_STREAM, lab.SENSORS_PER_S),),
    ),
}


def set_up(services: Services, name: str) -> str:
    """Make what a lab needs, start its generators, bring its note; returns the note's id.

    What is there already stays as it is.
    """
    streams, generators = LABS[name]
    for stream in streams:
        with suppress_existing():
            services.streams.create(stream, None, StreamMode.ON_DEMAND)
    for generator, template, stream, rate in generators:
        with suppress_existing():
            services.generators.create(
                generator, GeneratorSpec(template, f"stream:{stream}", rate=rate)
            )
        services.generators.start(generator)
    if name == lab.CLICK_NOTE:
        with suppress_existing():
            services.generators.create(lab.BURST_SENDER, _more_clicks())
    return bring_note(services, name)


def _more_clicks() -> GeneratorSpec:
    """A burst that waits for its Start button, so that one sees it being found."""
    rate = lab.CLICKS_PER_S * (lab.BURST_FACTOR - 1)
    total = round(rate * lab.BURST_S)
    return GeneratorSpec(lab.CLICK_TEMPLATE, f"stream:{lab.CLICK_STREAM}", rate=rate, total=total)


def bring_note(services: Services, name: str) -> str:
    """The id of a lab's note; it is imported if it is not there."""
    with suppress(EddylineError):
        return services.notes.find(name)
    note = services.notes.import_bytes(lab.note_bytes(name), name)
    show_words(services.notes, note)
    return note


def show_words(notes: Notes, note: str) -> None:
    """Have a fresh note's words stand there to be read, not their source."""
    for paragraph in notes.view(note).paragraphs:
        if paragraph.interpreter == "md" and not paragraph.outputs:
            notes.run(note, paragraph.id)


class suppress_existing:
    """Let ``already_exists`` pass; its name reads as contextlib's do."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, EddylineError) and error.code == "already_exists"
