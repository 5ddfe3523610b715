// The dB mel spectrogram as inside_musicnn/sound/spectrogram.py and mel.py have it: the transform in
// double precision, kept in single, the power of the mel bands rounded to half precision.
#include "engine.h"

enum { SIZE = 512, HOP = 256, BINS = 257, BANDS = 96 };

static double re[2][SIZE], im[2][SIZE];  // two halves of the work, taken in turns

// The Fourier transform of what is in the first half; returns the half that holds the result.
// `turns`: cosines and sines of SIZE / 2 angles.
static int transform(const double *turns) {
  int from = 0;
  for (int half = SIZE / 2, stride = 1; half; half /= 2, stride *= 2, from ^= 1) {
    const double *a = re[from], *b = im[from];
    double *c = re[from ^ 1], *d = im[from ^ 1];
    for (int p = 0; p < half; p++) {
      double wr = turns[p * stride], wi = -turns[SIZE / 2 + p * stride];
      for (int q = 0; q < stride; q++) {
        int one = q + stride * p, two = one + stride * half, to = q + stride * 2 * p;
        double x = a[one] - a[two], y = b[one] - b[two];
        c[to] = a[one] + a[two];
        d[to] = b[one] + b[two];
        c[to + stride] = x * wr - y * wi;
        d[to + stride] = x * wi + y * wr;
      }
    }
  }
  return from;
}

// |z| squared, rounded where NumPy rounds.
static float power(double x, double y) {
  float a = (float)x, b = (float)y;
  float size = (float)__builtin_sqrt((double)a * a + (double)b * b);
  return size * size;
}

// The bits of a number from 0 on as half precision, rounded to the nearest, to the even one of two.
static unsigned half_bits(float value) {
  if (!(value < 65504)) value = 65504;
  if (value < 0x1p-14f) {
    union { float value; unsigned bits; } small = {value + 0.5f};
    return small.bits - 0x3F000000;
  }
  union { float value; unsigned bits; } full = {value};
  return ((full.bits + ((full.bits >> 13) & 1) + 0xFFF) >> 13) - (112 << 10);
}

static void to_bands(const float *powers, const int *edges, const float *filters,
                     const float *decibels, float *out) {
  for (int band = 0; band < BANDS; band++) {
    float sum = 0;
    for (int bin = edges[2 * band]; bin < edges[2 * band + 1]; bin++)
      sum += powers[bin] * *filters++;
    out[band] = decibels[half_bits(sum)];
  }
}

// samples: the first frame's window at the beginning, HOP from one to the next.
// window: SIZE numbers; turns: see `transform`.
// edges: first bin, and the one after the last, of each band; filters: their weights, in a row.
// decibels: the value of each number of half precision, by its bits.
// out: BANDS for each frame.
ASKED(spectrogram)
void spectrogram(const float *samples, int frames, const double *window, const double *turns,
                 const int *edges, const float *filters, const float *decibels, float *out) {
  static float powers[2][BINS];
  for (int frame = 0; frame < frames; frame += 2) {
    // Two frames are the real and the imaginary part of one transform.
    const float *first = samples + frame * HOP, *second = first + HOP;
    int both = frame + 1 < frames;
    for (int i = 0; i < SIZE; i++) {
      re[0][i] = window[i] * first[i];
      im[0][i] = both ? window[i] * second[i] : 0;
    }
    int half = transform(turns);
    for (int k = 0; k < BINS; k++) {
      int other = (SIZE - k) % SIZE;
      double a = re[half][k], b = im[half][k], c = re[half][other], d = im[half][other];
      powers[0][k] = power((a + c) / 2, (b - d) / 2);
      powers[1][k] = power((b + d) / 2, (c - a) / 2);
    }
    to_bands(powers[0], edges, filters, decibels, out + frame * BANDS);
    if (both) to_bands(powers[1], edges, filters, decibels, out + (frame + 1) * BANDS);
  }
}
