"""Files written to a board whose program is stopped, as a deploy writes them."""

from collections.abc import Mapping

from dibble_tools.link.session import Session


def write_files(session: Session, files: Mapping[str, bytes]) -> None:
    """Write whole files: path -> content."""
    session.run(
        "stage.stage_parts", [[path, len(data)] for path, data in files.items()], b"".join(files.values()), False
    )
    session.run("stage.stage_end")
