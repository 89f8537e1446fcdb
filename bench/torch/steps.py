"""steps.py MODEL THREADS: for each number of steps on a line of stdin, takes them and prints the seconds
that they took, by the clock and of the processor."""

import sys
import time

import torch

from models import Training

torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(0)
training = Training(sys.argv[1])
print(sum(parameter.numel() for parameter in training.model.parameters()), flush=True)
for line in sys.stdin:
    started, busy = time.perf_counter(), time.process_time()
    for _ in range(int(line)):
        training.step()
    print(time.perf_counter() - started, time.process_time() - busy, flush=True)
