#include "run/profile.h"

#include "base/buf.h"
#include "base/str.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1024 * 1024)

/* Appends the home folder: HOME, which daemons often lack, else as the user
 * database says.  Nothing when neither knows. */
static void put_home(struct buf *out, const struct env *env) {
  const char *home = env_get(env, ENV_HOME);
  if (home != NULL) {
    buf_puts(out, home);
    return;
  }
  char text[4096];
  struct passwd entry, *found = NULL;
  if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) == 0 &&
      found != NULL && found->pw_dir != NULL)
    buf_puts(out, found->pw_dir);
}

/* Fills *file with the first that is given of option, variable and place in
 * the home folder. */
static int find_path(struct profile_file *file, const char *option,
                     const char *option_name, const char *variable,
                     const char *in_home, const struct env *env) {
  struct buf path = BUF_INIT(65536);
  const char *given = option != NULL ? option : variable;
  int rc = -1;

  file->named_by = option != NULL ? option_name : NULL;
  if (given == NULL)
    given = in_home;
  if (str_has_prefix(str_of(given), STR("~/"))) {
    put_home(&path, env);
    if (path.len == 0 && buf_ok(&path)) {
      rc = 0; /* nobody knows a home folder: there is no such file */
      goto out;
    }
    given += 1;
  }
  buf_puts(&path, given);
  if (!buf_ok(&path))
    goto out;
  file->path = str_dup(str_of(buf_str(&path)));
  rc = file->path != NULL ? 0 : -1;
out:
  buf_clear(&path);
  return rc;
}

int profile_init(struct profile *profile, const struct profile_options *options,
                 const struct env *env) {
  /* AWS_PROFILE is what all SDKs read; the older name only counts alone. */
  const char *const names[] = {options->name, env_get(env, ENV_PROFILE),
                               env_get(env, ENV_DEFAULT_PROFILE)};
  *profile = (struct profile){.name = "default"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (names[i] != NULL) {
      profile->name = names[i];
      profile->is_named = true;
      break;
    }

  if (find_path(&profile->config, options->config_file, "ConfigFile",
                env_get(env, ENV_CONFIG_FILE), "~/.aws/config", env) == 0 &&
      find_path(&profile->credentials, options->credentials_file,
                "CredentialsFile", env_get(env, ENV_CREDENTIALS_FILE),
                "~/.aws/credentials", env) == 0)
    return 0;
  profile_wipe(profile);
  return -1;
}

void profile_wipe(struct profile *profile) {
  free(profile->config.path);
  free(profile->credentials.path);
  ini_wipe(profile->ini);
  *profile = (struct profile){0};
}

static struct file_stamp stamp_now(const struct profile_file *file) {
  if (file->path == NULL)
    return (struct file_stamp){0};
  return file_stamp(file->path);
}

static bool has_changed(const struct profile_file *file) {
  struct file_stamp now = stamp_now(file);
  return !file_stamp_eq(&now, &file->stamp);
}

bool profile_has_changed(const struct profile *profile) {
  return profile->ini == NULL || profile->failed ||
         has_changed(&profile->config) || has_changed(&profile->credentials);
}

static int read_one(struct profile_file *file, struct buf *text,
                    struct err *err) {
  /* The stamp is older than the text, so a change in between is seen. */
  file->stamp = stamp_now(file);
  file->found = false;

  enum file_found found = FILE_ABSENT;
  /* "/dev/null" is the customary way to say that there is no such file. */
  if (file->path != NULL && strcmp(file->path, "/dev/null") != 0)
    found = file_read(file->path, text, err);
  switch (found) {
  case FILE_FOUND:
    file->found = true;
    return 0;
  case FILE_ABSENT:
    buf_reset(text);
    if (file->named_by == NULL)
      return 0;
    return err_set(err, "there is no file %s, which %s names",
                   file->path != NULL ? file->path : "in a home folder",
                   file->named_by);
  case FILE_FAILED:
    return -1;
  }
  return -1;
}

int profile_refresh(struct profile *profile, struct err *err) {
  if (!profile_has_changed(profile))
    return 0;

  struct buf config = BUF_INIT(FILE_MAX_BYTES);
  struct buf credentials = BUF_INIT(FILE_MAX_BYTES);
  struct err why = {0};
  struct ini *ini = NULL;
  int rc = -1;

  profile->failed = true;
  if (read_one(&profile->config, &config, err) != 0 ||
      read_one(&profile->credentials, &credentials, err) != 0)
    goto out;
  ini =
      ini_parse(str_of(buf_str(&config)), str_of(buf_str(&credentials)), &why);
  if (ini == NULL) {
    err_set(err, "%s (config file: %s, credentials file: %s)", why.text,
            profile->config.found ? profile->config.path : "none",
            profile->credentials.found ? profile->credentials.path : "none");
    goto out;
  }
  ini_wipe(profile->ini);
  profile->ini = ini;
  profile->failed = false;
  profile->n_read++;
  rc = 0;
out:
  buf_wipe(&config);
  buf_wipe(&credentials);
  return rc;
}

const char *profile_get(const struct profile *profile, const char *key) {
  if (profile->ini == NULL)
    return NULL;
  return ini_get(profile->ini, profile->name, key);
}
