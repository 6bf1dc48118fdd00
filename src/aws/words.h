/* words: a command line split into words, without a shell.
 *
 * As botocore does it (POSIX quoting, Python's shlex): blanks separate, single
 * and double quotes hold words together, a backslash keeps the next character;
 * inside double quotes it does so only before a double quote or a backslash.
 * Neither variables nor "~" nor patterns mean anything. */
#ifndef AWS_WORDS_H
#define AWS_WORDS_H

#include "base/err.h"

#define WORDS_MAX 256

/* words[0..] are the words, then NULL; all in one block that the caller wipes,
 * if the line may hold a secret, and frees (free(words)).  NULL with *err set,
 * without a word of the line: no word, too many, a quote without its end,
 * nothing after the last backslash, or no memory; nothing is left of it then.
 */
char **words_split(const char *line, struct err *err);

#endif
