"""The design's TinyDiT: a class-conditional diffusion transformer trained by flow matching."""

from __future__ import annotations

import os
import time

from tinycats._container.failures import RunFailure
from tinycats._container.pictures import save_picture
from tinycats._recipes import checkpoints
from tinycats._recipes.seeded import epoch_order, torch_seed
from tinycats._recipes.training import device, learning_rate, refuse_diverged

BETAS = (0.9, 0.95)
PREPROCESSING = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
SHAPE = ("image_size", "patch_size", "width", "depth", "heads")
_GRID_IMAGES, _GRID_COLUMNS = 16, 8
_MOST_METRICS_STEPS = 100
_TIME_MEAN = 0.5


def train(run):
    """Trains one run. Returns its outcome."""
    output = checkpoints.output_path(run.outputs_dir, run.params["output"])
    training = _Training(run)
    training.prepare()
    run.emit({"type": "state", "state": "training"})
    status, best = training.train()
    return {"status": status, "output": checkpoints.deliver(best, output), "val_acc": None}


class _Training:
    def __init__(self, run):
        self.run = run
        self.params = dict(run.params)
        self.first = 0
        self.resumed = None
        self.source = run.resume_dir or self.params["resume"]
        if self.source:
            folder = run.resume_dir or checkpoints.run_folder(run.outputs_dir, self.source, "resume")
            self.resumed = checkpoints.read_last(folder, "dit")
            kept = {name: self.params[name] for name in ("output", "num_workers", "resume")}
            self.params = {**self.resumed[1]["params"], **kept}
            self.first = int(self.resumed[1]["step"])
            if self.first >= self.params["steps"]:
                raise RunFailure("parameters", f"resume: all {self.params['steps']} steps of the run are done")
        _check_sizes(self.params)
        self.device = device()

    def prepare(self):
        import torch

        from tinycats._recipes.dit_network import TinyDiT

        run, params = self.run, self.params
        with run.phase("data set"):
            self.dataset = run.datasets.load(params["data_dir"], run.data_dir, params["image_size"], 1, run.log)
            run.emit(self.dataset.event(params["data_dir"], len(self.dataset.labels), 0))
            self.labels = torch.tensor(self.dataset.labels)
        with run.phase("model"):
            torch.manual_seed(params["seed"])
            shape = {name: params[name] for name in SHAPE}
            self.network = TinyDiT(classes=len(self.dataset.classes), **shape).to(self.device)
            self.average = {name: value.detach().clone() for name, value in self.network.named_parameters()}
            self.optimizer = torch.optim.AdamW(
                self.network.parameters(), lr=params["lr"], betas=BETAS, weight_decay=params["weight_decay"]
            )
            if self.resumed is not None:
                self._restore()

    def train(self):
        """(status, path of the newest averaged weights)"""
        run, params = self.run, self.params
        steps, per_step = params["steps"], params["batch_size"] * params["gradient_accumulation"]
        interval = max(1, min(_MOST_METRICS_STEPS, steps // 100))
        spent, sums, count, train_loss = 0.0, {}, 0, None
        for step in range(self.first, steps):
            started, done = time.monotonic(), step + 1
            lr = learning_rate(step, params["lr"], params["warmup_steps"], steps)
            loss, norm = self._step(step, lr)
            refuse_diverged(loss, f"step {done}", params["lr"])
            spent += time.monotonic() - started
            count += 1
            for name, value in (("train_loss", loss), ("gradient_norm", norm)):
                sums[name] = sums.get(name, 0.0) + value
            speed = (done - self.first) * per_step / max(spent, 1e-6)
            body = {"span": "run", "epoch": self._epoch(done), "epochs": self._epoch(steps), "step": done, "steps": steps}
            run.step({**body, "loss": loss, "lr": lr, "images_per_second": speed}, done == steps)
            if done % interval == 0 or done == steps:
                means = {name: total / count for name, total in sums.items()}
                train_loss, sums, count = means["train_loss"], {}, 0
                run.emit({"type": "metrics", "step": done, "steps": steps, "values": {**means, "lr": lr}})
            if run.stopping:
                return ("stopped" if done < steps else "completed"), self._save(done, train_loss)
            if done % params["sample_interval"] == 0 or done == steps:
                told = "-" if train_loss is None else f"{train_loss:.4f}"
                run.log("info", f"Step {done:>{len(str(steps))}}/{steps} | Train loss: {told} | LR: {lr:.1e}")
                best = self._save(done, train_loss)
                if not self._sample(done) and done < steps:
                    return "stopped", best
        return "completed", best

    def _step(self, step, lr):
        """One step over all its batches. Returns (loss, norm of the gradient)."""
        import torch

        params = self.params
        torch.manual_seed(torch_seed("flow", params["seed"], step))
        self.network.train()
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        parts, total = params["gradient_accumulation"], 0.0
        for part in range(parts):
            images, labels = self._examples(step * parts + part)
            time_ = torch.sigmoid(_TIME_MEAN + torch.randn(len(labels)))
            dropped = torch.rand(len(labels)) < params["class_dropout"]
            labels = torch.where(dropped, torch.tensor(len(self.dataset.classes)), labels).to(self.device)
            noise = torch.randn(images.shape).to(self.device)
            at = time_.to(self.device)
            mixed = (1 - at.view(-1, 1, 1, 1)) * images + at.view(-1, 1, 1, 1) * noise
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
                velocity = self.network(mixed, at, labels)
            loss = (velocity.float() - (noise - images)).square().mean()
            (loss / parts).backward()
            total += loss.detach() / parts
        limit = params["gradient_clip"] or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), limit)
        self.optimizer.step()
        decay = min(params["ema_decay"], (2 + step) / (11 + step))
        with torch.no_grad():
            for name, value in self.network.named_parameters():
                self.average[name].lerp_(value, 1 - decay)
        return float(total), float(norm)

    def _examples(self, batch):
        """Images in [-1, 1], mirrored or not, and labels, of the endless row of shuffled passes."""
        import torch

        size, everything = self.params["batch_size"], range(len(self.dataset.labels))
        places = range(batch * size, (batch + 1) * size)
        orders = {place // len(everything) for place in places}
        by_epoch = {epoch: epoch_order(everything, self.params["seed"], epoch) for epoch in orders}
        chosen = torch.tensor([by_epoch[place // len(everything)][place % len(everything)] for place in places])
        images = self.dataset.pixels[chosen].to(self.device).float() / 127.5 - 1
        mirrored = (torch.rand(size) < 0.5).to(self.device).view(-1, 1, 1, 1)
        return torch.where(mirrored, images.flip(3), images), self.labels[chosen]

    def _epoch(self, steps):
        per_step = self.params["batch_size"] * self.params["gradient_accumulation"]
        return max(1, -(-steps * per_step // len(self.dataset.labels)))

    def _save(self, step, train_loss):
        params = self.params
        metadata = {
            "recipe": "dit",
            "step": step,
            "steps": params["steps"],
            "epoch": self._epoch(step),
            "train_loss": train_loss,
            **{name: params[name] for name in SHAPE},
            "classes": self.dataset.classes,
            "preprocessing": {"image_size": params["image_size"], "resize": "shorter side, centre crop", **PREPROCESSING},
            "params": params,
            "run_id": self.run.run_id,
        }
        named = list(self.network.named_parameters())
        state = checkpoints.optimizer_tensors(self.optimizer, named)
        state += [(f"average/{name}", value) for name, value in self.average.items()]
        facts = {"epoch": self._epoch(step), "step": step, "val_acc": None}
        for kind, tensors, weights in (
            ("last", [*named, *state], "current"),
            ("best", list(self.average.items()), "moving average"),
        ):
            path = checkpoints.save(self.run.run_dir, kind, tensors, {**metadata, "weights": weights})
            self.run.emit(checkpoints.event(self.run.run_dir, kind, **facts))
        return path

    def _sample(self, step):
        """Draws a grid with the averaged weights, from the same noise each time. False where the run was told to stop."""
        import torch

        from tinycats._recipes.dit_network import draw

        classes, params = self.dataset.classes, self.params
        labels = [index * min(len(classes), _GRID_IMAGES) // _GRID_IMAGES for index in range(_GRID_IMAGES)]
        current = {name: value.detach().clone() for name, value in self.network.named_parameters()}
        self.network.load_state_dict(self.average, strict=False)
        try:
            images = draw(self.network, labels, params, self.device, lambda: self.run.stopping)
        finally:
            self.network.load_state_dict(current, strict=False)
        if images is None:
            return False
        file = f"samples/step-{step:06d}.png"
        os.makedirs(self.run.path("samples"), exist_ok=True)
        save_picture(torch.clamp(images / 2 + 0.5, 0, 1), self.run.path(*file.split("/")), _GRID_COLUMNS)
        names = [classes[label] for label in labels]
        self.run.emit({"type": "sample", "step": step, "file": file, "labels": names, "columns": _GRID_COLUMNS})
        return True

    def _restore(self):
        tensors, metadata = self.resumed
        if metadata["classes"] != self.dataset.classes:
            raise RunFailure("data", f"resume: the run was trained on the classes {', '.join(metadata['classes'])}.")
        named = list(self.network.named_parameters())
        self.network.load_state_dict({name: tensors[name] for name, _ in named}, strict=False)
        checkpoints.restore_optimizer(self.optimizer, named, tensors)
        for name, value in self.average.items():
            value.copy_(tensors[f"average/{name}"])
        self.run.emit({"type": "resumed", "epoch": 0, "step": self.first, "from": self.source})
        self.run.log("info", f"Goes on after step {self.first} of {self.source}, with the parameters of that run.")


def _check_sizes(params):
    if params["image_size"] % params["patch_size"] != 0:
        message = f"image_size: expected a multiple of the patch size {params['patch_size']}, got {params['image_size']}"
        raise RunFailure("parameters", message)
    if params["width"] % 4 != 0 or params["width"] % params["heads"] != 0:
        raise RunFailure("parameters", f"width: expected a multiple of 4 and of the {params['heads']} heads, got {params['width']}")
