"""What the user drew: the document, what may connect, and every structural problem in it."""
