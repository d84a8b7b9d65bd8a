"""The kernel: what a run decides, pure. Reading this room is reading the product.

planner    all of it, as one plan             situation  what it is made from
ticks      who takes part, and the caps       pushes     ticks the CRM does not hold yet
unlinked   records without a link             match      the same record over there?
creates    what a new record is made of       linked     ended, woken, merged, put to sleep
fields     a pair's fields, one by one        merge      one field: what moved, who counts
carry      a value taken to the other side    normalize  what counts as equal
entries    lists of contacts                  team       hours
accounting money rules                        guard      plans that are refused
backoff    what failed and waits              parts      the plan while it is made
"""
