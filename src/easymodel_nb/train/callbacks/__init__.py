"""What happens beside the steps of a training run, one concern a file."""
