"""Reception days and their bookings in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from services.intake.domain.receptions import BookingState, ReceptionDay, SlotTaken
from shared.database import Connection
from shared.errors import NotFound


class ReceptionDayNotFound(NotFound):
    code = "reception-day-not-found"


class BookingNotFound(NotFound):
    code = "booking-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedDay:
    """A day as it is announced: with the names that an announcement has."""

    day: ReceptionDay
    organisation_code: str
    organisation_name: str
    cadre_name: str
    taken: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBooking:
    id: UUID
    reception_day_id: UUID
    slot: int
    state: BookingState
    name_sealed: bytes | None
    phone_sealed: bytes | None
    topic_sealed: bytes | None
    booked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBooking:
    id: UUID
    reception_day_id: UUID
    slot: int
    digest: bytes
    name_sealed: bytes
    phone_sealed: bytes
    topic_sealed: bytes | None
    phone_handle: bytes
    person_handle: bytes
    booked_at: datetime


def insert_day(connection: Connection, day: ReceptionDay, *, recorded_at: datetime) -> bool:
    """Whether it is new: the id of one that stands is left as it is."""
    inserted = connection.execute(
        """
        INSERT INTO reception_day (id, organisation_id, cadre_id, place, topic, from_at, until_at, slot_minutes, state,
                                   sequence, recorded_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'offered', 1, %s)
            ON CONFLICT DO NOTHING
        """,
        [
            day.id,
            day.organisation_id,
            day.cadre_id,
            day.place,
            day.topic,
            day.from_at,
            day.until_at,
            day.slot_minutes,
            recorded_at,
        ],
    )
    return inserted.rowcount == 1


def lock_day(connection: Connection, day_id: UUID) -> ReceptionDay:
    """Hold the day until the transaction ends. Raises ReceptionDayNotFound, also for one that may not be changed."""
    with connection.cursor(row_factory=class_row(ReceptionDay)) as cursor:
        day = cursor.execute(
            """
            SELECT id, organisation_id, cadre_id, place, topic, from_at, until_at, slot_minutes, state, reason_code,
                   visitor_count, sequence
              FROM reception_day
             WHERE id = %s
               FOR UPDATE
            """,
            [day_id],
        ).fetchone()
    if day is None:
        raise ReceptionDayNotFound("there is no such reception day")
    return day


def set_day(connection: Connection, day: ReceptionDay) -> None:
    connection.execute(
        """
        UPDATE reception_day
           SET cadre_id = %s, state = %s, reason_code = %s, visitor_count = %s, sequence = %s
         WHERE id = %s
        """,
        [day.cadre_id, day.state, day.reason_code, day.visitor_count, day.sequence, day.id],
    )


def list_coming_days(
    connection: Connection,
    *,
    organisation_code: str | None,
    after: tuple[datetime, UUID],
    limit: int,
    day_id: UUID | None = None,
) -> list[AnnouncedDay]:
    """List offered days in the order of their beginning, on the index reception_day_coming; or one of them alone."""
    rows = connection.execute(
        """
        SELECT day.id, day.organisation_id, day.cadre_id, day.place, day.topic, day.from_at, day.until_at,
               day.slot_minutes, day.sequence, organisation.code, organisation.name, cadre.name,
               ARRAY(SELECT slot
                       FROM reception_booking
                      WHERE reception_day_id = day.id AND state <> 'cancelled'
                      ORDER BY slot)
          FROM reception_day AS day
          JOIN organisation ON organisation.id = day.organisation_id
          JOIN cadre ON cadre.id = day.cadre_id
         WHERE day.state = 'offered'
           AND (day.from_at, day.id) > (%s, %s)
           AND (%s::uuid IS NULL OR day.id = %s)
           AND (%s::text IS NULL
                OR EXISTS (SELECT 1
                             FROM organisation_line AS line
                            WHERE line.organisation_id = day.organisation_id AND line.ancestor_code = %s))
         ORDER BY day.from_at, day.id
         LIMIT %s
        """,
        [*after, day_id, day_id, organisation_code, organisation_code, limit],
    ).fetchall()
    return [_announced(row) for row in rows]


def _announced(row: tuple[object, ...]) -> AnnouncedDay:
    names = (
        "id",
        "organisation_id",
        "cadre_id",
        "place",
        "topic",
        "from_at",
        "until_at",
        "slot_minutes",
        "sequence",
    )
    return AnnouncedDay(
        day=ReceptionDay(**dict(zip(names, row, strict=False))),  # type: ignore[arg-type] # psycopg types a row as objects
        organisation_code=str(row[9]),
        organisation_name=str(row[10]),
        cadre_name=str(row[11]),
        taken=list(row[12]),  # type: ignore[call-overload] # same
    )


def insert_booking(connection: Connection, booking: NewBooking) -> None:
    """Raises SlotTaken."""
    try:
        connection.execute(
            """
            INSERT INTO reception_booking (id, reception_day_id, slot, digest, state, name_sealed, phone_sealed,
                                           topic_sealed, phone_handle, person_handle, booked_at)
            VALUES (%s, %s, %s, %s, 'booked', %s, %s, %s, %s, %s, %s)
            """,
            [
                booking.id,
                booking.reception_day_id,
                booking.slot,
                booking.digest,
                booking.name_sealed,
                booking.phone_sealed,
                booking.topic_sealed,
                booking.phone_handle,
                booking.person_handle,
                booking.booked_at,
            ],
        )
    except UniqueViolation as error:
        if error.diag.constraint_name != "reception_booking_slot":
            raise
        raise SlotTaken("somebody else has booked this time") from None


def count_open_bookings(connection: Connection, phone_handles: Sequence[bytes]) -> int:
    """How many visits to come are booked under this phone."""
    row = connection.execute(
        """
        SELECT count(*)
          FROM reception_booking AS booking
          JOIN reception_day AS day ON day.id = booking.reception_day_id
         WHERE booking.phone_handle = ANY(%s)
           AND booking.state = 'booked'
           AND day.state = 'offered'
        """,
        [list(phone_handles)],
    ).fetchone()
    return int(str(row[0])) if row else 0


def list_bookings(connection: Connection, day_id: UUID) -> list[SealedBooking]:
    with connection.cursor(row_factory=class_row(SealedBooking)) as cursor:
        return cursor.execute(
            """
            SELECT id, reception_day_id, slot, state, name_sealed, phone_sealed, topic_sealed, booked_at
              FROM reception_booking
             WHERE reception_day_id = %s
             ORDER BY slot, booked_at
            """,
            [day_id],
        ).fetchall()


def find_booking(connection: Connection, digest: bytes) -> tuple[SealedBooking, ReceptionDay] | None:
    """The booking of a citizen's token, with its day."""
    with connection.cursor(row_factory=class_row(SealedBooking)) as cursor:
        booking = cursor.execute(
            """
            SELECT id, reception_day_id, slot, state, name_sealed, phone_sealed, topic_sealed, booked_at
              FROM reception_booking
             WHERE digest = %s
               AND forgotten_at IS NULL
            """,
            [digest],
        ).fetchone()
    return None if booking is None else (booking, lock_day(connection, booking.reception_day_id))


