"""Our own recipes as a trainer's program."""

from __future__ import annotations

import os

from tinycats._container import warm_up
from tinycats._container.failures import RunFailure
from tinycats._recipes.images import Datasets
from tinycats._recipes.training import RecipeRun


class RecipeProgram:
    tells_all = True
    """It reports by itself: its lines are not read for metrics, its folder is not searched for files."""

    def __init__(self, log):
        self._log = log
        self._datasets = Datasets()
        self.folder = os.getcwd()

    @staticmethod
    def owns(_path):
        return False

    @staticmethod
    def files():
        return []

    def enter(self, order, recorder):
        with recorder.phase("module import"):
            with recorder.phase("torch"):
                import torch  # noqa: F401
            with recorder.phase("torchvision"):
                self._import_torchvision()
        with recorder.phase("device initialisation"):
            device = warm_up.initialise(recorder)
        params = order["hint"]["params"]
        with recorder.phase("data set metadata"):
            self._load_ahead(order, params)
        return "torch", device

    def prepare(self, order, recorder, emit):
        from tinycats._recipes import classifier, dit

        recipes = {"classifier": classifier.train, "dit": dit.train}
        train = recipes.get(order["recipe"])
        if train is None:
            raise RunFailure("parameters", f'This container cannot train "{order["recipe"]}".')
        run = RecipeRun(order, recorder, emit, self._datasets)
        run.listen()
        return lambda: train(run)

    def _import_torchvision(self):
        try:
            import torchvision  # noqa: F401
        except ImportError:
            self._log("warning", "torchvision is not installed: only the backbone tiny_cnn can be trained.", None)

    def _load_ahead(self, order, params):
        """Decodes the data set that the next run will need. Data may be missing: the run will say so."""
        if isinstance(params.get("data_dir"), str) and isinstance(params.get("image_size"), int):
            try:
                self._datasets.load(params["data_dir"], order["dataDir"], params["image_size"], 1, lambda *_: None)
            except RunFailure:
                pass
