"""Batches: which rows stand in one, in which order they come, and how they are laid out.

`orders` says which rows are a batch; `padded` and `flat` lay them out as tensors; `attention` and
`documents` let a model read rows that lie end to end; `choosing` tries on the user's own model
what gives the same as plain padding; `layout` is what a run uses of all this.
"""
