"""Build the site of the manual: `make docs`, or python docs/site.py.

The pages are gathered in build/pages, placed to each other as they are in the project, so that one
link serves a reader of the repository and one of the site; then Zensical builds out/site, and fails
at a link that leads nowhere.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"
GATHERED = (
    "*.md", "LICENSE", "NOTICE", "blender_addon/LICENSE", "docs/*.md", "docs/images/*.jpg",
    "docs/images/*.png", "docs/images/*.svg", "examples/*", "models/recipes/*.md",
    "models/starter/*.md",
)  # fmt: skip


def gather() -> None:
    """Copy the pages, and what they show or lead to, into build/pages."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for pattern in GATHERED:
        for source in sorted(ROOT.glob(pattern)):
            if source.is_file():
                target = PAGES / source.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def main() -> int:
    """Gather and build; return Zensical's exit code."""
    gather()
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
