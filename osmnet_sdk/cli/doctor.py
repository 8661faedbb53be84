"""osmnet doctor: what of an installation works, and how to mend what does not."""

from __future__ import annotations

from osmnet_sdk.cli.arguments import BundleName, Json
from osmnet_sdk.cli.console import plain_errors
from osmnet_sdk.cli.diagnosis import print_findings


def doctor(bundle: BundleName = "starter", as_json: Json = False) -> None:
    """Tell what of the installation works, and how to mend what does not.

    One line each for Python, packages, torch, FFmpeg, the bundle, free space and what Blender
    finds. The exit code is 1 if something does not work.
    """
    with plain_errors():
        raise SystemExit(print_findings(bundle, as_json))
