"""Numbers about runs: intervals, comparisons, the set of best cells, power. SciPy is imported when used."""
