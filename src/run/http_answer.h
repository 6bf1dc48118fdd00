/* http_answer: what is kept of an answer's headers.  For http*.c only. */
#ifndef RUN_HTTP_ANSWER_H
#define RUN_HTTP_ANSWER_H

#include "base/str.h"
#include "run/http.h"

/* Takes one line of an answer's head, with or without its line break, the empty
 * one at its end too.  A status line forgets the headers before it: they
 * belonged to another answer, such as "100 Continue". */
void http_answer_take_header(struct http_answer *answer, struct str line);

/* Empties the answer for a new request, and makes all the room that its body
 * may need: memory must not lack when the service has done what was asked, and
 * a secret that grew would leave copies behind.  0; or -1 with its error set:
 * no memory. */
int http_answer_begin(struct http_answer *answer);

/* Empties headers and body. */
void http_answer_forget(struct http_answer *answer);

#endif