def set_booking_state(
    connection: Connection, booking_id: UUID, *, day_id: UUID, was: Sequence[BookingState], state: BookingState
) -> bool:
    """Whether the booking of this day was in one of these states and is in the new one now."""
    changed = connection.execute(
        """
        UPDATE reception_booking
           SET state = %s
         WHERE id = %s
           AND reception_day_id = %s
           AND state = ANY(%s)
        """,
        [state, booking_id, day_id, list(was)],
    )
    return changed.rowcount == 1


def close_bookings(connection: Connection, day_id: UUID) -> int:
    """Of a day that is over, note as absent who was not marked; return how many had come."""
    row = connection.execute(
        """
        WITH missed AS (
            UPDATE reception_booking SET state = 'absent' WHERE reception_day_id = %(day)s AND state = 'booked'
        )
        SELECT count(*) FROM reception_booking WHERE reception_day_id = %(day)s AND state = 'came'
        """,
        {"day": day_id},
    ).fetchone()
    return int(str(row[0])) if row else 0


def count_booked(connection: Connection, day_id: UUID) -> int:
    row = connection.execute(
        "SELECT count(*) FROM reception_booking WHERE reception_day_id = %s AND state = 'booked'", [day_id]
    ).fetchone()
    return int(str(row[0])) if row else 0


def measure_known(connection: Connection, before: datetime) -> tuple[int, datetime | None]:
    """How many bookings of days that ended before then still tell of their citizens, and when the oldest ended."""
    row = connection.execute(
        """
        SELECT count(*), min(day.until_at)
          FROM reception_booking AS booking
          JOIN reception_day AS day ON day.id = booking.reception_day_id
         WHERE booking.forgotten_at IS NULL
           AND day.until_at < %s
           AND NOT is_held('reception_day', day.id::text)
        """,
        [before],
    ).fetchone()
    return (int(str(row[0])), row[1]) if row else (0, None)  # type: ignore[return-value] # a row is a tuple of objects


def forget_known(connection: Connection, before: datetime, batch: int) -> int:
    """Empty at most so many of these bookings; return how many."""
    return connection.execute(
        """
        UPDATE reception_booking
           SET name_sealed = NULL, phone_sealed = NULL, topic_sealed = NULL, phone_handle = NULL, person_handle = NULL,
               forgotten_at = now()
         WHERE id IN (SELECT booking.id
                        FROM reception_booking AS booking
                        JOIN reception_day AS day ON day.id = booking.reception_day_id
                       WHERE booking.forgotten_at IS NULL
                         AND day.until_at < %s
                         AND NOT is_held('reception_day', day.id::text)
                       LIMIT %s
                         FOR UPDATE OF booking SKIP LOCKED)
        """,
        [before, batch],
    ).rowcount
