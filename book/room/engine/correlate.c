// The convolutions of the network. Frames lie in the lanes of a vector, four kernels are worked on
// at once: so each number that is loaded serves several multiplications.
#include "engine.h"

enum { KERNELS = 4, AT_ONCE = 8 };  // kernels, and frames, of one block

// The largest correlation over positions in frequency, and the lowest position that has it.
//
// map: rows of `stride` numbers, the first frame's window at the beginning of each.
// kernels: for each four of them, for each band and frame, the four weights side by side.
// largest, places: one row of `stride` for each kernel; `count` frames, in whole blocks.
// places may be 0, where one position is all there is.
ASKED(correlate)
void correlate(const float *map, int stride, const float *kernels, int blocks, int bands,
               int frames, int positions, float *largest, int *places, int count) {
  for (int block = 0; block < blocks; block++, kernels += KERNELS * bands * frames)
    for (int t = 0; t < count; t += AT_ONCE) {
      four best[KERNELS][2];
      four_whole won[KERNELS][2];
      for (int position = 0; position < positions; position++) {
        four sums[KERNELS][2] = {{{0}}};
        const float *weight = kernels;
        for (int band = 0; band < bands; band++) {
          const float *row = map + (position + band) * stride + t;
          for (int frame = 0; frame < frames; frame++, row++, weight += KERNELS) {
            four first = *(const four *)row, second = *(const four *)(row + 4);
#pragma clang loop unroll(full)
            for (int kernel = 0; kernel < KERNELS; kernel++) {
              float w = weight[kernel];
              sums[kernel][0] += first * w;
              sums[kernel][1] += second * w;
            }
          }
        }
#pragma clang loop unroll(full)
        for (int kernel = 0; kernel < KERNELS; kernel++)
#pragma clang loop unroll(full)
          for (int half = 0; half < 2; half++) {
            four_whole higher = position ? sums[kernel][half] > best[kernel][half]
                                         : (four_whole){-1, -1, -1, -1};
            best[kernel][half] = (four)((higher & (four_whole)sums[kernel][half]) |
                                        (~higher & (four_whole)best[kernel][half]));
            won[kernel][half] = (higher & position) | (~higher & won[kernel][half]);
          }
      }
      for (int kernel = 0; kernel < KERNELS; kernel++)
        for (int half = 0; half < 2; half++) {
          int at = (block * KERNELS + kernel) * stride + t + 4 * half;
          *(four *)(largest + at) = best[kernel][half];
          if (places) *(four_whole *)(places + at) = won[kernel][half];
        }
    }
}

// The way back through one kernel: each frame's slope lays the kernel where it was found.
//
// slopes, places: one for each frame.
// kernel: bands side by side for each of its frames.
// bins: 96 bands side by side for each frame, the first of them where the kernel begins.
ASKED(lay)
void lay(const float *slopes, const int *places, int count, const float *kernel, int frames,
         int bands, float *bins) {
  for (int t = 0; t < count; t++) {
    float slope = slopes[t];
    if (slope == 0) continue;
    const float *weight = kernel;
    for (int frame = 0; frame < frames; frame++, weight += bands) {
      float *under = bins + (t + frame) * 96 + places[t];
      for (int band = 0; band < bands; band++) under[band] += slope * weight[band];
    }
  }
}
