"""What became of tasks, told afterwards by a file."""
