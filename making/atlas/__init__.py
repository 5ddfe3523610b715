"""The atlas of the units: what every live unit is and does, as one table and as pages.

`python -m making.atlas` makes `data/units/` from the weights, the study *units*, the shipped
recordings and probes.
"""
