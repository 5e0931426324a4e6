#!/bin/sh
# A deploy job for a local command: Countersign's gate first, then the deployment. Arguments, fixed where the
# command is allowed: the gate, the directory with the trust of each environment, the claims, the artifact store
# and the state of the instances. What is to be deployed comes as COUNTERSIGN_* variables.
set -eu
gate=$1 trust=$2 claims=$3 store=$4 state=$5
here=${COUNTERSIGN_SCRIPT_DIR:-$(dirname "$0")}

case $COUNTERSIGN_ENVIRONMENT in
  staging | production) ;;
  *) echo "deploy: no environment named '$COUNTERSIGN_ENVIRONMENT'" >&2 && exit 2 ;;
esac
case $COUNTERSIGN_ARTIFACT in
  *[!0-9a-f]*) echo "deploy: the artifact is not named by its digest" >&2 && exit 2 ;;
esac
COUNTERSIGN_TRUST=$trust/$COUNTERSIGN_ENVIRONMENT COUNTERSIGN_CLAIMS=$claims \
  COUNTERSIGN_ARTIFACT_FILE=$store/$COUNTERSIGN_ARTIFACT bash "$gate"
node "$here/deploy.mjs" deploy --state "$state" --store "$store" --artifact "$COUNTERSIGN_ARTIFACT" \
  --environment "$COUNTERSIGN_ENVIRONMENT" --wave "$COUNTERSIGN_WAVE" --kind "${COUNTERSIGN_KIND:-deploy}" \
  --request-id "$COUNTERSIGN_REQUEST_ID"
if [ -n "${COUNTERSIGN_RESULT:-}" ]; then
  printf 'artifact_sha256=%s\nversion=%s\n' "$COUNTERSIGN_ARTIFACT" "$COUNTERSIGN_VERSION" >"$COUNTERSIGN_RESULT"
fi
