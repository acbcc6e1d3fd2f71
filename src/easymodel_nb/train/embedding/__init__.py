"""The input embedding: only the rows of tokens that the training data holds are trained.

`used` says which tokens these are, `rows` trains theirs alone, `choosing` finds out on the user's
own model where that is the same training.
"""
