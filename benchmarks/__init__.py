"""How fast it is, beside what else could have been written: `make bench`, or `python -m benchmarks PART`."""
