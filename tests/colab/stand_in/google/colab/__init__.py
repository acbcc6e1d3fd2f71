"""Stands in for Colab's own package, by which code knows that it runs there."""
