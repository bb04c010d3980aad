"""What routes take from the app that they answer for: its settings, beside the pool that every service has."""

from typing import Annotated

from fastapi import Depends, Request

from services.notify.settings import NotifySettings


async def settings_of(request: Request) -> NotifySettings:
    settings: NotifySettings = request.app.state.settings
    return settings


AppSettings = Annotated[NotifySettings, Depends(settings_of)]
