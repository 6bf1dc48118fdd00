#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double median(const double *numbers, size_t n) {
  double sorted[RUNS_MAX] = {0};

  memcpy(sorted, numbers, n * sizeof(*numbers));
  qsort(sorted, n, sizeof(*sorted), compare);
  return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

double runs_ratio(const struct runs *runs) {
  double ratios[RUNS_MAX];

  for (size_t i = 0; i < runs->n; i++)
    ratios[i] = runs->ours[i] / runs->baseline[i];
  return median(ratios, runs->n);
}

void row_number(const char *what, const char *budget, double limit,
                double measured, size_t n_runs, const char *ours,
                const char *baseline) {
  (void)printf("{\"row\": \"%s\", \"budget\": \"%s\", ", what, budget);
  if (limit >= 0)
    (void)printf("\"limit\": %.6g, ", limit);
  (void)printf("\"measured\": %.6g, \"ours\": \"%s\", \"baseline\": \"%s\", "
               "\"runs\": %zu}\n",
               measured, ours, baseline, n_runs);
  (void)fflush(stdout);
}

void row_ratio(const char *what, const char *budget, double limit,
               const struct runs *runs, const char *unit) {
  char ours[64], baseline[64];

  (void)snprintf(ours, sizeof(ours), "%.4g %s", median(runs->ours, runs->n),
                 unit);
  (void)snprintf(baseline, sizeof(baseline), "%.4g %s",
                 median(runs->baseline, runs->n), unit);
  row_number(what, budget, limit, runs_ratio(runs), runs->n, ours, baseline);
}

static void print_numbers(const double *numbers, size_t n) {
  (void)printf("[");
  for (size_t i = 0; i < n; i++)
    (void)printf("%s%.6g", i > 0 ? ", " : "", numbers[i]);
  (void)printf("]");
}

void plot_print(const struct plot *plot) {
  (void)printf("{\"plot\": \"%s\", \"x_name\": \"%s\", \"unit\": \"%s\", "
               "\"x\": ",
               plot->title, plot->x_name, plot->unit);
  print_numbers(plot->x, plot->n_points);
  (void)printf(", \"lines\": {");
  for (size_t i = 0; i < plot->n_lines; i++) {
    (void)printf("%s\"%s\": ", i > 0 ? ", " : "", plot->lines[i].name);
    print_numbers(plot->lines[i].y, plot->n_points);
  }
  (void)printf("}}\n");
  (void)fflush(stdout);
}
