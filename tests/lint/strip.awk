# Blanks the comments of C sources, and with -v strings=1 what stands between
# quotes too; lines keep their numbers.  Prints "file:line:text".
FNR == 1 { comment = 0 }
{
  out = ""
  quote = ""
  n = length($0)
  for (i = 1; i <= n; i++) {
    c = substr($0, i, 1)
    two = substr($0, i, 2)
    if (comment) {
      if (two == "*/") {
        comment = 0
        i++
      }
    } else if (quote != "") {
      if (c == "\\") {
        if (!strings)
          out = out two
        i++
        continue
      }
      if (c == quote)
        quote = ""
      if (!strings || quote == "")
        out = out c
    } else if (two == "/*") {
      comment = 1
      out = out " "
      i++
    } else if (two == "//") {
      break
    } else {
      if (c == "\"" || c == "'")
        quote = c
      out = out c
    }
  }
  print FILENAME ":" FNR ":" out
}
