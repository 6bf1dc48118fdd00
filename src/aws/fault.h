/* fault: what the body of an answer says, as JSON or as XML:
 *
 *   {"__type": "PREFIX#CODE", "message": ...}    or "code", "Message"
 *   <ErrorResponse><Error><Code>CODE</Code><Message>...   Query
 *
 * and whether it can be AWS's success of PutMetricData, which has no output:
 *
 *   nothing, or a JSON object that tells of no error
 *   <PutMetricDataResponse>...</PutMetricDataResponse>    Query
 *
 * Nothing here decides; reply.c does. */
#ifndef AWS_FAULT_H
#define AWS_FAULT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* Slices of the body, or of the document. */
struct fault {
  struct json *document; /* owned; NULL: none */
  bool is_accepting;     /* it is such a success, and whole */
  bool is_torn;          /* it begins as one, but its end is missing */
  bool is_xml;
  struct str code; /* as it stands there; "" when there is none */
  struct str message;
};

/* Reads a body, which is borrowed until fault_clear().  Never fails: what it
 * cannot read accepts nothing and has neither code nor message. */
void fault_read(struct fault *out, struct str body);
void fault_clear(struct fault *fault);

/* Appends the message as one line of printable ASCII, cut where the buffer is
 * full, and where it goes on with what was signed, which holds the session
 * token (SignatureDoesNotMatch); entities of XML become their characters. */
void fault_put_message(const struct fault *fault, struct buf *line);

/* The same of any foreign text; is_xml: with entities. */
void fault_put_line(struct str text, bool is_xml, struct buf *line);

/* "prefix#Code:url" to "Code" (Smithy, "AWS JSON 1.0", operation errors). */
struct str fault_bare_type(struct str type);

#endif
