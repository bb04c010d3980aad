"""What routes take from the app that they answer for: its settings, beside the pool that every service has."""

from typing import Annotated

from fastapi import Depends

from services.notify.settings import NotifySettings
from shared.http import settings_of

AppSettings = Annotated[NotifySettings, Depends(settings_of)]
