"""What the user made, on disk: projects and settings, each in two slots."""
