#!/bin/sh
# Makes the virtual environment with Buildbot, once, and prints its directory. Running it again costs nothing.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/countersign
home=$cache/buildbot-4.3.0
mark=$home/.complete

if [ -f "$mark" ] && cmp -s "$mark" "$here/requirements.txt"; then
  printf '%s\n' "$home"
  exit 0
fi
python=$(command -v python3) || {
  echo 'setup: python3 is missing; install it (Debian: python3 and python3-venv)' >&2
  exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
  echo "setup: Buildbot needs Python 3.10 or newer, $python is older" >&2
  exit 1
}
mkdir -p "$cache"
# Of several at once, one makes it and the others find it made.
if [ -z "${BUILDBOT_SETUP_LOCKED:-}" ] && command -v flock >/dev/null; then
  BUILDBOT_SETUP_LOCKED=1 exec flock "$home.lock" sh "$0"
fi
rm -rf "$home"
"$python" -m venv "$home" >&2 || {
  echo 'setup: the virtual environment could not be made (Debian: install python3-venv)' >&2
  exit 1
}
"$home/bin/pip" install --quiet --disable-pip-version-check --no-input --no-deps -r "$here/requirements.txt" >&2
"$home/bin/buildbot" --version >&2
cp "$here/requirements.txt" "$mark"
printf '%s\n' "$home"
