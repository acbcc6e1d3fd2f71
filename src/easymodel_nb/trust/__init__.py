"""What the user trusts: code and pickles that come with a model, and how models are opened.

Every `from_pretrained` of the package is in `loading`, so that none can forget what was allowed.
"""
