/* rows: what a part of "make bench" prints: a line of JSON for each row of the
 * table and for each plot (bench.py has the form). */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#define RUNS_MAX 15
#define LINES_MAX 4
#define POINTS_MAX 8

/* One measurement, repeated: ours and the baseline's, run by run. */
struct runs {
  size_t n;
  double ours[RUNS_MAX], baseline[RUNS_MAX];
};

double median(const double *numbers, size_t n);

/* The median of ours/baseline, run by run. */
double runs_ratio(const struct runs *runs);

/* A row whose measure is that ratio; limit below 0: none. */
void row_ratio(const char *what, const char *budget, double limit,
               const struct runs *runs, const char *unit);

/* A row whose measure is a number by itself, with the texts to show. */
void row_number(const char *what, const char *budget, double limit,
                double measured, size_t n_runs, const char *ours,
                const char *baseline);

struct plot {
  const char *title, *x_name, *unit;
  size_t n_points, n_lines;
  double x[POINTS_MAX];
  struct plot_line {
    const char *name;
    double y[POINTS_MAX];
  } lines[LINES_MAX];
};
void plot_print(const struct plot *plot);

#endif
