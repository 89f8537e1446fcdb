"""What a file offers to train with, read from its source: nothing of the user's is imported."""
