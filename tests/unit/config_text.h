/* config_text: a configuration text to the tree that the daemon's parser makes.
 *
 * It reads as liboconfig's scanner does what the tests need: words, numbers,
 * truth values, quoted strings with "\" before any byte, comments, blocks.  A
 * byte that fits none of these is skipped, as there. */
#ifndef TEST_CONFIG_TEXT_H
#define TEST_CONFIG_TEXT_H

#include "liboconfig/oconfig.h"

#include "base/str.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static size_t scan(const char *p, const char *set) { return strspn(p, set); }

/* One value at p; returns what follows it, or NULL if there is none here. */
static const char *config_value(const char *p, oconfig_value_t *out) {
  static const char word[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  static const char *const truths[] = {"true",  "yes", "on",
                                       "false", "no",  "off"};
  if (*p == '"') {
    struct buf text = BUF_INIT(4096);
    for (p++; *p != '"'; p++) {
      assert(*p != '\0');
      if (*p == '\\')
        p++;
      buf_putc(&text, *p);
    }
    *out = (oconfig_value_t){.type = OCONFIG_TYPE_STRING};
    out->value.string = str_dup(str_of(buf_str(&text)));
    buf_clear(&text);
    return p + 1;
  }
  size_t sign = *p == '-' ? 1 : 0;
  size_t number = scan(p + sign, "0123456789");
  if (number > 0 && p[sign + number] == '.')
    number += 1 + scan(p + sign + number + 1, "0123456789");
  size_t letters = scan(p, word);
  if (number > 0 && sign + number >= letters) {
    struct buf digits = BUF_INIT(64);
    size_t zeros = scan(p + sign, "0");
    zeros -= zeros > 0 && !isdigit((unsigned char)p[sign + zeros]) ? 1 : 0;
    buf_put(&digits, p, sign);
    buf_put(&digits, p + sign + zeros, number - zeros);
    *out = (oconfig_value_t){.type = OCONFIG_TYPE_NUMBER};
    assert(str_to_double(str_of(buf_str(&digits)), &out->value.number) == 0);
    buf_clear(&digits);
    return p + sign + number;
  }
  if (letters == 0)
    return NULL;
  for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
    if (strlen(truths[i]) == letters && strncmp(truths[i], p, letters) == 0) {
      *out = (oconfig_value_t){.type = OCONFIG_TYPE_BOOLEAN};
      out->value.boolean = i < 3;
      return p + letters;
    }
  *out = (oconfig_value_t){.type = OCONFIG_TYPE_STRING};
  out->value.string = str_dup((struct str){p, letters});
  return p + letters;
}

/* The key and values of a line, up to its end or ">". */
static const char *config_line(const char *p, oconfig_item_t *item) {
  size_t n = strcspn(p, " \t\n>");
  item->key = str_dup((struct str){p, n});
  for (p += n; *p != '\n' && *p != '\0' && *p != '>' && *p != '#';) {
    oconfig_value_t value;
    const char *next = config_value(p, &value);
    if (next == NULL) {
      p++;
      continue;
    }
    p = next;
    item->values = realloc(item->values, (size_t)(item->values_num + 1) *
                                             sizeof(*item->values));
    assert(item->values != NULL);
    item->values[item->values_num++] = value;
  }
  return p + strcspn(p, "\n>") + (*p == '>' ? 1 : 0);
}

/* The lines up to the end of the text or of the block. */
static const char *config_lines(const char *p, oconfig_item_t *into) {
  for (;;) {
    p += scan(p, " \t\n>");
    if (*p == '\0')
      return p;
    if (strncmp(p, "</", 2) == 0)
      return p + strcspn(p, "\n");
    if (*p == '#') {
      p += strcspn(p, "\n");
      continue;
    }
    into->children = realloc(into->children, (size_t)(into->children_num + 1) *
                                                 sizeof(*into->children));
    assert(into->children != NULL);
    oconfig_item_t *child = &into->children[into->children_num++];
    *child = (oconfig_item_t){.parent = into};
    if (*p == '<')
      p = config_lines(config_line(p + 1, child), child);
    else
      p = config_line(p, child);
  }
}

/* What stands between <Plugin> and </Plugin>. */
static oconfig_item_t config_parse(const char *text) {
  oconfig_item_t plugin = {.key = str_dup(STR("Plugin"))};
  config_lines(text, &plugin);
  return plugin;
}

static void config_clear(oconfig_item_t *item) {
  for (int i = 0; i < item->children_num; i++)
    config_clear(&item->children[i]);
  for (int i = 0; i < item->values_num; i++)
    if (item->values[i].type == OCONFIG_TYPE_STRING)
      free(item->values[i].value.string);
  free(item->children);
  free(item->values);
  free(item->key);
}

#endif
