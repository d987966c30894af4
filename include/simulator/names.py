"""Made-up names of people, schools and classes. No list here was taken from real people."""

from __future__ import annotations

GIVEN = (
    "Abelia", "Adrik", "Alva", "Amias", "Anouk", "Ariso", "Beatrix", "Benno", "Brisa", "Calder", "Camilo", "Cerys",
    "Corin", "Dalia", "Darian", "Delphine", "Edda", "Elowen", "Emeric", "Eszter", "Fabian", "Fenna", "Florian",
    "Galen", "Gemma", "Greer", "Hanno", "Hester", "Idris", "Ilaria", "Imke", "Isolde", "Ivo", "Jasna", "Jorin",
    "Juno", "Kaito", "Kasimir", "Keira", "Lark", "Leona", "Linus", "Maelys", "Marek", "Mirela", "Nadia", "Nevin",
    "Noor", "Odalys", "Orrin", "Ottilie", "Pavel", "Perla", "Quill", "Ramona", "Renzo", "Rosalind", "Rufus",
    "Sabela", "Silas", "Sorrel", "Tamsin", "Tarek", "Thora", "Ulric", "Una", "Valeska", "Viggo", "Wanda", "Wilder",
    "Xanthe", "Yara", "Yorick", "Zelda", "Zoltan", "Zoë", "Łukasz", "José", "Anaïs", "Søren", "Núria", "Ayşe",
    "D'Andre", "Mary-Kate", "Björn", "Chloé", "Małgorzata", "Nguyên", "Ngaio", "美咲", "Дарья", "Þóra",
)  # fmt: skip
"""Given names, common and rare, some beyond ASCII."""

_HEADS = (
    "Alder", "Amber", "Ash", "Barrow", "Beck", "Birch", "Black", "Brae", "Briar", "Brook", "Carr", "Clay", "Cold",
    "Crest", "Dale", "Dun", "Elm", "Fair", "Fallow", "Fen", "Fern", "Flint", "Fox", "Glen", "Gorse", "Gray", "Hale",
    "Harrow", "Haw", "Hazel", "Heath", "Holm", "Kell", "Lang", "Larch", "Ling", "Marl", "Mead", "Mere", "Moss",
    "North", "Oak", "Orme", "Pell", "Pine", "Quarr", "Raven", "Reed", "Rook", "Rowan", "Sand", "Sedge", "Shaw",
    "Slate", "Stan", "Thorn", "Vale", "Wharf", "Whit", "Yar",
)  # fmt: skip
_TAILS = (
    "acre", "bank", "beck", "borne", "bridge", "brook", "by", "cliff", "combe", "cote", "croft", "dale", "den",
    "don", "field", "ford", "gate", "grove", "ham", "hurst", "lake", "land", "leigh", "ley", "low", "man", "mere",
    "moor", "more", "ridge", "rook", "sley", "son", "stead", "stone", "stow", "thorpe", "ton", "ward", "wick",
)  # fmt: skip
RARE_FAMILY = (
    "O'Fallowby", "D'Armorel", "Núñez-Vantra", "Kowalczykówna", "Brøndsvik", "Šarkovič", "Nguyễn-Thorpe", "Müllerhag",
    "de la Quintera", "van der Elsten", "Öztürkel", "L'Écuyerre", "MacAskerly", "Al-Rashidani", "山本川", "Þorsdóttir",
)  # fmt: skip
"""Family names that break careless code: apostrophes, spaces, hyphens, other scripts."""

_PLACES = (
    "Alderwick", "Beacon Hill", "Cedar Run", "Dovecote", "Eastmere", "Foxglove", "Granite Falls", "Harrowgate",
    "Ironbridge", "Juniper", "Kestrel", "Lakeshore", "Millrace", "Northfold", "Orchard Park", "Pinecrest",
    "Quarry Lane", "Riverbend", "Saint Brannoc's", "Thistledown", "Upland", "Valley View", "Westhaven", "Yarrow",
)  # fmt: skip


def given_name(bits: int) -> str:
    """A given name."""
    return GIVEN[bits % len(GIVEN)]


def family_name(bits: int) -> str:
    """A family name: one of some 2,400, or in one case of 24 a rare one."""
    bits >>= 16
    if bits % 24 == 5:
        return RARE_FAMILY[(bits >> 8) % len(RARE_FAMILY)]
    bits >>= 8
    return _HEADS[bits % len(_HEADS)] + _TAILS[(bits // len(_HEADS)) % len(_TAILS)]


def middle_name(bits: int) -> str:
    """A middle name, a letter, or (often) none."""
    bits >>= 40
    kind = bits % 4
    if kind == 0:
        return GIVEN[(bits >> 4) % len(GIVEN)]
    return "ABCDEFGHJKLMNPRST"[(bits >> 4) % 17] if kind == 1 else ""


def school_name(index: int, level: str) -> str:
    """A school's name, unique within a district."""
    place = _PLACES[index % len(_PLACES)]
    round_ = index // len(_PLACES)
    return f"{place} {level}" if round_ == 0 else f"{place} {level} No. {round_ + 1}"


def ascii_slug(name: str) -> str:
    """What is left of a name in an email address."""
    slug = "".join(char for char in name.lower() if "a" <= char <= "z")
    return slug or "user"
