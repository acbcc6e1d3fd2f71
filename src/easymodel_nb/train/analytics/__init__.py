"""What a run measures beside its own loss: when, on which texts, within which budget.

`details` of a point's analytics hold, as far as they are due. At epoch 0:

- `judges`: axis -> "id@hash" of what scored it, and a `note` on what could not be used;
- `references`: the quality of the human references themselves (Measured by axis);
- `noise`: `drift`, `consistency`, `mmd` between two sampled runs of the base model (Measured);
- `budget`: `prompts`, `epochs` that are fully measured, `share`, `seconds_run` and
  `seconds_expected` as they were estimated, and a `sentence` for the user;
- `groups`: what divides the prompts: a column's name, or "length quartile";
- `baseline`: {"from": run, "measured": time} where a run before measured the base model.

At each fully measured point `counts`: `answers`, `empty`, `limit` (cut at max_new_tokens), and
what quality counts; of a head `by_group`: accuracy of each group of the validation texts.

At each point of a head `over_majority`: by how much `accuracy` and `macro_f1` are above what always
answering the commonest class gets on the same texts (Measured, paired).
"""
