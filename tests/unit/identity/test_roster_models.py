"""The shapes of the roster are made without a search for words that nobody wrote, and say what they said before."""

from scim2_models import PatchOp, SearchRequest

from services.identity.roster.models import RosterGroup, RosterUser

SHAPES = (
    (RosterUser, PatchOp[RosterUser], SearchRequest[RosterUser]),
    (RosterGroup, PatchOp[RosterGroup], SearchRequest[RosterGroup]),
)


def test_no_source_is_searched_for_what_fields_mean():
    searching = [shape for row in SHAPES for shape in row if shape.model_config["use_attribute_docstrings"]]

    assert searching == []


def test_what_the_package_says_of_a_field_is_still_there():
    for resource, patch, search in SHAPES:
        assert resource.model_fields["external_id"].description
        assert patch.model_fields["operations"].description
        assert search.model_fields["filter"].description
