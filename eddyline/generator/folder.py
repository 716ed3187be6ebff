"""The files a template may read lists from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eddyline.errors import EddylineError


@dataclass(frozen=True, slots=True)
class Folder:
    """Places that files are looked for in, in order.

    ``confined`` places hold all that may be read: a name cannot lead out of them. They are what a
    server uses, so that a template of the studio cannot read the machine's files.
    """

    places: tuple[Path, ...] = ()
    confined: bool = True

    def find(self, name: str) -> Path:
        """The file of that name.

        Raises:
            EddylineError: ``not_found`` where no place holds it, ``access_denied`` for a name that
                leads out of a confined folder.
        """
        if not self.places:
            message = f"{name} cannot be read: this template was given no folder of lists"
            hint = "put the file into the lists folder of the data directory"
            raise EddylineError("not_found", message, hint=hint)
        for place in self.places:
            path = place / name
            inside = path.resolve().is_relative_to(place.resolve())
            if self.confined and not inside:
                message = f"{name} is outside of the folder of lists"
                hint = f"put the file into {place} and give its name alone"
                raise EddylineError("access_denied", message, hint=hint)
            if path.is_file():
                return path
        where = " or ".join(str(place) for place in self.places)
        raise EddylineError("not_found", f"there is no file {name} in {where}")


NO_FILES = Folder()
