"""The route by which the telephones of the staff are told, from a list of the personnel office."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from services.intake.api.doors import doors
from services.intake.handlers import staff_phones
from shared.access.principal import Principal
from shared.answers import Shown, shows
from shared.edge import ShortText
from shared.http import Body, describe_body, json_body, json_response, permit

router = APIRouter(tags=["registers"])


class PhonesBody(Body):
    phones: Annotated[list[ShortText], Field(max_length=20)]


class KnownPhones(Shown):
    status: Literal["changed"]
    count: int


@router.put("/v1/cadres/{staff_number}/phones", responses=shows(KnownPhones), openapi_extra=describe_body(PhonesBody))
def put_phones(
    request: Request,
    _: Annotated[Principal, Depends(permit("register.write"))],
    staff_number: str,
    body: Annotated[PhonesBody, Depends(json_body(PhonesBody))],
) -> Response:
    """All telephones of a cadre, in the place of those told before. They cannot be read back."""
    count = staff_phones.put_phones(doors(request).pool, staff_number, body.phones)
    return json_response({"status": "changed", "count": count})
