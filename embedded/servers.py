"""PostgreSQL and RabbitMQ alone, for experiments and tests: their URLs as JSON, until the input closes."""

import json
import os
import sys
from pathlib import Path

from embedded.layout import Secrets
from embedded.postgres import PrivatePostgres
from embedded.rabbitmq import PrivateRabbit
from embedded.supervisor import StopRequested, stop_signals


def serve(folder: Path, *, durable: bool) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    secrets = Secrets(folder / "secrets.json")
    postgres = PrivatePostgres(folder / "postgres", password=secrets.get("postgres"), durable=durable)
    rabbit = PrivateRabbit(folder / "rabbitmq", password=secrets.get("rabbitmq"))
    try:
        with stop_signals():
            postgres.start()
            rabbit.start()
            urls = {
                "postgres_url": postgres.admin_url,
                "rabbitmq_url": rabbit.admin_url,
                "rabbitmq_management_url": rabbit.management_url,
            }
            print(json.dumps(urls), flush=True)
            while os.read(sys.stdin.fileno(), 1024):
                pass
    except StopRequested:
        pass
    finally:
        rabbit.stop()
        postgres.stop()
    return 0
