/* secret_file: which of the daemon's own configuration files shows a key to
 * everybody.
 *
 * The daemon does not tell a plugin where its lines came from.  So the main
 * file is looked for in the daemon's command line, else at the usual places,
 * and its Include lines are followed.  It is a warning only: what is not found
 * is not said. */
#ifndef SECRET_FILE_H
#define SECRET_FILE_H

/* Tells of each configuration file that everybody may read and that holds
 * text, for example an access key id.  Must be called while the daemon still
 * has the working folder it was started in, as paths may be relative. */
typedef void (*secret_file_fn)(const char *path);
void secret_file_find(const char *text, secret_file_fn found);

#endif
