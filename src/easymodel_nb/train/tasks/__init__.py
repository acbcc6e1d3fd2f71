"""One file a task: its model class, its examples, its metrics and its samples."""
