"""What the project's own texts say of each other: links, names of files, versions, dates."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

import osmnet_sdk

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "models/*/*.md", ".github/*.md")
    for path in ROOT.glob(pattern)
)
ARCHITECTURE_COLUMNS = 120


def text_of(page: Path) -> str:
    """A page without its code, in which brackets are no links."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def links_of(page: Path) -> list[str]:
    """Targets of links and pictures that are no address of the web."""
    found = re.findall(r"\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)?)\)", text_of(page))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors_of(page: Path) -> set[str]:
    """The names that headings of a page have as targets of links."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    anchors = set()
    for heading in re.findall(r"^#+ +(.*)$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchors.add(re.sub(r"[^\w\- ]", "", plain).strip().lower().replace(" ", "-"))
    return anchors


def broken_links(page: Path) -> list[str]:
    broken = []
    for link in links_of(page):
        place, _, anchor = unquote(link).partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page):
    assert broken_links(page) == []


def test_links_that_lead_nowhere_are_seen(tmp_path):
    page = tmp_path / "page.md"
    other = tmp_path / "other.md"
    other.write_text("# A `name`, and more\n", encoding="utf-8")
    page.write_text(
        "[a](other.md) [b](other.md#a-name-and-more) [c](other.md#less) ![d](no.jpg) `[e](f)`\n"
        "```\n# Not a heading\n[g](h)\n```\n[i](#not-a-heading) [j](https://example.org/k)\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["other.md#less", "no.jpg", "#not-a-heading"]


def site_pages(nav: list) -> list[str]:
    pages = []
    for entry in nav:
        for place in entry.values():
            pages += site_pages(place) if isinstance(place, list) else [place]
    return pages


def test_the_site_has_every_page_once():
    nav = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    pages = site_pages(nav)
    assert len(pages) == len(set(pages))
    assert {ROOT / page for page in pages} == {
        page for page in PAGES if page.parent.name not in (".github", "blender_addon")
    }


def test_lists_stand_apart():
    """Markdown of the site takes a list right below a line of text for more of that text."""
    joined = []
    for page in PAGES:
        lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).split(
            "\n"
        )
        for above, line in pairwise(lines):
            if re.match(r"(- |\d+\. )", line) and re.match(r"(?!- |\d+\. |#|  )\S", above):
                joined.append(f"{page.name}: {line}")
    assert joined == []


PLACES = re.compile(
    r"`((?:osmnet_sdk|blender_addon|tests|docs|models|examples)/[\w./-]+|\.github/[\w./-]+)`"
)


def test_named_places_exist():
    named = {
        (page.name, place)
        for page in PAGES
        if page.name != "CHANGELOG.md" and page.parent.name != "starter"
        for place in PLACES.findall(page.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert [pair for pair in sorted(named) if not (ROOT / pair[1]).exists()] == []


def test_architecture_fits_a_terminal():
    lines = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= ARCHITECTURE_COLUMNS


def test_package_and_extension_have_one_version():
    manifest = (ROOT / "blender_addon" / "blender_manifest.toml").read_text(encoding="utf-8")
    assert tomllib.loads(manifest)["version"] == osmnet_sdk.__version__


def test_the_changelog_is_dated_and_goes_back_in_time():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    unreleased = headings[:1] == ["Unreleased"]
    numbers, days = zip(*(heading.split(" – ") for heading in headings[unreleased:]), strict=True)
    days = [date.fromisoformat(day) for day in days]
    assert days == sorted(days, reverse=True)
    assert numbers[0] == osmnet_sdk.__version__
