"""From a drawn request to a trained model: plain functions that know no widget and no kernel."""
