"""The Hugging Face Hub through its real client: looks, searches, downloads, refusals."""
