"""The words of the demo's catalogues, in English, Finnish and German."""

from pipelines.demo.scenes_model import Scene

LANGUAGES = ("en", "fi", "de")
SUBJECT_WORDS = {
    "ship": ("ship", "laiva", "Schiff"),
    "aeroplane": ("aeroplane", "lentokone", "Flugzeug"),
    "train": ("train", "juna", "Eisenbahnzug"),
    "car": ("car", "auto", "Kraftwagen"),
    "house": ("house", "talo", "Wohnhaus"),
    "church": ("church", "kirkko", "Kirche"),
    "factory": ("factory", "tehdas", "Fabrik"),
    "bridge": ("bridge", "silta", "Brücke"),
    "forest": ("forest", "metsä", "Wald"),
    "mountain": ("mountain", "vuori", "Berg"),
    "tent camp": ("tent camp", "telttaleiri", "Zeltlager"),
    "portrait": ("portrait", "muotokuva", "Bildnis"),
    "street": ("street", "katu", "Straße"),
    "map": ("map", "kartta", "Landkarte"),
}
_ONE = {  # a kind of thing in English, Finnish, German
    "steamship": ("a steamship", "höyrylaiva", "ein Dampfschiff"),
    "sailing ship": ("a sailing ship", "purjelaiva", "ein Segelschiff"),
    "warship": ("a warship", "sotalaiva", "ein Kriegsschiff"),
    "fishing boat": ("a fishing boat", "kalastusalus", "ein Fischerboot"),
    "biplane": ("a biplane", "kaksitaso", "ein Doppeldecker"),
    "monoplane": ("a monoplane", "yksitaso", "ein Eindecker"),
    "bomber": ("a twin-engined bomber", "pommikone", "ein Bomber"),
    "seaplane": ("a seaplane", "vesitaso", "ein Wasserflugzeug"),
    "steam train": ("a steam train", "höyryjuna", "ein Dampfzug"),
    "goods train": ("a goods train", "tavarajuna", "ein Güterzug"),
    "electric train": ("an electric train", "sähköjuna", "ein elektrischer Zug"),
    "motor train": ("a motor train", "moottorijuna", "ein Triebzug"),
    "open car": ("an open car", "avoauto", "ein offener Wagen"),
    "saloon car": ("a saloon car", "umpiauto", "eine Limousine"),
    "lorry": ("a lorry", "kuorma-auto", "ein Lastwagen"),
    "bus": ("a bus", "linja-auto", "ein Omnibus"),
    "log cabin": ("a log cabin", "hirsimökki", "ein Blockhaus"),
    "villa": ("a villa", "huvila", "eine Villa"),
    "farmhouse": ("a farmhouse", "maalaistalo", "ein Bauernhaus"),
    "apartment house": ("an apartment house", "kerrostalo", "ein Mietshaus"),
    "stone church": ("a stone church", "kivikirkko", "eine steinerne Kirche"),
    "wooden church": ("a wooden church", "puukirkko", "eine Holzkirche"),
    "domed church": ("a domed church", "kupolikirkko", "eine Kuppelkirche"),
    "factory with saw-tooth roofs": (
        "a factory with saw-tooth roofs", "sahakattoinen tehdas", "Fabrik mit Sheddach"),
    "brick factory": ("a brick factory", "tiilitehdas", "eine Fabrik aus Backstein"),
    "sawmill": ("a sawmill", "sahalaitos", "ein Sägewerk"),
    "stone bridge": ("a stone bridge", "kivisilta", "eine Steinbrücke"),
    "steel bridge": ("a steel bridge", "terässilta", "eine Stahlbrücke"),
    "suspension bridge": ("a suspension bridge", "riippusilta", "eine Hängebrücke"),
    "railway bridge": ("a railway bridge", "rautatiesilta", "eine Eisenbahnbrücke"),
    "spruce forest": ("a spruce forest", "kuusimetsä", "ein Fichtenwald"),
    "pine forest": ("a pine forest", "mäntymetsä", "ein Kiefernwald"),
    "birch forest": ("a birch forest", "koivumetsä", "ein Birkenwald"),
    "snow-capped mountain": ("a snow-capped mountain", "lumihuippuinen vuori", "ein verschneiter Berg"),
    "rocky mountain": ("a rocky mountain", "kallioinen vuori", "ein felsiger Berg"),
    "bare mountain": ("a bare mountain", "paljas vuori", "ein kahler Berg"),
    "bell tents": ("a bell tent", "kellotelttoja leirissä", "ein Rundzelt"),
    "ridge tents": ("a ridge tent", "harjatelttoja leirissä", "ein Firstzelt"),
    "army tents": ("an army tent", "joukkuetelttoja leirissä", "ein Mannschaftszelt"),
    "man": ("a man", "mies", "ein Mann"),
    "woman": ("a woman", "nainen", "eine Frau"),
    "soldier": ("a soldier", "sotilas", "ein Soldat"),
    "child": ("a girl", "tyttö", "ein Mädchen"),
    "street with a tram": ("a street with a tram", "katu ja raitiovaunu", "eine Straße mit Straßenbahn"),
    "market street": ("a market in the street", "torikauppaa kadulla", "Markt auf der Straße"),
    "parade in the street": ("a parade in the street", "paraati kadulla", "eine Parade auf der Straße"),
    "quiet street": ("a quiet street", "hiljainen katu", "eine stille Straße"),
    "map of a coast": ("a map of a coast", "rannikon kartta", "Karte einer Küste"),
    "map of islands": ("a map of islands", "saariston kartta", "Karte von Inseln"),
    "map of a river": ("a map of a river", "joen kartta", "Karte eines Flusses"),
    "map of a town": ("a map of a town", "kaupungin kartta", "Plan einer Stadt"),
}
_SEVERAL = {  # the same after a number
    "steamship": ("steamships", "höyrylaivaa", "Dampfschiffe"),
    "sailing ship": ("sailing ships", "purjelaivaa", "Segelschiffe"),
    "warship": ("warships", "sotalaivaa", "Kriegsschiffe"),
    "fishing boat": ("fishing boats", "kalastusalusta", "Fischerboote"),
    "biplane": ("biplanes", "kaksitasoa", "Doppeldecker"),
    "monoplane": ("monoplanes", "yksitasoa", "Eindecker"),
    "bomber": ("twin-engined bombers", "pommikonetta", "Bomber"),
    "seaplane": ("seaplanes", "vesitasoa", "Wasserflugzeuge"),
    "open car": ("open cars", "avoautoa", "offene Wagen"),
    "saloon car": ("saloon cars", "umpiautoa", "Limousinen"),
    "lorry": ("lorries", "kuorma-autoa", "Lastwagen"),
    "bus": ("buses", "linja-autoa", "Omnibusse"),
    "log cabin": ("log cabins", "hirsimökkiä", "Blockhäuser"),
    "villa": ("villas", "huvilaa", "Villen"),
    "farmhouse": ("farmhouses", "maalaistaloa", "Bauernhäuser"),
    "apartment house": ("apartment houses", "kerrostaloa", "Mietshäuser"),
    "snow-capped mountain": ("snow-capped mountains", "lumihuippuista vuorta", "verschneite Berge"),
    "rocky mountain": ("rocky mountains", "kallioista vuorta", "felsige Berge"),
    "bare mountain": ("bare mountains", "paljasta vuorta", "kahle Berge"),
    "man": ("people", "henkilöä", "Personen"),
    "woman": ("people", "henkilöä", "Personen"),
    "soldier": ("soldiers", "sotilasta", "Soldaten"),
    "child": ("girls", "tyttöä", "Mädchen"),
}
_SETTINGS = {  # what a scene calls its setting, in the three languages
    "at sea": ("at sea", "merellä", "auf See"),
    "in harbour": ("in harbour", "satamassa", "im Hafen"),
    "in flight": ("in flight", "ilmassa", "im Flug"),
    "on the airfield": ("on the airfield", "lentokentällä", "auf dem Flugplatz"),
    "in the countryside": ("in the countryside", "maaseudulla", "auf dem Lande"),
    "at the station": ("at the station", "asemalla", "am Bahnhof"),
    "on a country road": ("on a country road", "maantiellä", "auf der Landstraße"),
    "in town": ("in town", "kaupungissa", "in der Stadt"),
    "in its yard": ("in its yard", "pihapiirissä", "mit Hof"),
    "by the lake": ("by the lake", "järven rannalla", "am See"),
    "at the edge of the forest": ("at the edge of the wood", "kuusikon reunassa", "am Waldrand"),
    "in the village": ("in the village", "kylässä", "im Dorf"),
    "on a hill": ("on a hill", "mäellä", "auf einem Hügel"),
    "with its churchyard": ("with graves around it", "hautausmaineen", "mit Friedhof"),
    "in the yard": ("in the yard", "pihalla", "mit Werkhof"),
    "by the river": ("by the river", "joen varrella", "am Fluss"),
    "over the river": ("over the river", "joen yli", "über den Fluss"),
    "with street lamps": ("with its lamps", "lyhtyineen", "mit Laternen"),
    "with a path": ("with a path", "ja polku", "mit einem Pfad"),
    "by a pond": ("by a pond", "lammella", "am Teich"),
    "with felled logs": ("with felled logs", "ja kaadettuja tukkeja", "mit gefällten Stämmen"),
    "above a lake": ("above a lake", "järven yllä", "über einem See"),
    "above a forest": ("above a wood", "kuusikon yllä", "über dem Tannengrün"),
    "with hikers": ("with hikers", "ja retkeilijöitä", "mit Wanderern"),
    "on a meadow": ("on a meadow", "niityllä", "auf einer Wiese"),
    "among the trees": ("among the trees", "puiden keskellä", "zwischen Bäumen"),
    "in the studio": ("in the studio", "ateljeessa", "im Atelier"),
    "in a room": ("in a room", "huoneessa", "im Zimmer"),
    "in the garden": ("in the garden", "puutarhassa", "im Garten"),
    "with roads": ("with roads", "ja tiet", "mit Wegen"),
    "with railway lines": ("with railway lines", "ja rautatiet", "mit Bahnlinien"),
    "with troop positions": ("with troop positions", "ja joukkojen asemat", "mit Truppenstellungen"),
}
_TIMES = {"night": (("at night", "by night"), ("yöllä",), ("bei Nacht",)),
          "evening": (("in the evening", "at dusk"), ("illalla",), ("am Abend",))}
