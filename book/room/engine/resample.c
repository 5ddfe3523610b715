// From one rate to another: each sample is the sum of those around it, weighted by a filter of
// which there is one version for each place between two samples.
#include "engine.h"

// in: the first filter's first sample at the beginning.
// filters: `versions` of `taps` each, a multiple of 8.
// whole, part: the step from one sample of the result to the next is whole + part / versions.
// phase: version of the first one. Returns the phase after the last.
ASKED(resample)
int resample(const float *in, const float *filters, int versions, int taps, int whole, int part,
             int phase, float *out, int count) {
  for (int i = 0; i < count; i++) {
    const float *filter = filters + phase * taps;
    four one = {0}, two = {0};
    for (int tap = 0; tap < taps; tap += 8) {
      one += *(const four *)(in + tap) * *(const four *)(filter + tap);
      two += *(const four *)(in + tap + 4) * *(const four *)(filter + tap + 4);
    }
    one += two;
    out[i] = (one[0] + one[1]) + (one[2] + one[3]);
    in += whole;
    phase += part;
    if (phase >= versions) {
      phase -= versions;
      in++;
    }
  }
  return phase;
}
