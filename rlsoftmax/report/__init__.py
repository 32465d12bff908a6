"""One page about a study, in one file that needs nothing else: no network, no library, no program but a browser."""
