"""What the demo's three catalogues say of a picture, as untidily as real ones.

`Entry` is one picture in one archive; `demo_object` here, and `europeana_item` and `finna_record` in
`catalogue_shapes`, give it the shape of its archive. Everything random comes from the entry's own name.
"""

import random
from dataclasses import dataclass

from pipelines.demo.catalogue_words import kind_word, subject_word, what, when
from pipelines.demo.scenes_model import Scene

Object = dict[str, object]
PLACES = ("Northport", "Ravensuo", "Kivilahti", "Altenwik", "Sandmoor", "Lillehavn", "Osterfeld",
          "Hanko Point", "Birkenau am See", "Tornskär")
_HOLDERS = ("Northport City Museum", "Northport City Museum", "Kivilahti Photo Archive",
            "Museum of the Altenwik Region", "Sandmoor Historical Society")
_MAKERS = ("Lindqvist, Aino", "Holm, E.", "Atelier Brandt", "Salo, Väinö", "unknown", "Nyström & Sons",
           "Weber, Klara", "Staff photographer")
_OPEN = ("https://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/publicdomain/mark/1.0/",
         "CC BY 4.0", "CC0",
         "https://creativecommons.org/publicdomain/zero/1.0/deed.en", "https://creativecommons.org/licenses/by-sa/4.0/")
_CLOSED = ("© Northport", "CC BY-NC 4.0", "http://rightsstatements.org/vocab/InC/1.0/", None)
_LEADS = ("Photograph showing {}", "View of {}", "The picture shows {}", "{}", "{}, seen from some way off",
          "Print from an album: {}", "Glass negative, {}")
_ASIDES = ("Found in the estate of a photographer.", "Retouched by hand.",
           "On the back: &quot;for Aunt Ida&quot;.", "Condition: <b>good</b>.",
           "Copy &amp; original kept together.", "", "", "", "")
_UNSAID = ("Box 12, item 4", "No title", "Unidentified view &#8211; help wanted", "Duplicate, see overleaf",
           "[illegible]")


@dataclass(frozen=True)
class Entry:
    """One picture in one archive: what it shows, where it is served, and how it is catalogued."""

    name: str            # unique over all archives; everything random in the texts comes from it
    number: int          # counted from 1 in its archive
    scene: Scene
    picture: str | None  # address as the archive gives it; None where there is a text but no picture
    silent: bool = False  # the texts do not say what is shown, so no search finds it


def demo_object(entry: Entry) -> Object:
    """The entry as an object of the demo archive's API; fields nobody filled in are absent."""
    rng = random.Random(f"text/{entry.name}")
    number = f"NP-{entry.number:04d}"
    made: Object = {
        "id": number,
        "title": _title(entry, rng),
        "note": _note(entry, rng),
        "made": odd_date(rng),
        "keywords": _keywords(entry, rng),
        "makers": [rng.choice(_MAKERS)] if rng.random() < 0.6 else None,
        "holder": rng.choice(_HOLDERS),
        "country": rng.choice(("Finland", "Finland", "Germany", None)),
        "licence": _licence(rng),
        "picture": entry.picture,
        "page": f"/objects/{number}",
    }
    bare = {key: value for key, value in made.items() if value is not None}
    if "note" not in bare and rng.random() < 0.3:
        bare["note"] = None
    return bare


def english(entry: Entry, rng: random.Random) -> str:
    """A title in English."""
    text = f"{what(entry.scene, 'en')} {when(entry.scene, 'en', rng.randrange(6))}".strip()
    return _dressed(text, rng)


def titled(entry: Entry, language: str, rng: random.Random) -> str:
    """A title in Finnish or German (or English)."""
    if language == "en":
        return english(entry, rng)
    return _dressed(f"{what(entry.scene, language)} {when(entry.scene, language, rng.randrange(4))}".strip(),
                    rng)


def described(entry: Entry, rng: random.Random) -> str:
    """A sentence or two in English about what is shown, without markup."""
    shown = f"{what(entry.scene, 'en')} {when(entry.scene, 'en', rng.randrange(6))}".strip()
    sentence = rng.choice(_LEADS).format(shown)
    return sentence[0].upper() + sentence[1:] + "."


def _dressed(text: str, rng: random.Random) -> str:
    text = text[0].upper() + text[1:]
    place = rng.choice(PLACES)
    return rng.choice((text, text, f"{text}, {place}", f"{place}: {text[0].lower() + text[1:]}", f"[{text}]",
                       f"{text} &#8211; {place}"))


def _title(entry: Entry, rng: random.Random) -> object:
    if entry.silent:
        return rng.choice(_UNSAID)
    choice = rng.random()
    if choice < 0.52:
        return english(entry, rng)
    if choice < 0.58:
        return None
    languages = next(these for share, these in _TITLE_LANGUAGES if choice < share)
    return {language: titled(entry, language, rng) for language in languages}


_TITLE_LANGUAGES = ((0.74, ("en", "fi")), (0.86, ("en", "de")), (0.93, ("en", "fi", "de")), (0.965, ("de",)),
                    (1.0, ("fi",)))


def _note(entry: Entry, rng: random.Random) -> str | None:
    if entry.silent or rng.random() < 0.2:
        return None
    text = described(entry, rng)
    if rng.random() < 0.35:
        text = f"<p>{text}</p>"
    if rng.random() < 0.15:
        text += f"<br/>Foto: {titled(entry, 'de', rng)}"
    return f"{text} {rng.choice(_ASIDES)}".strip()


def _keywords(entry: Entry, rng: random.Random) -> object:
    if entry.silent:
        return None
    words = [subject_word(entry.scene, "en"), kind_word(entry.scene)]
    if rng.random() < 0.35:
        words.append(subject_word(entry.scene, "fi"))
    if entry.scene.light.weather == "snow" and entry.scene.subject not in ("map", "portrait"):
        words.append("winter")
    if entry.scene.light.dark:
        words.append("night")
    words = list(dict.fromkeys(words))
    return words if rng.random() < 0.6 else "; ".join(words)


def _licence(rng: random.Random) -> str | None:
    return rng.choice(_OPEN) if rng.random() < 0.86 else rng.choice(_CLOSED)


def odd_date(rng: random.Random) -> str | None:
    """A date as cataloguers write it, or None."""
    year, month, day = rng.randint(1898, 1962), rng.randint(1, 12), rng.randint(1, 28)
    decade, later = year // 10 * 10, year + rng.randint(1, 6)
    return rng.choice((
        f"ca. {year}", f"{year}", f"{year}", f"{year}/{later % 100:02d}", f"[{year // 10}-?]",
        f"{decade}-luku",
        f"{day:02d}.{month:02d}.{year}", f"{year}-{month:02d}", f"{year}-{month:02d}-{day:02d}", "undated",
        f"{decade}s", f"um {year}", f"between {year} and {year + 4}", f"{year}?", None, None,
    ))
