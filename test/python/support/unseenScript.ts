/** A training project as people write them: nothing in it is made for Tiny Cats. */

export const DATASET = `
from pathlib import Path

from PIL import Image
from torch.utils.data import DataLoader, Dataset, random_split
from torchvision import transforms
import torch


class Folder(Dataset):
    def __init__(self, root, size=32):
        self.items = [(path, label) for label, folder in enumerate(sorted(Path(root).iterdir())) for path in sorted(folder.glob("*.png"))]
        self.transform = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor()])

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        path, label = self.items[index]
        return self.transform(Image.open(path).convert("RGB")), label


def loaders(root, batch_size, workers):
    data = Folder(root)
    held = max(1, len(data) // 4)
    train, val = random_split(data, [len(data) - held, held], generator=torch.Generator().manual_seed(0))
    return DataLoader(train, batch_size, shuffle=True, num_workers=workers), DataLoader(val, batch_size, num_workers=workers)
`;

export const MODEL = `
from torch import nn
from torchvision.models import resnet18


def build(classes):
    network = resnet18(weights=None)
    network.fc = nn.Linear(network.fc.in_features, classes)
    return network
`;

export const TRAIN = `
import argparse
import logging
import os
import random
import signal
import time

import numpy as np
import torch
from torch import nn

from dataset import loaders
from model import build

logger = logging.getLogger("train")
stop_requested = False


def handle_signal(signum, frame):
    global stop_requested
    logger.warning("Signal %d: stopping after this batch", signum)
    stop_requested = True


def parse_args():
    parser = argparse.ArgumentParser(description="Train a classifier")
    parser.add_argument("--data-dir", required=True, help="folder of images")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--output-dir", default="checkpoints")
    parser.add_argument("--no-amp", action="store_true")
    return parser.parse_args()


def run_epoch(model, loader, device, criterion, optimizer=None, scaler=None, amp=False):
    model.train(optimizer is not None)
    total, correct, seen = 0.0, 0, 0
    for images, labels in loader:
        if stop_requested:
            break
        images, labels = images.to(device), labels.to(device)
        with torch.set_grad_enabled(optimizer is not None), torch.autocast(device.type, enabled=amp):
            outputs = model(images)
            loss = criterion(outputs, labels)
        if optimizer is not None:
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        total += loss.item() * len(labels)
        correct += (outputs.argmax(1) == labels).sum().item()
        seen += len(labels)
    return total / max(1, seen), 100.0 * correct / max(1, seen)


def main():
    global stop_requested
    stop_requested = False
    args = parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(levelname)s] %(message)s")
    signal.signal(signal.SIGINT, handle_signal)
    signal.signal(signal.SIGTERM, handle_signal)
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    amp = device.type == "cuda" and not args.no_amp
    os.makedirs(args.output_dir, exist_ok=True)
    train_loader, val_loader = loaders(args.data_dir, args.batch_size, args.workers)
    model = build(2).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    scaler = torch.cuda.amp.GradScaler(enabled=amp)
    best = -1.0
    for epoch in range(1, args.epochs + 1):
        start = time.time()
        train_loss, train_acc = run_epoch(model, train_loader, device, criterion, optimizer, scaler, amp)
        val_loss, val_acc = run_epoch(model, val_loader, device, criterion, amp=amp)
        lr = optimizer.param_groups[0]["lr"]
        scheduler.step()
        logger.info(
            "Epoch %3d/%d | Train loss: %.4f acc: %.1f%% | Val loss: %.4f acc: %.1f%% | LR: %.1e | Time: %.1fs",
            epoch, args.epochs, train_loss, train_acc, val_loss, val_acc, lr, time.time() - start,
        )
        torch.save({"model": model.state_dict(), "epoch": epoch}, os.path.join(args.output_dir, "last.pt"))
        if val_acc > best:
            best = val_acc
            torch.save(model.state_dict(), os.path.join(args.output_dir, "best.pt"))
            logger.info("New best: %.1f%%", best)
        if stop_requested:
            logger.info("Stopped early")
            break


if __name__ == "__main__":
    main()
`;
