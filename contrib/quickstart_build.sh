# shellcheck shell=bash disable=SC2034,SC2154  # words of contrib/quickstart
# A part of contrib/quickstart: installs what is missing, and builds the module.
# Sets collectd (the program), plugins (the folder of its own) and module.

tools=(autoconf automake gcc libtool make perl)
debian=(libc6-dev pkg-config collectd-core collectd-dev libcurl4-openssl-dev
  libssl-dev libyajl-dev zlib1g-dev python3 python3-botocore)
fedora=(pkgconf-pkg-config collectd libcurl-devel openssl-devel yajl-devel
  zlib-devel python3 python3-botocore util-linux)

# In the foreground: whoever interrupts waits until the package manager is in
# order again.
install_with() {
  "$@" >>"$work/packages.log" 2>&1 ||
    die "the packages could not be installed" \
      "Install them by hand, then try again." "$work/packages.log"
}

install_apt() {
  local missing=() package
  for package in "${tools[@]}" "${debian[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = \
      installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  export DEBIAN_FRONTEND=noninteractive
  say "installing ${missing[*]}"
  apt-get -q update >"$work/packages.log" 2>&1 # the next one says what fails
  install_with apt-get -q -y --no-install-recommends --no-remove install \
    "${missing[@]}"
}

# Untested.
install_dnf() {
  local missing=() package
  for package in "${tools[@]}" "${fedora[@]}"; do
    rpm -q --whatprovides "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    install_with dnf -y install "${missing[@]}"
  fi
  [ -n "$headers" ] ||
    die "this distribution has no package with collectd's headers" \
      "Unpack the source of the same collectd version, run its configure, and
give its folder: contrib/quickstart --with-collectd DIR"
}

install_packages() {
  if command -v apt-get >/dev/null; then
    install_apt
  elif command -v dnf >/dev/null; then
    install_dnf
  else
    die "this distribution is not supported (no apt-get, no dnf)" \
      "Install the libraries that README names and build as README says."
  fi
  collectd=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v collectd) ||
    die "there is no collectd to start" "Install it, then try again."
  plugins=$("$collectd" -h | sed -n 's/^ *Plugin directory *//p')
}

# Builds a copy: autogen.sh writes into the tree it stands in.
build() {
  local log=$work/build.log start=$SECONDS
  rm -rf "$work/src" "$work/build" && mkdir -p "$work/src" "$work/build"
  : >"$log"
  tar -C "$top" --exclude=.deps --exclude=.libs --exclude=.dirstamp \
    --exclude='*.o' --exclude='*.lo' --exclude='build.h*' --exclude=stamp-h1 \
    -cf - autogen.sh configure.ac Makefile.am src | tar -C "$work/src" -xf - ||
    die "the sources could not be copied" "Is there room in $work?"
  step 'building: autogen.sh' "$log" "$work/src/autogen.sh" &&
    step 'building: configure' "$log" env -C "$work/build" ../src/configure \
      ${headers:+"--with-collectd=$headers"} &&
    step 'building: make' "$log" make -C "$work/build" -j"$(nproc)" \
      write_cloudwatch.la ||
    die "the build failed" "All of the log is in $log." "$log"
  module=$work/build/.libs/write_cloudwatch.so
  say "built in $((SECONDS - start)) s"
}
