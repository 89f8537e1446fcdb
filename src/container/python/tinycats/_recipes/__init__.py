"""Our own recipes in PyTorch. Parameters, events and checkpoints are those of the recipes on the embedded engines."""
