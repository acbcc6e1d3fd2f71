"""The parts of the fit check: memory, real steps, what is estimated from them, the verdict."""
