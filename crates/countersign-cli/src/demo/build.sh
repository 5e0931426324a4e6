#!/bin/sh
# The demo's build job: unit tests first, their report kept as it is; then one artifact, named by its digest.
# Arguments, fixed where the command is allowed: the repository and the artifact store.
set -eu
repository=$1 store=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet "$repository" "$work/service"
cd "$work/service"
git checkout --quiet --detach "$COUNTERSIGN_COMMIT"
node --test --test-reporter=junit --test-reporter-destination="$COUNTERSIGN_FILES/unit-tests.xml"
artifact=$(node build.mjs --source . --commit "$COUNTERSIGN_COMMIT" --store "$store")
printf 'artifact_sha256=%s\ncommit=%s\n' "$artifact" "$COUNTERSIGN_COMMIT" >"$COUNTERSIGN_RESULT"
