"""The trainer's own parts. Training code uses `tinycats` itself."""