_WEATHER = {
    "snow": (("in snow", "in falling snow", "in winter"), ("lumisateessa", "talvella"),
             ("im Schnee", "im Winter")),
    "rain": (("in the rain", "on a rainy day"), ("sateessa",), ("im Regen",)),
    "fog": (("in fog", "in the mist"), ("sumussa",), ("im Nebel",)),
    "cloudy": (("under a cloudy sky", "under clouds", ""), ("pilvisellä säällä", ""), ("unter Wolken", "")),
    "clear": (("", "under a clear sky"), ("",), ("",)),
}
_NUMBERS = {2: ("two", "kaksi", "zwei"), 3: ("three", "kolme", "drei")}
_COUNTED = ("ship", "aeroplane", "car", "house", "mountain")


def subject_word(scene: Scene, language: str) -> str:
    """The class of a scene in one language, as a catalogue's subject heading."""
    return SUBJECT_WORDS[scene.subject][LANGUAGES.index(language)]


def kind_word(scene: Scene) -> str:
    """The kind of thing in English, without an article."""
    return _ONE[scene.kind][0].split(" ", 1)[1]


def what(scene: Scene, language: str) -> str:
    """What is in the picture: "two steamships at sea"."""
    at = LANGUAGES.index(language)
    thing = _thing(scene, at)
    return thing if scene.subject == "street" else f"{thing} {_SETTINGS[scene.setting][at]}"


