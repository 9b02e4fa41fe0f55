"""The demo's entries in the shapes of Europeana's search items and of Finna's records.

Keys and types are those of answers of the two services. The API key that Europeana echoes in `guid` and
`link` is left as KEY, for whoever serves the items to fill in.
"""

import random
import urllib.parse

from pipelines.demo.catalogue import PLACES, Entry, Object, described, titled
from pipelines.demo.catalogue_words import LANGUAGES, subject_word

KEY = "{{KEY}}"
_DATASET = "9901_Demo_Northport_Pictures"
_PROVIDERS = (
    ("Altenwik State Library", "Germany", "de"),
    ("Museum of the Altenwik Region", "Germany", "de"),
    ("Lillehavn Maritime Collection", "Norway", "en"),
    ("Kivilahti Photo Archive", "Finland", "fi"),
    ("Sandmoor Historical Society", "Ireland", "en"),
)
_URIS = ("http://creativecommons.org/publicdomain/mark/1.0/", "http://creativecommons.org/licenses/by/4.0/",
         "http://creativecommons.org/licenses/by-sa/4.0/", "http://creativecommons.org/publicdomain/zero/1.0/",
         "http://creativecommons.org/publicdomain/mark/1.0/", "http://rightsstatements.org/vocab/InC/1.0/",
         "http://creativecommons.org/licenses/by-nc/4.0/")
_AUTHORS = ("Salo, Väinö", "Rautio, H.", "Kuvaliike Aalto", "Laine, Elsa", "Tuntematon")
_MONTHS = ("tammikuu", "helmikuu", "maaliskuu", "huhtikuu", "toukokuu", "kesäkuu", "heinäkuu", "elokuu",
           "syyskuu", "lokakuu", "marraskuu", "joulukuu")
_RIGHTS = (
    ("CC BY 4.0", "http://creativecommons.org/licenses/by/4.0/deed.fi"),
    ("CC BY 4.0", "http://creativecommons.org/licenses/by/4.0/deed.fi"),
    ("PDM 1.0", "http://creativecommons.org/publicdomain/mark/1.0/deed.fi"),
    ("CC BY-NC-ND 4.0", "http://creativecommons.org/licenses/by-nc-nd/4.0/deed.fi"),
)
_EPOCH_MS = 1_640_000_000_000


def europeana_item(entry: Entry) -> Object:
    """The entry as an item of a Europeana search answer, profile `rich`."""
    rng = random.Random(f"text/{entry.name}")
    provider, country, language = rng.choice(_PROVIDERS)
    item_id = f"/9901/object_{entry.number:05d}"
    spoken = rng.choice((language, "en", "en"))
    titles = {spoken: [titled(entry, spoken, rng)]}
    if rng.random() < 0.25:
        titles |= {other: [titled(entry, other, rng)] for other in LANGUAGES if other not in titles}
    item = _identity(item_id, rng) | {
        "country": [country], "dataProvider": [provider], "provider": ["Northport Aggregator"],
        "language": [language],
        "edmDatasetName": [_DATASET], "europeanaCollectionName": [_DATASET], "rights": [rng.choice(_URIS)],
        "title": [text for texts in titles.values() for text in texts], "dcTitleLangAware": titles,
        "edmIsShownAt": [f"http://europeana.glamlake.invalid/objects/{entry.number}"],
    }
    return dict(sorted((item | _concepts(entry) | _optional(entry, rng) | _pictures(entry)).items()))


def _identity(item_id: str, rng: random.Random) -> Object:
    changed = _EPOCH_MS + rng.randrange(10**9) * 10
    tracking = "utm_source=api&utm_medium=api&utm_campaign="
    return {
        "id": item_id, "type": "IMAGE", "index": 0, "score": 1.0, "completeness": rng.randint(4, 10),
        "europeanaCompleteness": rng.randint(4, 10), "previewNoDistribute": False, "ugc": [False],
        "guid": f"https://www.europeana.eu/item{item_id}?{tracking}{KEY}", "link": f"https://api.europeana.eu/record{item_id}.json?wskey={KEY}",
        "timestamp": changed,
        "timestamp_created": "2019-05-06T07:08:09.000Z", "timestamp_created_epoch": 1557126489000,
        "timestamp_update": "2021-10-11T12:13:14.000Z", "timestamp_update_epoch": 1633954394000,
    }


