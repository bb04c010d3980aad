"""Routes of what the registers are told of days to come."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.intake.api.doors import answer, describe, doors
from services.intake.api.fields import Limit
from services.intake.domain.commands.registers import WithdrawComing
from services.intake.handlers import coming
from services.intake.storage.coming import ComingChange
from shared.access.principal import Principal
from shared.answers import STEPS, Listing, shows
from shared.http import json_response, permit

router = APIRouter(prefix="/v1/coming-changes", tags=["registers"])


@router.get("", responses=shows(Listing[ComingChange]))
def list_coming(
    request: Request, _: Annotated[Principal, Depends(permit("register.read"))], limit: Limit = 100
) -> Response:
    """What waits for its day, and what could not be entered on it: for whoever keeps the registers."""
    return json_response({"items": coming.list_coming(doors(request).pool, limit=limit)})


@router.post("/{change_id}/withdrawal", responses=STEPS)
async def withdraw_coming(
    request: Request, principal: Annotated[Principal, Depends(permit("register.write"))], change_id: UUID
) -> Response:
    """Take back what waits for its day. What was entered is corrected by another change."""
    command = WithdrawComing(**await describe(request, principal, record_id=change_id))
    return answer(await doors(request).coming_withdrawals.submit(command))
