"""The gate before GPU time: what a node would train on, judged before anything is trained."""
