"""Movies of a random specimen that moves exactly as told, and a pretended GPU."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

Array = NDArray[Any]


class Film(Protocol):
    """Makes a movie: Poisson counts (frame, y, x) around ``dose`` of a specimen displaced by ``shifts``."""

    def __call__(
        self,
        shape: tuple[int, int],
        shifts: Array,
        *,
        dose: float = ...,
        contrast: float = ...,
        within: Array | None = ...,
        seed: int = ...,
        noise: bool = ...,
    ) -> Array: ...


def filmed(
    shape: tuple[int, int],
    shifts: Array,
    *,
    dose: float = 1.0,
    contrast: float = 0.25,
    within: Array | None = None,
    seed: int = 0,
    noise: bool = True,
) -> Array:
    """``within`` adds displacements that depend on the place: (frame, yx, y, x)."""
    rng = np.random.default_rng(seed)
    margin = 8 + int(np.abs(shifts).max()) + (0 if within is None else int(np.abs(within).max()))
    specimen = gaussian_filter(rng.normal(size=(shape[0] + 2 * margin, shape[1] + 2 * margin)), 1.5)
    specimen *= contrast / specimen.std()
    grid = np.stack(np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")) + float(margin)
    frames = []
    for number, shift in enumerate(shifts):
        moved = shift[:, None, None] if within is None else shift[:, None, None] + within[number]
        seen = dose * np.clip(1.0 + map_coordinates(specimen, grid - moved, order=5), 0.0, None)
        frames.append(rng.poisson(seen) if noise else seen)
    return np.array(frames)


@pytest.fixture(scope="session")
def film() -> Film:
    return filmed


class Card(np.ndarray[Any, np.dtype[Any]]):
    """An array that behaves as if it were on a GPU: it does not mix with NumPy's."""

    def get(self) -> Array:
        return self.view(np.ndarray)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **more: Any) -> Any:
        if any(isinstance(one, np.ndarray) and not isinstance(one, Card) for one in (*inputs, *out)):
            raise TypeError("Unsupported type <class 'numpy.ndarray'>")
        plain = [one.view(np.ndarray) if isinstance(one, Card) else one for one in inputs]
        if out:
            more["out"] = tuple(one.view(np.ndarray) for one in out)
        result = getattr(ufunc, method)(*plain, **more)
        if out:
            return out[0]
        return _on_card(result)


Card.__module__ = "cupy"


def _on_card(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(_on_card(one) for one in result)
    return result.view(Card) if isinstance(result, np.ndarray) else result


class PretendedCupy(ModuleType):
    """NumPy's functions on `Card` arrays."""

    def __init__(self, source: Any = np) -> None:
        super().__init__("cupy")
        self._source = source

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        if isinstance(found, ModuleType):
            return PretendedCupy(found)
        if isinstance(found, type) or not callable(found):
            return found

        def called(*given: Any, **more: Any) -> Any:
            return _on_card(found(*given, **more))

        return called


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> PretendedCupy:
    """A stand-in for CuPy, so that code for a GPU is run where there is none."""
    pretended = PretendedCupy()
    monkeypatch.setitem(sys.modules, "cupy", pretended)
    return pretended
