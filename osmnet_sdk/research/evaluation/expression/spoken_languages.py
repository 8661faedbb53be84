"""Five languages by a synthesiser, whose lips are measured by its own phone timings.

The lines and voices are not those of the training recipe.
"""

from __future__ import annotations

from osmnet_sdk.expression.phones import phone_classes
from osmnet_sdk.research.evaluation.expression.lips import LabelledPhone
from osmnet_sdk.research.trainers.expression.speech_synthesis import Utterance, Voice, speak

_VARIANTS = ("f5", "m5")

_LINES = {
    ("English", "en-us"): (
        "Pamela pinned a big map of Bombay above the lamp.",
        "My brother Bob hopes to climb the mountain before summer.",
        "Put the empty box by the door, and bring me a cup of peppermint tea.",
        "A warm breeze moved the boat past the bridge.",
    ),
    ("Mandarin", "cmn-latn-pinyin"): (
        "māma mǎi píngguǒ hé miànbāo.",
        "bàba míngtiān bù pǎobù, tā pà lěng.",
        "péngyǒumen bāngmáng bǎ mùbǎn bān dào ménbiān.",
        "báimǎ mànmàn pá shàng běibiān de shānpō.",
    ),
    ("French", "fr"): (
        "Papa prépare un bon repas pour mes amis.",
        "Le bébé boit beaucoup de lait le matin.",
        "Ma mère habite une petite maison près du pont.",
        "Il tombe des pommes dans le bac en bois.",
    ),
    ("Hindi", "hi"): (
        "मेरी माँ बाज़ार से पपीता और आम लाती है।",
        "बच्चा पानी पीता है और मामा किताब पढ़ते हैं।",
        "हम सब मिलकर बगीचे में काम करते हैं।",
        "भाई ने बड़ी मेज़ पर फूल रखे।",
    ),
    ("Arabic", "ar"): (
        "بابُ البيتِ كبيرٌ وجميل.",
        "أمي تحبُّ المطرَ والبحر.",
        "كتبَ المعلمُ مكتوبًا من المدينة.",
        "يلعبُ الأولادُ بالكرةِ أمامَ المكتبة.",
    ),
}


def languages() -> tuple[str, ...]:
    """Names of the languages."""
    return tuple(name for name, _ in _LINES)


def spoken(language: str) -> list[tuple[Utterance, list[LabelledPhone]]]:
    """One recording by each of two voices, with the times of the sounds that close the lips.

    Args:
        language: one of `languages`.

    Returns:
        Utterances, each with its phones; those that close the lips are "P", all others "".

    Raises:
        ModelError: if the synthesiser or its voice is not installed.
    """
    code, lines = next((code, lines) for (name, code), lines in _LINES.items() if name == language)
    result = []
    for variant in _VARIANTS:
        said = speak(" ".join(lines), Voice(engine="espeak-ng", name=f"{code}+{variant}"))
        phones = [
            LabelledPhone(
                "P" if "bilabial" in phone_classes(phone.symbol, said.alphabet) else "",
                phone.start,
                phone.end,
            )
            for phone in said.phones
        ]
        result.append((said, phones))
    return result
