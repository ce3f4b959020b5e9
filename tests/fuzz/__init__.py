"""Random calls of every public function, right ones and wrong ones, held to the plain loops.

    python -m tests.fuzz --cases 100000 --seed 1 --workers 2
    python -m tests.fuzz --seed 1 --case 4711            # one case again, in this process

A case is data: the name of a function and its arguments in a form that prints (`data`), drawn from the seed
and the case's number (`ops`, `functional`, `lax`, `layers`), perhaps spoilt (`wrong`). It is computed by
plain loops and then by other rows of the table from arrays as odd as they come (`memory`), and what comes out
is compared (`judge`). Cases run in child processes (`child`): one that dies is a finding like any other.
"""
