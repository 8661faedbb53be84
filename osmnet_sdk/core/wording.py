"""How messages quote what they are about; standard library only, the extension has a copy.

What is quoted may come from a file of any origin: it can be endless, or hold what a terminal takes
for a command.
"""

from __future__ import annotations

import unicodedata

LONGEST_MESSAGE = 500
"""Characters of a message at most."""

_JOINERS = "\u200c\u200d"
"""Letters that cannot be seen, but belong to the words of some languages."""


def visible(text: object) -> str:
    r"""A text whose every letter is seen: what would steer a terminal stands there as an escape.

    Example:
        >>> visible("a\nb\x1b[2J")
        'a\\nb\\x1b[2J'
    """
    return "".join(
        letter
        if letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"
        else ascii(letter)[1:-1]
        for letter in str(text)
    )


def one_line(text: object, longest: int = LONGEST_MESSAGE) -> str:
    r"""A text as one line of visible letters; of one that is too long the middle is left out.

    Args:
        text: anything that has a text.
        longest: characters of the result at most.

    Example:
        >>> one_line("a\nb\x1b[2J")
        'a b\\x1b[2J'
    """
    whole = str(text)
    if len(whole) > 4 * longest:  # no need to look at each letter of a text of megabytes
        whole = f"{whole[: 2 * longest]}…{whole[-2 * longest :]}"
    seen = visible(" ".join(whole.split()))
    if len(seen) <= longest:
        return seen
    end = longest // 3
    return f"{seen[: longest - end - 1]}…{seen[len(seen) - end :]}"


def quoted(value: object, longest: int = 60) -> str:
    """A value of a file or a user in quotes, for the middle of a sentence: as `one_line`."""
    return f"'{one_line(value, longest)}'"
