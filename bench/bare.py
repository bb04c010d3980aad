"""The yardstick for a single POST: FastAPI, one pydantic body, one psycopg INSERT and commit a request, nothing else.

Run as a program: python -m bench.bare DATABASE_URL PORT
"""

import sys
from datetime import datetime
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

TABLE = """
CREATE TABLE IF NOT EXISTS bare_contact (
    id               uuid        PRIMARY KEY,
    staff_number     text        NOT NULL,
    kind             text        NOT NULL,
    occurred_at      timestamptz NOT NULL,
    duration_minutes integer,
    population_group text,
    people_count     integer,
    place_code       text,
    note             text,
    recorded_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS bare_contact_staff ON bare_contact (staff_number, occurred_at);
"""


class Contact(BaseModel):
    id: UUID
    staff_number: str
    kind: str
    occurred_at: datetime
    duration_minutes: int | None = None
    population_group: str | None = None
    people_count: int | None = None
    place_code: str | None = None
    note: str | None = None


def make_app(database_url: str) -> FastAPI:
    app = FastAPI()
    pool = ConnectionPool(database_url, min_size=8, max_size=8, open=True)

    @app.post("/v1/contacts", status_code=201)
    def post_contact(contact: Contact) -> dict[str, str]:
        with pool.connection() as connection:
            connection.execute(
                """
                INSERT INTO bare_contact (id, staff_number, kind, occurred_at, duration_minutes, population_group,
                                          people_count, place_code, note)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
                """,
                list(contact.model_dump().values()),
            )
        return {"id": str(contact.id)}

    return app


if __name__ == "__main__":
    uvicorn.run(
        make_app(sys.argv[1]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
