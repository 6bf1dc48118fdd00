"""The cases of the differential that were thought of, rather than thrown."""

import random

from chain_case import Case


def cases(folder):
    """Each case, named."""
    return []
