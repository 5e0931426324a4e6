#!/bin/sh
# Deploys the service of the sample: notes what each segment runs from now on. Nothing leaves this machine.
# Argument: the product. What is deployed, and where, comes as COUNTERSIGN_* variables.
set -eu
product=$1
case $COUNTERSIGN_ARTIFACT in
  '' | *[!0-9a-f]*) echo "deploy: the artifact is not named by its digest" >&2 && exit 2 ;;
esac
place=$SAMPLE_STATE/$product/$COUNTERSIGN_ENVIRONMENT
mkdir -p "$place"
echo "deploy: $product $COUNTERSIGN_VERSION to $COUNTERSIGN_ENVIRONMENT ($COUNTERSIGN_KIND)"
for segment in $(echo "$COUNTERSIGN_SEGMENTS" | tr , ' '); do
  for number in 1 2 3 4; do
    sleep 1
    echo "$segment-$number: stopped, replaced, started"
  done
  printf '%s %s\n' "$COUNTERSIGN_VERSION" "$COUNTERSIGN_ARTIFACT" >"$place/.$segment"
  mv "$place/.$segment" "$place/$segment"
  echo "$segment: answers with $COUNTERSIGN_VERSION"
done
printf 'artifact_sha256=%s\nversion=%s\n' "$COUNTERSIGN_ARTIFACT" "$COUNTERSIGN_VERSION" >"$COUNTERSIGN_RESULT"
echo "deploy: done"
