"""What may happen to sound: deformations, each with a strength, seeded and calibrated.

    from inside_musicnn.sound.deformations import DEFORMATIONS, deform

    quieter = deform(load_clip("lucky_13"), "gain", -6)              # a Clip
    noisy = deform(samples, "pink noise", 20, rate=44100, seed=1)    # samples, as they came

`DEFORMATIONS` names all of them, with the unit of their strength and the strength at which they do
nothing or, where a tool leaves marks of its own, as little as it can: the sham beside which an
effect is judged. Explained in chapter 18.
"""

from inside_musicnn.sound.deformations.catalogue import DEFORMATIONS, Deformation, deform

__all__ = ["DEFORMATIONS", "Deformation", "deform"]
