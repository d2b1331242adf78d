"""Images as textures: each is decoded once, and made smaller where it is larger than anybody sees."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import dearpygui.dearpygui as dpg
import numpy as np

from nodegraph.editor.pictures import Picture, Pictures

MOST: Final = 1024
"""Points of a texture's longer side."""
WAITING: Final = "is being fetched …"
Shown = tuple[int | str | None, str]
"""A texture, or what is to be told in its place."""


class Textures:
    """The textures of one window."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self._made: dict[int, tuple[Picture, Shown]] = {}
        self._registry = dpg.add_texture_registry()

    def get(self, file: str) -> Shown:
        """What an image is shown as now."""
        picture = self.pictures.get(file)
        if not picture.ready:
            return None, picture.wrong or WAITING
        found = self._made.get(id(picture))
        if found is None:  # it is kept beside its texture, so that no other one gets its number
            found = self._made[id(picture)] = picture, self._load(picture)
        return found[1]

    def keep(self) -> None:
        """Free the textures of images that no open sheet shows any more; nothing of those may be drawn now."""
        kept = {id(picture) for picture in self.pictures.keep()}
        for key in self._made.keys() - kept:
            texture = self._made.pop(key)[1][0]
            if texture is not None:
                dpg.delete_item(texture)

    def _load(self, picture: Picture) -> Shown:
        if picture.path is not None:
            loaded = dpg.load_image(str(picture.path))
        else:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "image"
                path.write_bytes(picture.data)
                loaded = dpg.load_image(str(path))
        if loaded is None:
            return None, "The image is damaged. Make it anew, or take it from a copy."
        width, height, _, data = loaded
        points: Any = np.frombuffer(data, np.float32).reshape(height, width, 4)
        points = np.ascontiguousarray(smaller(points, -(-max(width, height) // MOST)))
        high, wide = points.shape[:2]
        return dpg.add_static_texture(wide, high, points.ravel(), parent=self._registry), ""


def smaller(points: Any, step: int) -> Any:
    """An image in so many times fewer points, across and down: each is the mean of those that it stands for."""
    high, wide = points.shape[0] // step, points.shape[1] // step
    if step < 2 or not high or not wide:  # one that is thinner than a step is taken by every so many points
        return points[::step, ::step]
    return points[: high * step, : wide * step].reshape(high, step, wide, step, 4).mean((1, 3))
