"""The fleet's database: its tables, in one SQLite file or on a PostgreSQL server, through SQLAlchemy."""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from dibble_tools.common.errors import InputError

VERSION = 1
BUSY_MS = 30_000  # how long one program waits for another's transaction
TABLES = MetaData()

facts = Table("fleet", TABLES, Column("version", Integer, primary_key=True))

nodes = Table(
    "nodes",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("first_seen_s", BigInteger, nullable=False),
    Column("last_seen_s", BigInteger, nullable=False),  # when a message of its own came
    Column("online", Boolean, nullable=False, default=False),
    Column("about", Text, nullable=False, default="{}"),  # JSON: firmware, board, model, config, interval_s
    Column("update", Text, nullable=False, default="{}"),  # JSON: kind, crc, state, have, of, why
    Column("health", Text, nullable=False, default="{}"),  # JSON: rssi_dbm, boots, faults, …
)

logs = Table(
    "logs",  # of a node: one that begins anew is the next
    TABLES,
    Column("node_id", ForeignKey("nodes.id"), primary_key=True),
    Column("series", Integer, primary_key=True),
    Column("first_record", Integer, nullable=False),  # that came
    Column("last_record", Integer, nullable=False),
    Column("came", Integer, nullable=False),  # how many
)

layouts = Table(
    "layouts",  # lists of channels, as many as there are kinds of nodes
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("channels", Text, nullable=False, unique=True),  # JSON: names in their order
)

records = Table(
    "records",
    TABLES,
    Column("node_id", ForeignKey("nodes.id"), primary_key=True),
    Column("series", Integer, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at_s", BigInteger, nullable=False),  # since 1970: by the node's clock, or when it came
    Column("since_power_on_s", Integer),  # of a node whose clock wasn't set
    Column("model", String(8), nullable=False),  # that the node ran when it came; "": not told
    Column("decided", Text),
    Column("held", Text),
    Column("margin", Integer, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("action", Integer, nullable=False),
    Column("battery_mv", Integer),
    Column("layout_id", ForeignKey("layouts.id"), nullable=False),
    Column("readings", Text, nullable=False),  # JSON: one a channel, null where missing
    sqlite_with_rowid=False,  # a node's records lie together
)
Index("records_by_time", records.c.node_id, records.c.at_s)

happenings = Table(
    "happenings",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("node_id", ForeignKey("nodes.id"), nullable=False, index=True),
    Column("at_s", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),  # missing, anew, unfit, update
    Column("text", Text, nullable=False),
)

labels = Table(
    "labels",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("node_id", ForeignKey("nodes.id"), nullable=False, index=True),
    Column("from_s", BigInteger, nullable=False),
    Column("to_s", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
)

models = Table(
    "models",
    TABLES,
    Column("crc", String(8), primary_key=True),
    Column("name", Text, nullable=False),
    Column("shares", Text, nullable=False),  # JSON: flag -> its share of the rows that its training held out
)


def open_database(place: str, *, must_exist: bool = False) -> Engine:
    """Return the database at a place, its tables made where they aren't there.

    Args:
        place: path of an SQLite file, or a URL as SQLAlchemy takes it: postgresql+psycopg://user@host/name.
        must_exist: whether to refuse a file that isn't there.
    Raises:
        InputError: it can't be had, or is another program's or version's.
    """
    if "://" in place:
        try:
            url = make_url(place)
            engine = create_engine(url, pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise InputError(
                f"--db: expected a file, or a URL such as postgresql+psycopg://user@host/name "
                f"(pip install 'dibble[fleet]' brings psycopg): {error}"
            ) from None
        shown = url.render_as_string(hide_password=True)
    else:
        path = Path(place)
        if must_exist and not path.exists():
            raise InputError(f"{place}: expected the fleet's database, found none: dibble fleet listen makes it")
        if not path.parent.is_dir():
            raise InputError(f"{place}: expected a folder {path.parent} to make it in")
        engine = create_engine(f"sqlite:///{place}")
        event.listen(engine, "connect", _set_up_sqlite)
        shown = place
    try:
        with engine.begin() as connection:
            _make(connection, shown)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise InputError(f"{shown}: expected a database that can be opened: {reason}") from None
    return engine


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; those whose key is there already change nothing."""
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or put them in the place of those of the same key."""
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        asked = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        others = {name: asked.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(asked.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _set_up_sqlite(connection: Any, _: object) -> None:
    """Several programs at one file: readers don't wait for the writer, and a commit is on the disk."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _make(connection: Connection, shown: str) -> None:
    there = inspect(connection).get_table_names()
    if there and facts.name not in there:
        raise InputError(f"{shown}: expected the fleet's database, got another program's, with a table {there[0]!r}")
    TABLES.create_all(connection)
    versions = connection.execute(select(facts.c.version)).scalars().all()
    if not versions:
        connection.execute(facts.insert().values(version=VERSION))
    elif versions != [VERSION]:
        raise InputError(f"{shown}: expected a database of version {VERSION}, got {versions[0]}: another dibble's")
