"""What the services' databases, virtual hosts and accounts are called, and the URLs made of those names.

The standard library only: this is also read before the virtual environment exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

SERVICES = ("identity", "intake", "assessment", "notify")
ON_BROKER = ("intake", "assessment", "notify")  # identity neither publishes nor consumes, and has no account there


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Several installations share one server by different prefixes."""

    prefix: str = "lianxin"

    @property
    def events_vhost(self) -> str:
        return self.prefix

    @property
    def deploy_user(self) -> str:
        return f"{self.prefix}_deploy"

    def database(self, service: str) -> str:
        return f"{self.prefix}_{service}"

    def owner(self, service: str) -> str:
        return f"{self.prefix}_{service}_owner"

    def runtime(self, service: str) -> str:
        """The account of a running service: the same word on PostgreSQL and on RabbitMQ."""
        return f"{self.prefix}_{service}"

    @property
    def identity_reader(self) -> str:
        """The role by which every service asks who somebody is: it may call three functions and read no table."""
        return f"{self.prefix}_identity_reader"

    def tasks_vhost(self, service: str) -> str:
        return f"{self.prefix}.{service}"

    @property
    def database_roles(self) -> tuple[str, ...]:
        own = tuple(role for service in SERVICES for role in (self.owner(service), self.runtime(service)))
        return (*own, self.identity_reader)

    @property
    def broker_users(self) -> tuple[str, ...]:
        return (self.deploy_user, *(self.runtime(service) for service in ON_BROKER))


def with_account(url: str, *, user: str, password: str, path: str) -> str:
    """The same server and options, another account and another database or virtual host."""
    parts = urlsplit(url)
    _, at, address = parts.netloc.rpartition("@")
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{address if at else parts.netloc}"
    return parts._replace(netloc=netloc, path=f"/{quote(path, safe='')}").geturl()


def database_settings(admin_url: str, names: Names, passwords: Mapping[str, str]) -> dict[str, str]:
    """The database variables of every service, by variable name; `passwords` is by role."""
    settings = {}
    for service in SERVICES:
        accounts = {
            "DATABASE_URL": (names.runtime(service), service),
            "OWNER_DATABASE_URL": (names.owner(service), service),
            "IDENTITY_DATABASE_URL": (names.identity_reader, "identity"),
        }
        for variable, (role, owning) in accounts.items():
            url = with_account(admin_url, user=role, password=passwords[role], path=names.database(owning))
            settings[f"LIANXIN_{service.upper()}_{variable}"] = url
    return settings


def broker_settings(admin_url: str, names: Names, passwords: Mapping[str, str]) -> dict[str, str]:
    """The broker variables of every service that has an account there, by variable name; `passwords` is by user."""
    settings = {}
    deploy, events = names.deploy_user, names.events_vhost
    for service in ON_BROKER:
        user, prefix = names.runtime(service), f"LIANXIN_{service.upper()}"
        own, tasks = passwords[user], names.tasks_vhost(service)
        settings[f"{prefix}_BROKER_URL"] = with_account(admin_url, user=user, password=own, path=events)
        settings[f"{prefix}_TASK_BROKER_URL"] = with_account(admin_url, user=user, password=own, path=tasks)
        settings[f"{prefix}_DEPLOY_BROKER_URL"] = with_account(
            admin_url, user=deploy, password=passwords[deploy], path=events
        )
    return settings