def _concepts(entry: Entry) -> Object:
    words = {language: subject_word(entry.scene, language).capitalize() for language in ("de", "en", "fi")}
    slug = entry.scene.subject.replace(" ", "_")
    return {
        "edmConcept": [f"http://europeana.glamlake.invalid/concept/{slug}",
                       "http://europeana.glamlake.invalid/concept/photograph"],
        "edmConceptLabel": [{"def": word}
                            for word in (*words.values(), "Fotografie", "Photograph", "Valokuva")],
        "edmConceptPrefLabelLangAware": {
            "de": [words["de"], "Fotografie"],
            "en": [words["en"], "Photograph"],
            "fi": [words["fi"], "Valokuva"],
        },
    }


def _optional(entry: Entry, rng: random.Random) -> Object:
    found: Object = {}
    if rng.random() < 0.8:
        text = described(entry, rng)
        found |= {"dcDescription": [text], "dcDescriptionLangAware": {"en": [text]}}
    if rng.random() < 0.4:
        maker = rng.choice(("Weber, Klara (Fotografin)", "Holm, E.", "#agent_Brandt"))
        found |= {"dcCreator": [maker], "dcCreatorLangAware": {"def": [maker]}}
    if rng.random() < 0.35:
        year = rng.randint(1898, 1950)
        found["year"] = [str(year)] if rng.random() < 0.8 else [str(year + 6), str(year)]
    return found


def _pictures(entry: Entry) -> Object:
    if entry.picture is None:
        return {}
    quoted = urllib.parse.quote(entry.picture, safe="")
    return {"edmIsShownBy": [entry.picture],
            "edmPreview": [f"https://api.europeana.eu/thumbnail/v2/url.json?uri={quoted}&type=IMAGE"]}


def finna_record(entry: Entry) -> Object:
    """The entry as a record of a Finna search answer, with `year` asked for; texts are Finnish."""
    rng = random.Random(f"text/{entry.name}")
    year = rng.randint(1918, 1962)
    record: Object = {
        "buildings": [{"translated": "Pohjoissataman kuva-arkisto", "value": "0/SA-kuva/"},
                      {"translated": "Vanhat vedokset", "value": "1/SA-kuva/Vanhat vedokset/"}],
        "formats": [{"translated": "Kuva", "value": "0/Image/"},
                    {"translated": "Valokuva", "value": "1/Image/Photo/"}],
        "id": finna_id(entry.number), "languages": [],
        "images": [] if entry.picture is None else [entry.picture],
        "nonPresenterAuthors": [{"name": rng.choice(_AUTHORS),
                                 "role": "kuvaaja"}] if rng.random() < 0.7 else [],
        "onlineUrls": [], "presenters": [], "rating": {"average": 0, "count": 0}, "series": [],
        "subjects": _finna_subjects(entry, year, rng), "title": titled(entry, "fi", rng),
    }
    if entry.picture is not None:
        label, link = rng.choice(_RIGHTS)
        record["imageRights"] = {"copyright": label, "link": link,
                                 "description": ["Mainitse kuvaaja ja arkisto kuvan yhteydessä."]}
    if rng.random() < 0.75:
        record["year"] = str(year)
    return dict(sorted(record.items()))


def finna_id(number: int) -> str:
    """A record's identifier."""
    return f"sa-kuva.sa-kuva-{90000 + number}"


def _finna_subjects(entry: Entry, year: int, rng: random.Random) -> list[list[str]]:
    place, month, day = rng.choice(PLACES), rng.randint(1, 12), rng.randint(1, 28)
    dates = (f"valmistusaika: {day:02d}.{month:02d}.{year}",
             f"valmistusaika: {year}, valmistusaika {_MONTHS[month - 1]}", f"valmistusaika: {year}",
             f"valmistusaika {year // 10 * 10} luku", f"valmistusaika todennäköisesti {year}", None)
    date = rng.choice(dates)
    subjects = [[subject_word(entry.scene, "fi")], [f"Suomi, {place}; {place}"]]
    return subjects if date is None else [*subjects, [date]]
