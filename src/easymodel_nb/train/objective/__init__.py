"""What a step minimises: the summed loss of a batch and the count of its targets."""
