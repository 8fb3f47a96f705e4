"""Many inputs through one operation: what a job is, what it is run on, what it leaves.

`config` and `options` say what is asked for, `inputs` (with `lists` and `stac`) on what, `names`
and `plan` what will be made; `run` makes it, here or in processes (`workers`), and writes down what
it has made (`journal`); `report` and `mosaic` show it.
"""
