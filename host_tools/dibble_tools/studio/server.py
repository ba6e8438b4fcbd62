"""The page over HTTP on this computer only: files of the page, the state as it changes, and what buttons do."""

import asyncio
import json
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import ROOMS
from dibble_tools.studio.auth import Guard
from dibble_tools.studio.chart import LEAST_WIDTH, MOST_WIDTH, WIDTH, chart_svg
from dibble_tools.studio.jobs import OPTION
from dibble_tools.studio.project import Project
from dibble_tools.studio.state import State
from dibble_tools.studio.studio import Action, FleetPlace, Studio
from dibble_tools.studio.tables import rows_json

HOST = "127.0.0.1"
STATIC = ROOMS / "studio" / "static"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
TOKEN_BYTES = 24
PAUSE_S = 0.15  # between two versions of the state: faster than eyes, slower than a fast virtual board
STILL_HERE_S = 15.0
# (name, query) -> (content, or the file of one that is asked for in pieces, media type, headers); raises InputError.
Document = Callable[[str, dict[str, str]], tuple[bytes | Path, str, dict[str, str]]]
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
# report.html brings its own style and pictures and needs nothing else.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups; frame-ancestors 'none'"
)


def listen(port: int) -> socket.socket:
    """Return a socket on 127.0.0.1; port 0 takes any that is free.

    Raises:
        InputError: the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise InputError(
            f"--http {port}: expected a free port, got: {error.strerror}. Is another studio open? "
            "Close it, or name another port"
        ) from None
    return listener


def run(
    folder: Path, board_port: str, http_port: int, ready: Callable[[str], None], fleet: FleetPlace | None = None
) -> None:
    """Serve a project's studio until Ctrl-C or SIGTERM.

    Args:
        fleet: whose nodes it shows, too.
        board_port: connected to at the start: a port, or "auto".
        ready: called with the page's address, its token in it, when it can be opened.
    Raises:
        InputError: no such project, board or free port.
    """
    project = Project(folder)
    listener = listen(http_port)
    port = listener.getsockname()[1]
    studio = Studio(project, fleet)
    try:
        studio.board.connect_first(board_port)
        token = secrets.token_hex(TOKEN_BYTES)
        app = application(port, token, studio.state, studio.actions, documents_of(studio))
        config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, ws="none")
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn raises again what ended it
        ready(f"http://{HOST}:{port}/?token={token}")
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        studio.close()
        listener.close()


def application(
    port: int, token: str, state: State, actions: dict[str, Action], documents: dict[str, Document]
) -> Guard:
    """Return the ASGI application.

    Args:
        port: it is reached at.
        token: without which it answers nobody.
        actions: by name; each is handed the JSON object of its request, in a thread, and raises InputError.
        documents: kind -> what makes one: see Document.
    """
    files = {path.name: (path.read_bytes(), KINDS[path.suffix]) for path in STATIC.iterdir() if path.suffix in KINDS}

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in files:
            return PlainTextResponse("no such page", 404)
        content, kind = files[name]
        return Response(content, media_type=kind)

    async def events(request: Request) -> Response:
        return StreamingResponse(_events(state), media_type="text/event-stream")

    async def do(request: Request) -> Response:
        action = actions.get(request.path_params["action"])
        if action is None:
            return JSONResponse({"problem": "no such button"}, 404)
        try:
            request = await request.json()
            if not isinstance(request, dict):
                raise ValueError
        except (ValueError, RecursionError):
            return JSONResponse({"problem": "expected a JSON object"}, 400)
        try:
            await run_in_threadpool(action, request)
        except InputError as error:
            return JSONResponse({"problem": OPTION.sub("", str(error))}, 422)
        return JSONResponse({})

    async def document(request: Request) -> Response:
        make = documents.get(request.path_params["kind"])
        if make is None:
            return PlainTextResponse("no such page", 404)
        try:
            content, kind, headers = await run_in_threadpool(
                make, request.path_params["name"], dict(request.query_params)
            )
        except InputError as error:
            return PlainTextResponse(str(error), 404)
        if isinstance(content, Path):
            return FileResponse(content, media_type=kind, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    routes = [
        Route("/", page),
        Route("/static/{name}", page),
        Route("/events", events),
        Route("/do/{action}", do, methods=["POST"]),
        Route("/{kind}/{name:path}", document),
    ]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return Guard(app, port, token)


def documents_of(studio: Studio) -> dict[str, Document]:
    """Return what the page shows and hands out of a project: each finds its file among those that the project lists."""
    tables, project = studio.tables, studio.project

    def report(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        return project.report(name), "text/html", {"Content-Security-Policy": REPORT_POLICY}

    def wiring(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        return studio.wiring().encode(), KINDS[".svg"], {"Content-Security-Policy": PICTURE_POLICY}

    def chart(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        table = tables.table(name)
        most = len(table.rows) - 1
        first, last = _within(query, "first", 0, most), _within(query, "last", most, most)
        width = max(LEAST_WIDTH, _within(query, "width", WIDTH, MOST_WIDTH))
        picture = chart_svg(table, min(first, last), max(first, last), width)
        return picture.encode(), KINDS[".svg"], {"Content-Security-Policy": PICTURE_POLICY}

    def rows(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        return json.dumps(rows_json(tables.table(name))).encode(), "application/json", {}

    def suggested(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        return json.dumps(tables.suggested(name)).encode(), "application/json", {}

    def file(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        file_name = Path(name).with_suffix(".csv").name
        return tables.content(name), "text/csv", _saved_as(file_name)

    def take(name: str, query: dict[str, str]) -> tuple[Path, str, dict[str, str]]:
        return studio.clips.path(name), "audio/wav", {}

    def waveform(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        picture = studio.clips.waveform(name)
        return picture.encode(), KINDS[".svg"], {"Content-Security-Policy": PICTURE_POLICY}

    def model(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        return project.blob(name), "application/octet-stream", _saved_as(f"{name}.dib")

    def fleet(name: str, query: dict[str, str]) -> tuple[bytes, str, dict[str, str]]:
        if name != "nodes" or studio.state.get("fleet") is None:
            raise InputError("expected a fleet: start the studio with --fleet fleet.db")
        return json.dumps(studio.nodes.rows_json()).encode(), "application/json", {}

    return {
        "fleet": fleet,
        "report": report,
        "wiring": wiring,
        "chart": chart,
        "rows": rows,
        "file": file,
        "model": model,
        "take": take,
        "waveform": waveform,
        "suggested": suggested,
    }


def _within(query: dict[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InputError(f"{name}: expected a number, got {text[:40]!r}")
    return min(int(text), most) if text else default


def _saved_as(name: str) -> dict[str, str]:
    """Return the header by which a browser saves a file, and shows none of it."""
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in name)
    return {"Content-Disposition": f'attachment; filename="{safe}"'}


async def _events(state: State) -> AsyncIterator[str]:
    """Yield the state, now and after each change, as server-sent events."""
    loop, news = asyncio.get_running_loop(), asyncio.Event()
    end = state.subscribe(lambda: loop.call_soon_threadsafe(news.set))
    try:
        while True:
            news.clear()
            yield f"data: {json.dumps(state.snapshot())}\n\n"
            await asyncio.sleep(PAUSE_S)
            while not news.is_set():
                try:
                    await asyncio.wait_for(news.wait(), STILL_HERE_S)
                except TimeoutError:
                    yield ": still here\n\n"
    finally:
        end()
