"""Speed, side by side: `python -m benchmarks`, or `make bench`. See README.md in this folder."""
