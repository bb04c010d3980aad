"""The SCIM resources that we serve: what we keep of a person and of a group, and no attribute beside it."""

from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, EmailStr, Field
from scim2_models import (
    URN,
    AnyExtension,
    CaseExact,
    ComplexAttribute,
    Extension,
    Mutability,
    PatchOp,
    PatchOperation,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Uniqueness,
)

# What a roster may give, each for an organisation; to give more takes a security administrator.
GRANTABLE: Final = ("clerk", "unit_head", "cadre")
PROTECTED: Final = frozenset({"approver", "auditor", "department_officer", "operations", "security_administrator"})
MOST_RESULTS: Final = 200
DOCUMENTATION: Final = "https://www.rfc-editor.org/rfc/rfc7644"

# Other systems send every attribute that they have. What we do not keep is passed over, as RFC 7643 has it for what a
# server does not know; and what the large ones send in their own spelling is understood.
POLICY: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)

# Each of these is made anew for what it is about, and pydantic then looks through every module there is for a source
# that says what its fields mean. None has one: the fields have brought their descriptions along. That is a sixth of the
# time in which the roster's door is imported.
_UNSAID: Final = ConfigDict(use_attribute_docstrings=False)
for _shape in (PatchOp, PatchOperation, SearchRequest):
    _shape.model_config.update(_UNSAID)


class Name(ComplexAttribute):
    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Email(ComplexAttribute):
    value: EmailStr | None = None
    type: str | None = Field(None, examples=["work", "home", "other"])
    primary: bool | None = None


class Membership(ComplexAttribute):
    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(  # type: ignore[type-arg] # a name, not a type
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None


class User(Resource[AnyExtension]):
    model_config = _UNSAID
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    title: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None
    groups: Annotated[list[Membership] | None, Mutability.read_only] = None

    Name: ClassVar[type[ComplexAttribute]] = Name
    Emails: ClassVar[type[ComplexAttribute]] = Email
    Groups: ClassVar[type[ComplexAttribute]] = Membership


class EnterpriseUser(Extension):
    """`employee_number` is the staff number: it links the account to the cadre of that number."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    employee_number: str | None = None
    organization: str | None = None
    department: str | None = None


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(  # type: ignore[type-arg] # same
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[AnyExtension]):
    model_config = _UNSAID
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None

    Members: ClassVar[type[ComplexAttribute]] = Member


class GrantingGroup(Extension):
    """What membership gives: a role in an organisation and all below it. Without both a group gives nothing."""

    __schema__ = URN("urn:lianxin:params:scim:schemas:extension:2.0:Group")

    role: str | None = Field(None, examples=list(GRANTABLE))
    organisation_code: Annotated[str | None, CaseExact.true] = None


RosterUser = User[EnterpriseUser]
RosterGroup = Group[GrantingGroup]


def describe(base_url: str) -> ScimProvider:
    return ScimProvider(
        models=[User, EnterpriseUser, Group, GrantingGroup],
        resource_types=[ResourceType.from_resource(RosterUser), ResourceType.from_resource(RosterGroup)],
        config=_configuration(base_url),
        policy=POLICY,
    )


def _configuration(base_url: str) -> ServiceProviderConfig:
    return ServiceProviderConfig.model_validate(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "documentationUri": DOCUMENTATION,
            "patch": {"supported": True},
            "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
            "filter": {"supported": True, "maxResults": MOST_RESULTS},
            "changePassword": {"supported": False},
            "sort": {"supported": True},
            "etag": {"supported": True},
            "authenticationSchemes": [
                {
                    "type": "oauthbearertoken",
                    "name": "OAuth 2.0 client credentials",
                    "description": "An access token with the scope scim for the resource urn:lianxin:identity",
                    "specUri": "https://www.rfc-editor.org/rfc/rfc6749#section-4.4",
                    "primary": True,
                }
            ],
            "meta": {
                "resourceType": "ServiceProviderConfig",
                "location": f"{base_url}/ServiceProviderConfig",
            },
        }
    )
