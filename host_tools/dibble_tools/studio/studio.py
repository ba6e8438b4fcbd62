"""The studio: what each button does. Wishes come from a browser, so each value is checked before it is used."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.studio.board import ConnectedBoard
from dibble_tools.studio.collecting import Collecting
from dibble_tools.studio.jobs import Jobs
from dibble_tools.studio.listener import Listener
from dibble_tools.studio.project import Project
from dibble_tools.studio.state import State
from dibble_tools.studio.virtual_node import VirtualNode
from dibble_tools.training.recipes import parse_recipe

Action = Callable[[dict[str, Any]], None]
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
MOST_BUDGET_S, LEAST_BYTES, MOST_BYTES = 3600, 64, 65536
MOST_FOLLOWED = 3
MOST_SPEED = 36000


class Studio:
    """One project and at most one board.

    Attributes:
        state: what all tabs show.
        actions: button -> what it does with a request; raises InputError.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.state = State()
        self.state.put(project=project.folder.name)
        self._lock = threading.Lock()
        self._deployed: Path | None = None
        self._virtual: VirtualNode | None = None
        self._jobs = Jobs(self.state)
        self._collecting = Collecting(project, self.state)
        self.board = ConnectedBoard(self.state, self._make_ear)
        self._show_models()
        self.actions = {
            "cancel_job": lambda request: self._jobs.cancel(),
            "finish_job": lambda request: self._jobs.finish_early(),
            "label": lambda request: self._collecting.label(request.get("label")),
            "pause": lambda request: self._collecting.pause(),
        }
        one_by_one = {
            "connect": lambda request: self.board.connect_listed(request.get("port")),
            "disconnect": self._disconnect,
            "virtual": self._start_virtual,
            "restart": lambda request: self._work_on_board("restart", "starting its program anew", {"restart": True}),
            "deploy": self._deploy,
            "train": self._train,
        }
        self.actions |= {name: self._alone(action) for name, action in one_by_one.items()}

    def close(self) -> None:
        """End all that runs; called once."""
        self._jobs.close()
        self._collecting.pause()
        self.board.close()
        self._stop_virtual()

    def _alone(self, action: Action) -> Action:
        """Return an action that waits until no other such is being begun, from another tab."""

        def alone(request: dict[str, Any]) -> None:
            with self._lock:
                action(request)

        return alone

    def _make_ear(self, on_status: Any) -> Listener:
        self._listener = Listener(self.state, self._collecting, on_status)
        return self._listener

    def _disconnect(self, request: dict[str, Any]) -> None:
        self.board.disconnect()
        self._collecting.pause()
        self._stop_virtual()

    def _start_virtual(self, request: dict[str, Any]) -> None:
        speed = _number(request, "speed", 1, MOST_SPEED)
        self.board.announce("starting a virtual board")
        self._stop_virtual()
        try:
            self._virtual = VirtualNode(self.project.config, speed, self.project.last_time())
        except BaseException:
            self.board.disconnect()
            raise
        self.board.connect(self._virtual.port, "the virtual board")
        self._put_on_board("virtual", "the firmware is put on it", None)

    def _stop_virtual(self) -> None:
        virtual, self._virtual = self._virtual, None
        if virtual:
            virtual.stop()

    def _deploy(self, request: dict[str, Any]) -> None:
        name = _text(request, "model")
        self._put_on_board("deploy", "a model is put on it", self.project.model(name) if name else None)

    def _put_on_board(self, kind: str, words: str, model: Path | None) -> None:
        config = self._virtual.config if self._virtual else self.project.config
        request = {"model": str(model) if model else None, "config": str(config), "restart": False}
        self._work_on_board(kind, words, request, model)

    def _work_on_board(self, kind: str, words: str, request: dict[str, Any], model: Path | None = None) -> None:
        def after(result: dict[str, Any] | None) -> None:
            if result and model:
                self._deployed = model
                self._show_models()
            self.board.take_back(result["said"].encode() if result else b"")

        port = self.board.lend(words)
        try:
            place = {"port": port, "virtual": self._virtual is not None}
            self._jobs.start(kind, "dibble_tools.studio.deploy_job", {**place, **request}, after)
        except BaseException:
            self.board.take_back()
            raise

    def _train(self, request: dict[str, Any]) -> None:
        name, recipe = _text(request, "name"), _text(request, "recipe") or None
        if not MODEL_NAME.fullmatch(name):
            raise InputError(f"expected a name of at most 32 letters, digits, - and _, got {name!r}")
        if recipe:
            parse_recipe(recipe)
        budget_s = _number(request, "budget_s", 1, MOST_BUDGET_S)
        max_bytes = _number(request, "max_bytes", LEAST_BYTES, MOST_BYTES)
        if not self.project.collected():
            raise InputError("there are no labelled readings to learn from yet: collect some first (step 2)")
        request = {
            "csv": str(self.project.csv),
            "folder": str(self.project.folder_of(name)),
            "features": str(self.project.features) if self.project.features else None,
            "roles": self._collecting.training(),
            "name": name,
            "recipe": recipe,
            "budget_s": budget_s,
            "max_bytes": max_bytes,
        }
        self._jobs.start("train", "dibble_tools.studio.train_job", request, lambda result: self._show_models())

    def _show_models(self) -> None:
        models = self.project.models()
        self.state.put(models=models)
        folders = [self.project.folder_of(model["name"]) for model in models]
        deployed = [self._deployed] if self._deployed else []
        self._listener.follow([*deployed, *(folder for folder in folders if folder not in deployed)][:MOST_FOLLOWED])


def _text(request: dict[str, Any], key: str) -> str:
    value = request.get(key, "")
    if not isinstance(value, str):
        raise InputError(f"{key}: expected text, got {value!r}")
    return value.strip()


def _number(request: dict[str, Any], key: str, low: int, high: int) -> int:
    value = request.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{key}: expected a number from {low} to {high}, got {value!r}")
    return value
