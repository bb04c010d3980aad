"""Which channels there are. A new one is a module beside this and an entry here, and nothing else."""

from collections.abc import Mapping

from services.notify.channels.groups import DingTalk, GroupChannel, Platform, WeCom
from services.notify.channels.mail import MailChannel
from services.notify.channels.protocol import Channel, Channels
from services.notify.channels.robots import Robot, Robots
from services.notify.channels.sms import SmsChannel
from services.notify.settings import NotifySettings
from shared.gateways.circuits import Pace
from shared.gateways.described import Gateway, read_header
from shared.gateways.files import BadFile, load_file, read_secret
from shared.settings import UnsafeSetting

PLATFORMS: Mapping[str, Platform] = {"dingtalk": DingTalk(), "wecom": WeCom()}


def open_channels(settings: NotifySettings) -> Channels:
    """Those that the installation has set up. The inbox is none: it is a table of our own. Raises UnsafeSetting."""
    channels: dict[str, Channel] = {
        "email": MailChannel(
            settings.mail_server,
            settings.mail_login,
            tls=settings.mail_tls,
            sender=settings.sender,
            timeout_seconds=settings.smtp_timeout_seconds,
            pace=Pace(per_minute=settings.mail_per_minute, burst=50),
        )
    }
    gateway = open_gateway(settings)
    if gateway is not None:
        channels["sms"] = SmsChannel(gateway)
    robots = open_robots(settings)
    for name, platform in PLATFORMS.items():
        own = {robot.name: robot for robot in robots.values() if robot.channel == name}
        if own:
            channels[name] = GroupChannel(name, platform, own)
    return channels


def open_gateway(settings: NotifySettings) -> Gateway | None:
    """Raises UnsafeSetting."""
    if settings.sms_gateway is None:
        return None
    try:
        gateway = load_file(Gateway, settings.sms_gateway)
        if gateway.header_file is not None:
            read_header(gateway.header_file)
        if gateway.receipt is not None:
            read_secret(gateway.receipt.secret_file)
    except BadFile as error:
        raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_SMS_GATEWAY: {error}") from None
    _refuse_plaintext(settings, "LIANXIN_NOTIFY_SMS_GATEWAY", gateway.url)
    return gateway


def open_robots(settings: NotifySettings) -> Mapping[str, Robot]:
    """By name. Raises UnsafeSetting."""
    if settings.robots is None:
        return {}
    try:
        robots = {robot.name: robot for robot in load_file(Robots, settings.robots).robot}
        for robot in robots.values():  # so that a secret that is missing is named at the start
            robot.key()
            robot.secret()
    except BadFile as error:
        raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_ROBOTS: {error}") from None
    for robot in robots.values():
        _refuse_plaintext(settings, "LIANXIN_NOTIFY_ROBOTS", robot.address)
    return robots


def _refuse_plaintext(settings: NotifySettings, name: str, url: str) -> None:
    if settings.mode == "production" and not url.startswith("https://") and not settings.allow_plaintext_links:
        raise UnsafeSetting(f"refusing to start: {name}: is called over https only")
