"""train.py MODEL THREADS [FOLDER]: what a user waits for who starts a training script: takes one step and ends.

The batch is of FOLDER's images, one sub-folder for each class, where torchvision is installed; else made up.
"""

import importlib.util
import sys

import torch

from models import Training

BATCH, SIDE = 32, 64


def first_batch(folder):
    from torchvision import datasets, transforms

    # As our "basic" augmentation and our normalisation.
    transform = transforms.Compose(
        [
            transforms.Resize((SIDE, SIDE)),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    images = datasets.ImageFolder(folder, transform)
    return next(iter(torch.utils.data.DataLoader(images, BATCH, shuffle=True)))


torch.set_num_threads(int(sys.argv[2]))
reads = len(sys.argv) > 3 and importlib.util.find_spec("torchvision") is not None
batch = first_batch(sys.argv[3]) if reads else None
Training(sys.argv[1]).step(batch)
