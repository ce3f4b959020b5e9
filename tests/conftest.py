"""Random tests that are the same in every run, and an environment that chooses nothing for us."""

import os

from hypothesis import settings

settings.register_profile("fastconv", derandomize=True, database=None, deadline=None, max_examples=150)
settings.load_profile("fastconv")

for name in ("FASTCONV_BACKEND", "FASTCONV_NUM_THREADS"):
    os.environ.pop(name, None)
