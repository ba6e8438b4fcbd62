"""What the studio answers, and to whom: over real HTTP, without a browser."""

import contextlib
import json
import socket

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.studio.project import Project
from dibble_tools.studio.server import listen
from studio_process import StudioProcess, write_project

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    project = write_project(folder / "orchard-1")
    report = project / "models" / "field" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("<h1>right</h1>")
    (report.parent / "model.dib").write_bytes(b"no model")
    (project.parent / "secret").mkdir()
    (project.parent / "secret" / "model.dib").write_bytes(b"")
    (project.parent / "secret" / "report.html").write_text("outside")
    (project / "models" / "linked").symlink_to(project.parent / "secret")
    with StudioProcess(project, folder / "runtime") as running:
        yield running


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""])
def test_another_host_is_refused(studio, host):
    assert studio.ask("GET", "/events", Host=host.format(port=studio.port))[0] in (400, 403)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("carried", ["", "token", "token ", "token {wrong}", "Basic {token}", "token {token}x"])
def test_who_hasnt_the_token_sees_and_does_nothing(studio, method, carried):
    """Anybody on this computer can reach the port; the token is in the address that is printed."""
    given = carried.format(token=studio.token, wrong="0" * len(studio.token))
    for path in (
        "/",
        "/events",
        "/static/studio.js",
        "/report/field",
        "/take/water/me_0.wav",
        "/do/pause",
        "/nothing",
        "/?token=",
        "/?token=a",
    ):
        status, headers, body = studio.ask(method, path, b"{}", Authorization=given, Content_Type=JSON)
        assert status == 403 and b"open the address that `dibble studio` printed" in body
        assert "set-cookie" not in headers


def test_the_address_makes_a_cookie_that_no_script_reads_and_no_other_site_sends(studio):
    status, headers, body = studio.ask("GET", f"/?token={studio.token}", Authorization="", Sec_Fetch_Site="cross-site")
    assert status == 200 and b"dibble studio" in body
    cookie, *marks = headers["set-cookie"].split("; ")
    assert cookie == f"dibble-studio-{studio.port}={studio.token}" and {"HttpOnly", "SameSite=Strict"} <= set(marks)
    assert studio.ask("GET", "/static/studio.js", Authorization="", Cookie=f"a=b; {cookie}")[0] == 200
    assert studio.ask("GET", "/static/studio.js", Authorization="", Cookie=cookie[:-1])[0] == 403
    assert studio.ask("GET", f"/events?token={studio.token}", Authorization="")[0] == 403


@pytest.mark.parametrize(
    "card", ["[]", "3", "[" * 30000, '{"held_out": [1], "shortcut": {}}', '{"held_out": {"integer_model": 1}}']
)
def test_a_card_of_anything_is_shown_as_far_as_it_goes(tmp_path, card):
    project = write_project(tmp_path / "garden")
    folder = project / "models" / "field"
    folder.mkdir(parents=True)
    (folder / "model.dib").write_bytes(b"1234")
    (folder / "card.json").write_text(card)
    (model,) = Project(project).models()
    assert model["name"] == "field" and model["words"].startswith("4 bytes; made ") and model["shortcut"] is None


def test_localhost_is_the_same_page(studio):
    status, headers, body = studio.ask("GET", "/", Host=f"localhost:{studio.port}")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"dibble studio" in body


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_another_sites_page_can_press_no_button(studio, origin):
    body = json.dumps({"label": "dry"}).encode()
    status, _, _ = studio.ask("POST", "/do/label", body, Origin=origin.format(port=studio.port), Content_Type=JSON)
    assert status == 403


def test_what_the_browser_marks_as_cross_site_is_refused(studio):
    assert studio.ask("GET", "/events", Sec_Fetch_Site="cross-site")[0] == 403


@pytest.mark.parametrize("kind", [FORM, "text/plain", "multipart/form-data"])
def test_a_form_can_press_no_button(studio, kind):
    assert studio.ask("POST", "/do/pause", b"{}", Content_Type=kind)[0] == 415


def test_a_large_wish_is_refused(studio):
    assert studio.ask("POST", "/do/pause", b"0" * 70000, Content_Type=JSON)[0] == 413


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"7", b"[" * 30000, b'{"a":' * 10000])
def test_a_wish_that_is_no_object_is_refused(studio, body):
    assert studio.ask("POST", "/do/pause", body, Content_Type=JSON)[0] == 400


def test_an_unknown_button_is_refused(studio):
    assert studio.do("format")[0] == 404


def test_a_websocket_is_refused(studio):
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
    assert studio.ask("GET", "/ws", Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==", **headers)[0] == 404


def test_pages_may_load_nothing_from_elsewhere(studio):
    headers = studio.ask("GET", "/")[1]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../studio.py",
        "/static/%2e%2e%2fstudio.py",
        "/static/..%5cstudio.py",
        "/report/..",
        "/report/%2e%2e%2fsecret",
        "/report/linked",
        "/report/field%2freport.html",
        "/report//etc/passwd",
        "/config.json",
    ],
)
def test_no_path_leads_to_another_file(studio, path):
    assert studio.ask("GET", path)[0] == 404


def test_a_report_is_shown_without_rights(studio):
    status, headers, body = studio.ask("GET", "/report/field")
    assert (status, body) == (200, b"<h1>right</h1>")
    assert "sandbox" in headers["content-security-policy"]
    assert "script" not in headers["content-security-policy"]


def test_what_cannot_be_done_is_said_in_words(studio):
    assert studio.do("deploy", model="") == (
        422,
        "expected a board, but none is connected: connect one first (step 1)",
    )
    assert studio.do("connect", port="/etc/passwd")[1].startswith("expected one of the boards that are here (none)")
    assert "expected a model of this project (field)" in studio.do("deploy", model="../secret")[1]
    assert studio.do("train", name="../x")[1].startswith("expected a name of at most 32 letters")
    assert studio.do("train", name="x", budget_s="9", max_bytes=9)[1].startswith("budget_s: expected a number")
    assert "expected letters, digits" in studio.do("label", label="=cmd()")[1]


def test_two_tabs_are_told_the_same(studio):
    with contextlib.closing(studio.states()) as one, contextlib.closing(studio.states()) as other:
        before = [next(tab) for tab in (one, other)]
        assert before[0] == before[1]
        assert studio.do("label", label="dry") == (200, "")
        for tab in (one, other):
            while (state := next(tab))["collect"]["label"] != "dry":
                pass
            assert state["collect"]["words"] == "Writing “dry” to field.csv"
    assert studio.do("pause") == (200, "")


def test_it_listens_on_this_computer_only(studio):
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="expected a free port"):
            listen(taken.getsockname()[1])
