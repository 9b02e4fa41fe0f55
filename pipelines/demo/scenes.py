"""From a scene to its plate: the subjects that can be drawn, and the scenes chosen for each."""

import random
from collections.abc import Iterator

from PIL import Image

from pipelines.demo import (
    scenes_buildings,
    scenes_land,
    scenes_map,
    scenes_people,
    scenes_transport,
    scenes_wheels,
)
from pipelines.demo.scenes_model import Scene, Subject
from pipelines.demo.scenes_plate import Light, Plate

_MODULES = (scenes_transport, scenes_wheels, scenes_buildings, scenes_land, scenes_people, scenes_map)
SUBJECTS: dict[str, Subject] = {subject.name: subject for module in _MODULES for subject in module.SUBJECTS}
_WIDE = ((640, 480), (600, 400), (560, 420), (640, 400), (512, 512), (480, 360), (620, 460))
_HIGH = ((400, 600), (420, 560), (480, 640), (360, 480), (400, 520))


def draw(scene: Scene) -> Image.Image:
    """The grey plate of a scene, OVERSAMPLING times its size; the same for the same scene."""
    plate = Plate(scene.size, scene.light, random.Random(f"plate/{scene.name}"))
    SUBJECTS[scene.subject].draw(plate, scene)
    plate.weather()
    return plate.image


def choose_scenes(subject: str, count: int, seed: int) -> Iterator[Scene]:
    """`count` scenes of a subject: kinds in turn, everything else by lot."""
    about, rng = SUBJECTS[subject], random.Random(f"scenes/{seed}/{subject}")
    for i in range(count):
        time, weather = rng.choice(about.times), rng.choice(about.weathers)
        if time != "day" and weather in ("rain", "fog"):  # nothing would be seen
            weather = "clear"
        yield Scene(
            name=f"{seed}/{subject}/{i}",
            subject=subject,
            kind=about.kinds[i % len(about.kinds)],
            number=rng.choice(about.numbers),
            setting=rng.choice(about.settings),
            light=Light(time, weather),
            facing=rng.choice((-1, 1)),
            size=rng.choice(_HIGH if rng.random() < about.upright else _WIDE),
        )
