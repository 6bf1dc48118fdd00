/* Prints the table of options for options.sh: name, tab, default. */
#include "options_table.h"

#include <stdio.h>

int main(void) {
  const struct option *option;
  for (size_t i = 0; (option = option_at(i)) != NULL; i++)
    printf("%s\t%s\n", option->name,
           option->fallback != NULL ? option->fallback : "");
  return 0;
}
