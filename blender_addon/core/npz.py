# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading .npz files that may be damaged, huge or malicious, as the SDK reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from .errors import AddonError
from .files import about_file, check_schema, opened
from .json_reading import Unreadable, parse_json
from .npz_reading import Numbers, Texts, read_arrays


def read_npz(
    path: str | os.PathLike[str],
    kind: str,
    schema: str,
    wanted: Mapping[str, Numbers],
    longest: Mapping[str, int],
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the number arrays and the JSON text "meta" of an .npz file.

    Args:
        path: of the file.
        kind: what it is, in sentences: "take file".
        schema: that `meta` must name.
        wanted: what each array must be.
        longest: the largest length for each name in a shape.

    Returns:
        The arrays, and `meta`.

    Raises:
        AddonError: if the file cannot be read or is not what it should be.
    """
    with opened(path, kind) as stream:
        try:
            arrays = read_arrays(stream, {"meta": Texts(), **wanted}, longest)
            meta = parse_json(str(arrays.pop("meta")))
            if not isinstance(meta, dict):
                raise AddonError("Its 'meta' text is not a JSON object; choose another file.")
            check_schema(meta.get("schema"), schema)
            return arrays, meta
        except AddonError as error:
            raise about_file(kind, path, error) from error
        except Unreadable as error:
            problem = AddonError(f"{error} Choose another file.", str(error.__cause__ or ""))
            raise about_file(kind, path, problem) from error
