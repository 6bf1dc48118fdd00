#include "metric/samples.h"

#include "metric/series.h"

#include <stdbool.h>
#include <stdlib.h>

/* ---- room --------------------------------------------------------------- */

int samples_reserve(struct samples *samples, size_t cap) {
  if (cap <= samples->cap)
    return 0;
  if (cap > SIZE_MAX / sizeof(*samples->sample))
    return -1;
  struct sample *grown =
      realloc(samples->sample, cap * sizeof(*samples->sample));
  if (grown == NULL)
    return -1;
  samples->sample = grown;
  samples->cap = cap;
  return 0;
}

void samples_fit(struct samples *samples) {
  if (samples->n == samples->cap)
    return;
  if (samples->n == 0) {
    samples_clear(samples);
    return;
  }
  struct sample *shrunk =
      realloc(samples->sample, samples->n * sizeof(*samples->sample));
  if (shrunk == NULL)
    return; /* it is as good as it was */
  samples->sample = shrunk;
  samples->cap = samples->n;
}

void samples_clear(struct samples *samples) {
  free(samples->sample);
  *samples = (struct samples){0};
}

/* ---- order --------------------------------------------------------------
 *
 * The C library's qsort() may take as much memory again.  This is quicksort,
 * with heapsort for what it is bad at. */

#define FEW 12 /* sorted by insertion */

static bool is_less(const struct sample *a, const struct sample *b) {
  const struct series *x = a->series, *y = b->series;

  if (x != y)
    return x->serial < y->serial;
  if (a->second != b->second)
    return a->second < b->second;
  if (x->statistics == STATISTICS_LAST)
    return a->n < b->n;
  return a->value < b->value;
}

static void swap(struct sample *a, struct sample *b) {
  struct sample kept = *a;

  *a = *b;
  *b = kept;
}

static void sort_few(struct sample *sample, size_t n) {
  for (size_t i = 1; i < n; i++) {
    struct sample moved = sample[i];
    size_t k = i;
    for (; k > 0 && is_less(&moved, &sample[k - 1]); k--)
      sample[k] = sample[k - 1];
    sample[k] = moved;
  }
}

static void sift_down(struct sample *sample, size_t i, size_t n) {
  struct sample moved = sample[i];

  for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
    if (child + 1 < n && is_less(&sample[child], &sample[child + 1]))
      child++;
    if (!is_less(&moved, &sample[child]))
      break;
    sample[i] = sample[child];
    i = child;
  }
  sample[i] = moved;
}

static void sort_heap(struct sample *sample, size_t n) {
  for (size_t i = n / 2; i-- > 0;)
    sift_down(sample, i, n);
  for (size_t end = n; end-- > 1;) {
    swap(&sample[0], &sample[end]);
    sift_down(sample, 0, end);
  }
}

/* The middle one of the first, the last, and that in the middle. */
static struct sample pivot_of(const struct sample *sample, size_t n) {
  const struct sample *a = &sample[0], *b = &sample[n / 2], *c = &sample[n - 1];

  if (is_less(b, a)) {
    const struct sample *kept = a;
    a = b;
    b = kept;
  }
  if (is_less(c, b))
    b = is_less(c, a) ? a : c;
  return *b;
}

/* Puts what is less before what is greater; returns the number of the first of
 * the second part.  Neither is empty, as the pivot is neither the only least
 * at the end nor the only greatest at the beginning. */
static size_t part(struct sample *sample, size_t n) {
  struct sample pivot = pivot_of(sample, n);
  size_t i = 0, k = n - 1;

  for (;;) {
    while (is_less(&sample[i], &pivot))
      i++;
    while (is_less(&pivot, &sample[k]))
      k--;
    if (i >= k)
      return k + 1;
    swap(&sample[i++], &sample[k--]);
  }
}

static bool is_sorted(const struct sample *sample, size_t n) {
  for (size_t i = 1; i < n; i++)
    if (is_less(&sample[i], &sample[i - 1]))
      return false;
  return true;
}

/* n_parts  how often it may be parted before it is a bad case */
static void sort_parts(struct sample *sample, size_t n, unsigned n_parts) {
  while (n > FEW) {
    if (n_parts-- == 0) {
      sort_heap(sample, n);
      return;
    }
    size_t first = part(sample, n);
    if (first < n - first) {
      sort_parts(sample, first, n_parts);
      sample += first;
      n -= first;
    } else {
      sort_parts(sample + first, n - first, n_parts);
      n = first;
    }
  }
  sort_few(sample, n);
}

void samples_sort(struct sample *sample, size_t n) {
  unsigned n_parts = 0;

  /* One value of each series, as they are read in turn, is in order. */
  if (is_sorted(sample, n))
    return;
  for (size_t half = n; half > 0; half /= 2)
    n_parts += 2;
  sort_parts(sample, n, n_parts);
}
