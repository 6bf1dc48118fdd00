/* xml: what an answer of an AWS service needs of XML.
 *
 * No parser: a scanner for elements without structure inside, which looks at
 * each byte a bounded number of times and believes nothing about the rest of
 * the document. */
#ifndef AWS_XML_H
#define AWS_XML_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* The name of the root element; "" when there is none.  Steps over the XML
 * declaration, comments and the document type.  body is trimmed. */
struct str xml_root(struct str body);

/* Whether the body, trimmed, ends with the end tag of its root: otherwise a
 * part of it is missing. */
bool xml_is_ended(struct str body, struct str root);

/* What stands between the first opening tag of that name and the first closing
 * one after it; "" when there is no such element.  name is a literal of at
 * most 32 bytes. */
struct str xml_element(struct str body, const char *name);

/* Takes one character from *text, which is not empty: the number of an entity
 * or a numeric reference, else the byte as it stands. */
unsigned long xml_take(struct str *text);

/* Appends the text with its entities decoded.  A reference to a character
 * beyond ASCII marks the buffer failed: what AWS writes into credentials has
 * none. */
void xml_put(struct buf *out, struct str text);

#endif
