"""What routes take from the app that they answer for: its settings, beside the pool that every service has."""

from typing import Annotated

from fastapi import Depends, Request

from services.assessment.settings import AssessmentSettings


async def settings_of(request: Request) -> AssessmentSettings:
    settings: AssessmentSettings = request.app.state.settings
    return settings


AppSettings = Annotated[AssessmentSettings, Depends(settings_of)]
