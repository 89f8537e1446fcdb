"""train.py MODEL THREADS: what a user waits for who starts a training script: takes one step and ends."""

import sys

import torch

from models import Training

torch.set_num_threads(int(sys.argv[2]))
Training(sys.argv[1]).step()
