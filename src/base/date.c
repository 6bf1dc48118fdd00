#include "base/date.h"

#include <string.h>

#define DAY_SECONDS 86400

struct civil {
  int year, month, day; /* month and day count from 1 */
  int hour, minute, second;
};

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekday_names[] = "SunMonTueWedThuFriSat";

/* 1 or 0, so that it can be added to a number of days. */
static int leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 ? 28 + leap(year) : days[month - 1];
}

/* Days from 1970-01-01 to the first of January of the year. */
static int year_start(int year) {
  const int leaps_before_1970 = 1969 / 4 - 1969 / 100 + 1969 / 400;
  int y = year - 1;
  return 365 * (year - 1970) + y / 4 - y / 100 + y / 400 - leaps_before_1970;
}

static struct civil to_civil(int64_t seconds) {
  int days = (int)(seconds / DAY_SECONDS);
  int rest = (int)(seconds % DAY_SECONDS);
  struct civil c = {
      .hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60};

  /* No year is longer than 366 days, so this guess is never late: walk on to
   * the year that holds the day.  Guessing again from where the walk stands
   * makes it short. */
  c.year = 1970;
  while (year_start(c.year + 1) <= days) {
    int jump = (days - year_start(c.year)) / 366;
    c.year += jump > 0 ? jump : 1;
  }
  days -= year_start(c.year);
  for (c.month = 1; days >= month_days(c.year, c.month); c.month++)
    days -= month_days(c.year, c.month);
  c.day = days + 1;
  return c;
}

/* Whether the fields are a date and time that exist. */
static bool exists(const struct civil *c) {
  return c->month >= 1 && c->month <= 12 && c->day >= 1 &&
         c->day <= month_days(c->year, c->month) && c->hour <= 23 &&
         c->minute <= 59 && c->second <= 60;
}

/* Puts *seconds where the fields stand, seen from the offset east of UTC. */
static int to_seconds(const struct civil *c, int offset, int64_t *seconds) {
  if (!exists(c))
    return -1;

  int days = year_start(c->year) + c->day - 1;
  for (int month = 1; month < c->month; month++)
    days += month_days(c->year, month);

  int second = c->second == 60 ? 59 : c->second;
  int64_t sum = (int64_t)days * DAY_SECONDS + c->hour * 3600 + c->minute * 60 +
                second - offset;
  if (sum < 0 || sum > DATE_MAX)
    return -1;
  *seconds = sum;
  return 0;
}

void date_put_iso(struct buf *out, int64_t seconds) {
  if (seconds < 0 || seconds > DATE_MAX) {
    buf_fail(out);
    return;
  }
  struct civil c = to_civil(seconds);
  buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day,
             c.hour, c.minute, c.second);
}

void date_put_basic(struct buf *out, int64_t seconds) {
  if (seconds < 0 || seconds > DATE_MAX) {
    buf_fail(out);
    return;
  }
  struct civil c = to_civil(seconds);
  buf_printf(out, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour,
             c.minute, c.second);
}

/* ---- reading: each takes what it names from the front of *s ------------- */

static bool take(struct str *s, struct str want) {
  if (!str_has_prefix(*s, want))
    return false;
  s->p += want.len;
  s->len -= want.len;
  return true;
}

static bool take_one_of(struct str *s, const char *set, char *which) {
  if (s->len == 0 || *s->p == '\0' || strchr(set, *s->p) == NULL)
    return false;
  *which = *s->p++;
  s->len--;
  return true;
}

static bool take_digits(struct str *s, size_t n, int *number) {
  int sum = 0;
  if (s->len < n)
    return false;
  for (size_t i = 0; i < n; i++) {
    if (s->p[i] < '0' || s->p[i] > '9')
      return false;
    sum = sum * 10 + (s->p[i] - '0');
  }
  s->p += n;
  s->len -= n;
  *number = sum;
  return true;
}

/* One of the three-letter names; *which counts from 0. */
static bool take_name(struct str *s, const char *names, int *which) {
  for (int i = 0; names[3 * i] != '\0'; i++)
    if (take(s, (struct str){names + 3 * i, 3})) {
      *which = i;
      return true;
    }
  return false;
}

static bool take_time(struct str *s, struct str colon, struct civil *c) {
  return take_digits(s, 2, &c->hour) && take(s, colon) &&
         take_digits(s, 2, &c->minute) && take(s, colon) &&
         take_digits(s, 2, &c->second);
}

/* A fraction with at least one digit, or nothing. */
static bool take_fraction(struct str *s) {
  char which;
  int digit;
  if (!take_one_of(s, ".,", &which))
    return true;
  if (!take_digits(s, 1, &digit))
    return false;
  while (take_digits(s, 1, &digit))
    continue;
  return true;
}

/* *offset in seconds east of UTC; nothing at all is UTC. */
static bool take_zone(struct str *s, int *offset) {
  char which;
  int hours, minutes;

  *offset = 0;
  if (s->len == 0 || take_one_of(s, "Zz", &which))
    return true;
  if (!take_one_of(s, "+-", &which) || !take_digits(s, 2, &hours))
    return false;
  take(s, STR(":"));
  if (!take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
    return false;
  *offset = (hours * 60 + minutes) * 60;
  if (which == '-')
    *offset = -*offset;
  return true;
}

int date_parse_iso(struct str text, int64_t *seconds) {
  struct civil c = {0};
  int offset;
  char which;

  if (!take_digits(&text, 4, &c.year))
    return -1;

  /* Extended and basic form do not mix (ISO 8601), but the zone may be of the
   * other form: programs do write that. */
  bool extended = text.len > 0 && *text.p == '-';
  struct str dash = extended ? STR("-") : STR("");
  struct str colon = extended ? STR(":") : STR("");
  if (!take(&text, dash) || !take_digits(&text, 2, &c.month) ||
      !take(&text, dash) || !take_digits(&text, 2, &c.day) ||
      !take_one_of(&text, "Tt ", &which) || !take_time(&text, colon, &c) ||
      !take_fraction(&text) || !take_zone(&text, &offset) || text.len > 0)
    return -1;
  return to_seconds(&c, offset, seconds);
}

int date_parse_http(struct str text, int64_t *seconds) {
  struct civil c = {0};
  int weekday, month;
  int64_t found;

  if (!take_name(&text, weekday_names, &weekday) || !take(&text, STR(", ")) ||
      !take_digits(&text, 2, &c.day) || !take(&text, STR(" ")) ||
      !take_name(&text, month_names, &month) || !take(&text, STR(" ")) ||
      !take_digits(&text, 4, &c.year) || !take(&text, STR(" ")) ||
      !take_time(&text, STR(":"), &c) || !str_eq(text, STR(" GMT")))
    return -1;
  c.month = month + 1;
  if (to_seconds(&c, 0, &found) != 0)
    return -1;

  const int first_weekday = 4; /* 1970-01-01 was a Thursday */
  if ((found / DAY_SECONDS + first_weekday) % 7 != weekday)
    return -1;
  *seconds = found;
  return 0;
}
