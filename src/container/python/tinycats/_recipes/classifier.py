"""The design's `train_classifier`."""

from __future__ import annotations

import os
import shutil
import time

from tinycats._container.failures import RunFailure
from tinycats._recipes import checkpoints, networks, safetensors
from tinycats._recipes.augment import vary
from tinycats._recipes.seeded import epoch_order, split_by_class, torch_seed
from tinycats._recipes.stem import whitening_stem
from tinycats._recipes.training import device, learning_rate, refuse_diverged

WEIGHT_DECAY = 1e-4
PREPROCESSING = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
START = {"epoch": 0, "step": 0, "images": 0, "lossSum": 0.0, "correct": 0, "last": None, "best": None}


def train(run):
    """Trains one run. Returns its outcome."""
    output = checkpoints.output_path(run.outputs_dir, run.params["output"])
    training = _Training(run)
    training.prepare()
    run.emit({"type": "state", "state": "training"})
    return training.train(output)


class _Training:
    def __init__(self, run):
        self.run = run
        self.params = dict(run.params)
        source = run.resume_dir or self.params["resume"]
        self.resumed = None
        self.folder = ""
        if source:
            self.folder = run.resume_dir or checkpoints.run_folder(run.outputs_dir, source, "resume")
            self.resumed = checkpoints.read_last(self.folder, "classifier")
            kept = {name: self.params[name] for name in ("epochs", "output", "resume")}
            self.params = {**self.resumed[1]["params"], **kept}
        self.device = device()
        if self.params["backbone"] == "auto":
            self.params["backbone"] = "resnet18" if self.device.type == "cuda" else "tiny_cnn"
            run.log("info", f"backbone auto: {self.params['backbone']}, on {self.device.type}.")
        self.half = bool(self.params["mixed_precision"]) and self.device.type == "cuda"
        self.progress = dict(START)

    def prepare(self):
        import torch

        run, params = self.run, self.params
        with run.phase("data set"):
            self.dataset = run.datasets.load(params["data_dir"], run.data_dir, params["image_size"], 2, run.log)
            self.train_set, self.val_set = split_by_class(self.dataset.labels, params["val_split"], params["seed"])
            self.labels = torch.tensor(self.dataset.labels, device=self.device)
            self.pixels = _placed(self.dataset.pixels, self.device)
            run.emit(self.dataset.event(params["data_dir"], len(self.train_set), len(self.val_set)))
        with run.phase("model"):
            torch.manual_seed(params["seed"])
            backbone = params["backbone"]
            found = self._find_weights() if self.resumed is None else None
            stored = found[0] if found else self.resumed[0] if self.resumed else {}
            stem = networks.stored_stem_channels(backbone, stored) or networks.STEM_CHANNELS
            self.network, self.head = networks.build(backbone, len(self.dataset.classes), params["image_size"], stem)
            if found is not None:
                self._load(*found)
            elif self.resumed is None and backbone == "tiny_cnn":
                weights = whitening_stem(self.pixels, self.train_set, PREPROCESSING["std"], stem)
                self.network.conv1.weight.data.copy_(weights)
            self.network.to(self.device)
            if self.device.type == "cuda":
                self.network.to(memory_format=torch.channels_last)
                torch.backends.cudnn.benchmark = True
            self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=params["lr"], weight_decay=WEIGHT_DECAY)
            self.scaler = torch.cuda.amp.GradScaler(enabled=self.half)
            if self.resumed is not None:
                self._restore()
        mean, std = (torch.tensor(PREPROCESSING[name], device=self.device).view(1, 3, 1, 1) for name in ("mean", "std"))
        self.normalise = lambda images: (images - mean) / std

    def train(self, output):
        params, progress = self.params, self.progress
        while progress["epoch"] < params["epochs"]:
            best = progress["best"]
            patience = params["early_stopping_patience"]
            if patience > 0 and best is not None and progress["epoch"] - best["epoch"] >= patience:
                self.run.log("info", f"Ended early: no better validation accuracy in {patience} epochs.")
                break
            started = time.monotonic()
            trained = self._train_epoch()
            validated = self._validate() if trained is not None else None
            if validated is None:
                self._save("last")
                return {"status": "stopped", **self._deliver(output)}
            self._finish_epoch({**trained, **validated, "time_s": time.monotonic() - started})
        return {"status": "completed", **self._deliver(output)}

    def _train_epoch(self):
        """None where the run was told to stop: the running step was finished, the rest of the epoch left out."""
        import torch
        from torch.nn import functional

        params, progress, run = self.params, self.progress, self.run
        size, epoch = params["batch_size"], progress["epoch"]
        order = epoch_order(self.train_set, params["seed"], epoch)
        steps = -(-len(order) // size)
        started, images = time.monotonic(), 0
        self.network.train()
        for step in range(progress["step"], steps):
            torch.manual_seed(torch_seed("step", params["seed"], epoch, step))
            batch, labels = self._batch(order[step * size : (step + 1) * size])
            batch = self.normalise(vary(batch, params["augmentation"]))
            lr = learning_rate(epoch * steps + step, params["lr"], params["warmup_epochs"] * steps, params["epochs"] * steps)
            self.optimizer.param_groups[0]["lr"] = lr
            with torch.autocast(self.device.type, enabled=self.half):
                logits = self.network(batch)
                loss = functional.cross_entropy(logits, labels)
            self.optimizer.zero_grad(set_to_none=True)
            self.scaler.scale(loss).backward()
            if params["gradient_clip"] > 0:
                self.scaler.unscale_(self.optimizer)
                torch.nn.utils.clip_grad_norm_(self.network.parameters(), params["gradient_clip"])
            self.scaler.step(self.optimizer)
            self.scaler.update()
            value, correct = torch.stack([loss.detach().float(), (logits.argmax(1) == labels).sum().float()]).tolist()
            refuse_diverged(value, f"step {step + 1} of epoch {epoch + 1}", params["lr"])
            images += len(labels)
            progress["step"] = step + 1
            progress["images"] += len(labels)
            progress["lossSum"] += value * len(labels)
            progress["correct"] += int(correct)
            speed = images / max(1e-3, time.monotonic() - started)
            body = {"epoch": epoch + 1, "epochs": params["epochs"], "step": step + 1, "steps": steps, "loss": value}
            run.step({**body, "lr": lr, "images_per_second": speed}, step + 1 == steps)
            if run.stopping:
                return None
        seen = max(1, progress["images"])
        last = learning_rate((epoch + 1) * steps - 1, params["lr"], params["warmup_epochs"] * steps, params["epochs"] * steps)
        return {
            "train_loss": progress["lossSum"] / seen,
            "train_acc": progress["correct"] / seen,
            "lr": last,
            "images_per_second": images / max(1e-3, time.monotonic() - started),
        }

    def _validate(self):
        import torch
        from torch.nn import functional

        self.network.eval()
        loss_sum, correct, size = 0.0, 0, self.params["batch_size"]
        with torch.no_grad():
            for first in range(0, len(self.val_set), size):
                batch, labels = self._batch(self.val_set[first : first + size])
                with torch.autocast(self.device.type, enabled=self.half):
                    logits = self.network(self.normalise(batch)).float()
                loss_sum += functional.cross_entropy(logits, labels, reduction="sum").item()
                correct += int((logits.argmax(1) == labels).sum())
                if self.run.stopping:
                    return None
        return {"val_loss": loss_sum / len(self.val_set), "val_acc": correct / len(self.val_set)}

    def _finish_epoch(self, scores):
        progress, epochs = self.progress, self.params["epochs"]
        epoch = progress["epoch"] + 1
        self.run.emit({"type": "epoch", "epoch": epoch, "epochs": epochs, **scores})
        self.run.log("info", epoch_line(epoch, epochs, scores))
        last = {"epoch": epoch, "val_acc": scores["val_acc"], "val_loss": scores["val_loss"]}
        best = progress["best"]
        is_best = best is None or last["val_acc"] > best["val_acc"]
        self.progress.update(START, epoch=epoch, last=last, best=last if is_best else best)
        if is_best:
            self._save("best")
        self._save("last")

    def _batch(self, indices):
        import torch

        chosen = torch.tensor(indices, device=self.pixels.device)
        batch = self.pixels[chosen].to(self.device).float() / 255
        if self.device.type == "cuda":
            batch = batch.contiguous(memory_format=torch.channels_last)
        return batch, self.labels[chosen.to(self.device)]

    def _save(self, kind):
        params, progress, dataset = self.params, self.progress, self.dataset
        tensors = list(self.network.state_dict().items())
        metadata = {
            "recipe": "classifier",
            "backbone": params["backbone"],
            "epoch": progress["epoch"],
            "epochs": params["epochs"],
            "val_acc": (progress["last"] or {}).get("val_acc"),
            "val_loss": (progress["last"] or {}).get("val_loss"),
            "classes": dataset.classes,
            "preprocessing": {"image_size": params["image_size"], "resize": "shorter side, centre crop", **PREPROCESSING},
            "params": params,
            "run_id": self.run.run_id,
        }
        if kind == "last":
            tensors += checkpoints.optimizer_tensors(self.optimizer, list(self.network.named_parameters()))
            scaler = self.scaler.state_dict() if self.half else {}
            metadata.update(progress=progress, images_per_class=dataset.counts, scaler=scaler)
        checkpoints.save(self.run.run_dir, kind, tensors, metadata)
        accuracy = metadata["val_acc"]
        self.run.emit(checkpoints.event(self.run.run_dir, kind, epoch=progress["epoch"], val_acc=accuracy))

    def _deliver(self, output):
        best = self.progress["best"]
        if best is None:
            return {"output": None, "val_acc": None}
        path = self.run.path(checkpoints.FILES["best"])
        return {"output": checkpoints.deliver(path, output), "val_acc": best["val_acc"]}

    # Weights to start from.

    def _find_weights(self):
        """(weights, the parameter that named them, where they are from), or None for fresh ones."""
        run, params = self.run, self.params
        given, backbone = params["pretrained"], params["backbone"]
        if params["init_from"]:
            folder = checkpoints.run_folder(run.outputs_dir, params["init_from"], "init_from")
            files = [os.path.join(folder, name) for name in checkpoints.FILES.values()] if os.path.isdir(folder) else [folder]
            path = next((file for file in files if os.path.isfile(file)), None)
            if path is None:
                raise RunFailure("parameters", f'init_from: there is no checkpoint at "{folder}"')
            return _read_weights(path), "init_from", path
        if isinstance(given, str):
            path = os.path.join(run.outputs_dir, given)
            return _read_weights(path), "pretrained", path
        weights = networks.pretrained(backbone) if given else None
        if weights is not None:
            return weights, "pretrained", f"torchvision's {backbone}"
        if given:
            run.log("info", f"{backbone} has no pretrained weights: it starts from fresh ones.")
        return None

    def _load(self, weights, what, path):
        own = self.network.state_dict()
        body = {name: value for name, value in weights.items() if not name.startswith(("optimizer/", "average/"))}
        wrong = [name for name, value in body.items() if name not in own or own[name].shape != value.shape]
        if any(not name.startswith(self.head) for name in wrong) or not set(body) - set(wrong):
            named = next((name for name in wrong if not name.startswith(self.head)), "any of its weights")
            raise RunFailure("weights", f"{what}: {path} does not fit {self.params['backbone']}: {named} is of no use to it")
        self.network.load_state_dict({name: value for name, value in body.items() if name not in wrong}, strict=False)
        self.run.log("info", f"Weights of {path}" + (f", but for {', '.join(sorted(wrong))}." if wrong else "."))

    def _restore(self):
        tensors, metadata = self.resumed
        if (metadata["classes"], metadata["images_per_class"]) != (self.dataset.classes, self.dataset.counts):
            raise RunFailure("data", "resume: the run had other images. Start a new run with init_from instead.")
        own = self.network.state_dict()
        weights = {name: tensors[name].to(value.dtype) for name, value in own.items() if name in tensors}
        self.network.load_state_dict(weights)
        checkpoints.restore_optimizer(self.optimizer, list(self.network.named_parameters()), tensors)
        if self.half and metadata.get("scaler"):
            self.scaler.load_state_dict(metadata["scaler"])
        self.progress = {**START, **metadata["progress"]}
        epoch, step = self.progress["epoch"], self.progress["step"]
        path = os.path.join(self.folder, checkpoints.FILES["last"])
        self.run.emit({"type": "resumed", "epoch": epoch, "step": step, "from": path})
        self.run.log("info", f"Going on with the run in {self.folder} after epoch {epoch}, step {step}, with its parameters.")
        self._take_over_best()

    def _take_over_best(self):
        best = self.progress["best"]
        if best is None:
            return
        name = checkpoints.FILES["best"]
        try:
            if os.path.realpath(self.folder) != os.path.realpath(self.run.run_dir):
                shutil.copyfile(os.path.join(self.folder, name), self.run.path(name))
            facts = {"epoch": best["epoch"], "val_acc": best["val_acc"]}
            self.run.emit(checkpoints.event(self.run.run_dir, "best", **facts))
        except OSError:
            self.run.log("warning", f"The best checkpoint of the run in {self.folder} is gone: the best is looked for anew.")
            self.progress["best"] = None


def epoch_line(epoch, epochs, scores):
    """The line that the design's training script logs."""
    return (
        f"Epoch {epoch:>3}/{epochs} | Train loss: {scores['train_loss']:.4f} acc: {scores['train_acc']:.4f} | "
        f"Val loss: {scores['val_loss']:.4f} acc: {scores['val_acc']:.4f} | LR: {scores['lr']:.1e} | Time: {scores['time_s']:.1f}s"
    )


def _placed(pixels, where):
    """On the GPU where they take less than a quarter of what is free there."""
    import torch

    if where.type != "cuda":
        return pixels
    free, _ = torch.cuda.mem_get_info()
    return pixels.to(where) if pixels.numel() < free / 4 else pixels.pin_memory()


def _read_weights(path):
    import torch

    try:
        if path.endswith(".safetensors"):
            return safetensors.read(path)[0]
        # Only weights: a file that would run code of its own is refused.
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file that is none does to the unpickler
        raise RunFailure("weights", f"{path} cannot be read: {error}") from None
    for name in ("state_dict", "model_state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(name), dict):
            loaded = loaded[name]
    return {name.removeprefix("module."): value for name, value in loaded.items() if hasattr(value, "shape")}
