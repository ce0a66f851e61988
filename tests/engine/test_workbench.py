"""What a protocol hands over is found again, and what is no image is refused."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError


@pytest.fixture
def workbench(tmp_path: Path) -> FolderWorkbench:
    return FolderWorkbench(tmp_path, "outputs/pick/000", "mic")


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize(("dtype", "mode"), [(np.float32, 2), (np.float16, 12)])
def test_a_stack_is_an_mrcs_and_stays_one_with_a_single_image(
    workbench: FolderWorkbench, tmp_path: Path, count: int, dtype: type, mode: int
) -> None:
    stack = np.random.default_rng(1).normal(0, 1, (count, 6, 6)).astype(dtype)
    path = workbench.write_stack("", stack, 3.5)
    assert path == "outputs/pick/000/mic.mrcs"
    with mrcfile.open(tmp_path / path) as file:
        assert file.header.mode == mode
        assert file.header.nz == count
        assert file.voxel_size.x == pytest.approx(3.5)
    read = workbench.read_stack(path)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, stack)


@pytest.mark.parametrize("bad", [np.nan, 0.0])
def test_a_stack_with_an_image_that_is_none_is_refused(workbench: FolderWorkbench, bad: float) -> None:
    stack = np.random.default_rng(1).normal(0, 1, (4, 6, 6)).astype(np.float32)
    stack[2] = bad
    with pytest.raises(DataError, match="1 are blank or have pixels that are not numbers; the first is image 3"):
        workbench.write_stack("", stack, 3.5)


def test_numbers_are_found_again(workbench: FolderWorkbench) -> None:
    path = workbench.write_array("coordinates", np.zeros((0, 3), np.float32))
    assert path == "outputs/pick/000/mic_coordinates.npy"
    assert workbench.read_array(path).shape == (0, 3)
