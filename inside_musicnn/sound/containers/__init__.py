"""What is in an audio file, found from its bytes before any of its sound is decoded.

One module for each container; each gives a `Layout`, and `inside_musicnn.sound.condition` judges
all of them by one rule.
"""
