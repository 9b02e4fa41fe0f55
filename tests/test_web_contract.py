"""What the page's OpenAPI says against what is answered to requests made from it, good and bad."""

import contextlib
import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from lake.projection import make_map
from tests.colour_gallery import ColourEncoder, open_gallery
from web.app import create_app


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> OpenApiSchema:
    lake = open_gallery(tmp_path_factory.mktemp("gallery"))
    make_map(lake)
    app = create_app(lake, ColourEncoder())
    return schemathesis.openapi.from_asgi("/api/openapi.json", app)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_makes_the_server_fail(described: OpenApiSchema, mode: GenerationMode) -> None:
    asked = 0
    for found in described.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=7, deadline=None, derandomize=True, database=None,
                  suppress_health_check=list(HealthCheck))
        def ask(case: Case) -> None:
            nonlocal asked
            asked += 1
            require_sound(case)

        with contextlib.suppress(Unsatisfiable):    # what takes nothing cannot be asked wrongly
            ask()
    assert asked > 30


def require_sound(case: Case) -> None:
    """The answer is what the description says, and a refusal is a problem that says what is wrong."""
    answer = case.call()
    case.validate_response(answer, checks=[not_a_server_error, content_type_conformance])
    if answer.status_code >= 400:
        problem = json.loads(answer.content)
        assert problem["status"] == answer.status_code
        assert problem["detail"]


def test_every_parameter_of_the_page_is_described(described: OpenApiSchema) -> None:
    paths = described.raw_schema["paths"]
    named = {parameter["name"] for parameter in paths["/api/search"]["get"]["parameters"]}
    assert {"q", "not", "like", "picture", "weight", "hybrid", "from", "to", "archive", "label", "provider",
            "rights", "split", "page"} == named
    assert {"/api/samples/{sample_id}", "/api/facets", "/api/map", "/api/health", "/api/version",
            "/api/search.csv", "/iiif/samples/{sample_id}/manifest.json"} <= set(paths)
