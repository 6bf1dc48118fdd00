/* err: the sentence that says what went wrong.
 *
 * The core never logs; it returns one sentence in plain words, and the shell
 * decides whether anyone hears it.  No sentence ever holds a secret. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* With what stands around it, as long as a line of the log may be: the remedy
 * comes last, after paths and addresses, and must not be what is cut. */
struct err {
  char text[896]; /* NUL-terminated; cut at the end if it did not fit */
};

/* Writes the sentence and returns -1, so that a function can fail in one
 * line: return err_set(err, "...").  err may be NULL. */
int err_set(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
