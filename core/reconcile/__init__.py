"""The kernel: what a run decides, pure. Reading this room is reading the product.

situation  what is looked at          normalize  what counts as equal
ticks      who takes part             merge      one field of a linked record
match      records without a link     creates    what a new record is made of
entries    lists of contacts          accounting money rules
planner    all of it, as one plan     guard      plans that are refused
backoff    what failed and waits
"""
