// From one rate to another: each sample is the sum of those around it, weighted by a filter of
// which there is one version for each place between two samples.
#include "engine.h"

// in: the first filter's first sample at the beginning.
// filters: `versions` of `taps` each, a multiple of 16.
// whole, part: the step from one sample of the result to the next is whole + part / versions.
// phase: version of the first one. Returns the phase after the last.
ASKED(resample)
int resample(const float *in, const float *filters, int versions, int taps, int whole, int part,
             int phase, float *out, int count) {
  for (int i = 0; i < count; i++) {
    const float *filter = filters + phase * taps;
    four sums[4] = {{0}};  // that do not wait for one another
    for (int tap = 0; tap < taps; tap += 16)
#pragma clang loop unroll(full)
      for (int part = 0; part < 4; part++)
        sums[part] += *(const four *)(in + tap + 4 * part) * *(const four *)(filter + tap + 4 * part);
    four sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    out[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    in += whole;
    phase += part;
    if (phase >= versions) {
      phase -= versions;
      in++;
    }
  }
  return phase;
}