def _thing(scene: Scene, at: int) -> str:
    one = _ONE[scene.kind]
    if scene.subject == "portrait":
        return _portrait(scene, at)
    if scene.subject == "tent camp":
        return _camp(scene, at, one[at])
    if scene.subject in _COUNTED and scene.number > 1:
        return _counted(scene, at)
    if scene.subject == "train":
        coaches = ("one coach", "two coaches", "three coaches")[scene.number - 1]
        return f"{one[at]} with {coaches}" if at == 0 and scene.kind != "goods train" else one[at]
    if scene.subject == "factory":
        chimneys = (("one chimney", "two chimneys", "three chimneys"), ("", "", ""),
                    ("", "", ""))[at][scene.number - 1]
        return f"{one[at]} and {chimneys}" if chimneys else one[at]
    return one[at]


def _counted(scene: Scene, at: int) -> str:
    return f"{_NUMBERS[scene.number][at]} {_SEVERAL[scene.kind][at]}"


def _portrait(scene: Scene, at: int) -> str:
    sitters = _ONE[scene.kind][at] if scene.number == 1 else _counted(scene, at)
    return (f"portrait of {sitters}", f"muotokuva, {sitters}", f"Bildnis, {sitters}")[at]


def _camp(scene: Scene, at: int, one: str) -> str:
    if at:
        return one if at == 1 else f"Zeltlager, {one}"
    return f"tent camp, {one}" if scene.number == 1 else f"tent camp with rows of {scene.kind}"


def when(scene: Scene, language: str, pick: int) -> str:
    """Time of day and weather in words, or ''; `pick` chooses among ways to say it."""
    at = LANGUAGES.index(language)
    if scene.subject in ("map", "portrait"):
        return ""
    times = _TIMES[scene.light.time][at] if scene.light.time in _TIMES else ("",)
    weathers = _WEATHER[scene.light.weather][at]
    parts = (times[pick % len(times)], weathers[pick // 2 % len(weathers)])
    return " ".join(part for part in parts if part)
