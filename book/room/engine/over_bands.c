// Correlation over all 96 mel bands by way of their Fourier transform, for kernels of many bands:
// there it is a product, which takes a sixth of the multiplications.
#include "engine.h"

enum { BANDS = 96, HALF = BANDS / 2, WAVES = HALF + 1, FRAMES = 7 };

typedef struct { four re[HALF], im[HALF]; } Wave;  // of four frames at once

// One pass of the inverse transform of HALF complex numbers, by `radix` of 4 or 3: `length` is what
// is left to do, `stride` what is done. `turns`: cosine and sine of each 96th of a circle.
static inline void pass(const Wave *from, Wave *to, int radix, int length, int stride,
                        const float *turns) {
  int part = length / radix;
  for (int p = 0; p < part; p++)
    for (int q = 0; q < stride; q++) {
      four re[4], im[4], a[4], b[4];
      for (int j = 0; j < radix; j++) {
        re[j] = from->re[q + stride * (p + part * j)];
        im[j] = from->im[q + stride * (p + part * j)];
      }
      if (radix == 4) {
        four sum = re[0] + re[2], apart = re[0] - re[2], cross = re[1] + re[3], turn = re[1] - re[3];
        four sum_i = im[0] + im[2], apart_i = im[0] - im[2], cross_i = im[1] + im[3],
             turn_i = im[1] - im[3];
        a[0] = sum + cross, b[0] = sum_i + cross_i;
        a[1] = apart - turn_i, b[1] = apart_i + turn;
        a[2] = sum - cross, b[2] = sum_i - cross_i;
        a[3] = apart + turn_i, b[3] = apart_i - turn;
      } else {
        four sum = re[1] + re[2], sum_i = im[1] + im[2];
        four apart = (re[1] - re[2]) * 0.8660254038f, apart_i = (im[1] - im[2]) * 0.8660254038f;
        four middle = re[0] - sum * 0.5f, middle_i = im[0] - sum_i * 0.5f;
        a[0] = re[0] + sum, b[0] = im[0] + sum_i;
        a[1] = middle - apart_i, b[1] = middle_i + apart;
        a[2] = middle + apart_i, b[2] = middle_i - apart;
      }
      for (int l = 0; l < radix; l++) {
        int at = q + stride * (radix * p + l), turn = 2 * (2 * p * l * stride);
        float c = turns[turn], s = turns[turn + 1];
        to->re[at] = p && l ? a[l] * c - b[l] * s : a[l];
        to->im[at] = p && l ? a[l] * s + b[l] * c : b[l];
      }
    }
}

// From the transform of 96 real numbers, waves 0 to 48, to these: even ones in `re`, odd in `im`.
static void back(const four *re, const four *im, Wave *one, Wave *two, const float *turns) {
  for (int k = 0; k < HALF; k++) {
    float c = turns[2 * k], s = turns[2 * k + 1];
    four a = re[k] + re[HALF - k], b = im[k] - im[HALF - k];
    four d = re[k] - re[HALF - k], e = im[k] + im[HALF - k];
    one->re[k] = a - (d * s + e * c);
    one->im[k] = b + (d * c - e * s);
  }
  pass(one, two, 4, 48, 1, turns);
  pass(two, one, 4, 12, 4, turns);
  pass(one, two, 3, 3, 16, turns);
}

// As `correlate`, for kernels of seven frames.
//
// waves: the transform of the map: for each wave a row of cosines and one of sines.
// kernels: of each, for each wave and frame, cosine and sine, already divided by 96.
ASKED(over_bands)
void over_bands(const float *waves, int stride, const float *kernels, int units, int positions,
                const float *turns, float *largest, int *places, int count) {
  static four re[2][WAVES], im[2][WAVES];
  static Wave one, two;
  for (int unit = 0; unit < units; unit++, kernels += WAVES * FRAMES * 2)
    for (int t = 0; t < count; t += 8) {
      const float *weight = kernels;
      for (int wave = 0; wave < WAVES; wave++) {
        const float *cosines = waves + 2 * wave * stride + t, *sines = cosines + stride;
        four sums[2] = {{0}}, sums_i[2] = {{0}};
#pragma clang loop unroll(full)
        for (int frame = 0; frame < FRAMES; frame++, weight += 2)
#pragma clang loop unroll(full)
          for (int half = 0; half < 2; half++) {
            four x = *(const four *)(cosines + frame + 4 * half);
            four y = *(const four *)(sines + frame + 4 * half);
            sums[half] += x * weight[0] + y * weight[1];
            sums_i[half] += y * weight[0] - x * weight[1];
          }
        for (int half = 0; half < 2; half++) {
          re[half][wave] = sums[half];
          im[half][wave] = sums_i[half];
        }
      }
      for (int half = 0; half < 2; half++) {
        back(re[half], im[half], &one, &two, turns);
        four best = two.re[0];
        four_whole won = {0};
        for (int position = 1; position < positions; position++) {
          four value = position & 1 ? two.im[position / 2] : two.re[position / 2];
          four_whole higher = value > best;
          best = (four)((higher & (four_whole)value) | (~higher & (four_whole)best));
          won = (higher & position) | (~higher & won);
        }
        int at = unit * stride + t + 4 * half;
        *(four *)(largest + at) = best;
        *(four_whole *)(places + at) = won;
      }
    }
}
