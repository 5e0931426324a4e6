#!/usr/bin/env bash
# Countersign's gate: run it inside the pipeline, before the first step that holds a deploy credential.
#
# It answers one question: did the people whom this pipeline's own protected configuration names sign for exactly
# what is about to be deployed, here, now and not before? Exit 0 means yes. Anything else means no, and one line
# on standard error says why: `gate: refused: CODE: what was found`.
# It needs bash 3.2, the core utilities, grep, base64 and ssh-keygen (OpenSSH 8.9); no network, no JSON tool.
#
# IT READS (environment variables)
#   COUNTERSIGN_TRUST          directory of this environment's trust, out of reach of whoever can change the code:
#                              `allowed_signers`, `requirement` and, if there is one, `revoked` (keys)
#   COUNTERSIGN_CLAIMS         directory that outlives the run; what was let through once is claimed in it
#   COUNTERSIGN_ATTESTATION    the attestation, or COUNTERSIGN_ATTESTATION_FILE, a file that holds it
#   COUNTERSIGN_ARTIFACT_FILE  the very file that is going to be deployed; its digest is computed here
#   COUNTERSIGN_VERSION COUNTERSIGN_ENVIRONMENT COUNTERSIGN_WAVE COUNTERSIGN_REQUEST_ID
#   COUNTERSIGN_KIND           `deploy` or `rollback`; without it: deploy
#
# THE ATTESTATION is base64 (RFC 4648, padded, one line) of lines `NAME SP BASE64(content) LF`, in this order:
#   header         11 lines `key=value LF`, sorted, each key once: artifact commit environment kind ledger
#                  not_after release request_id sheet version wave. artifact and sheet are SHA-256 in hexadecimal,
#                  not_after is in seconds since 1970, kind is `deploy` or `rollback`, wave is the segment's name;
#                  a rollback has the artifact, commit and version it brings back and the release it takes back
#   header.sig     the dispatcher's SSHSIG over the header, namespace countersign-attestation@v1
#   request        the entry with the decision sheet; its leaf hash SHA-256(0x00 || leaf) is the header's sheet.
#                  Where no person's signature is needed it may be left out; sheet then names the candidate
#   approval       any number of entries: the verdicts on that sheet that count, each a GO or a GO on conditions
#   condition      any number of entries, after the first approval: the conditions that were settled
#   authorization  at most one: the standing authorization under which the dispatcher's own verdict is given
#   adoption       any number of entries: the verdicts of the people who adopted that authorization
# An entry (leaf) is one line of canonical JSON (RFC 8785), LF, and an armored SSHSIG over that line with its LF.
# Canonical JSON escapes each quote inside a string, so `{"key":` or `,"key":` is always a key and never text.
#
# THE REQUIREMENT is a file of lines; an unknown one is refused, `#` begins a comment line:
#   environment NAME       the environment this trust is for
#   dispatcher PRINCIPAL   a device that may sign headers (repeatable); never a person, never counted as one
#   product NAME           optional: the product the sheet must name
#   ledger VALUE           optional: the header's `ledger`
#   require ROLE COUNT     so many different people have said GO in that role (repeatable)
#   require ROLE COUNT TYPE  the same for changes of that type (standard, normal or emergency); where a type has such
#                          lines, they are asked in place of those without one
#   may ROLE PRINCIPAL     who may fill a role (repeatable)
#   distinct               nobody counts in two roles
#   distinct requester     nor does the person who asked
#   authorization LEAFHASH a standing authorization this pipeline accepts (repeatable)
#   human no               no person's signature is needed; never together with `require`, never for production
#
# CLAIMS. A deploy is let through once for each (sheet, environment, wave), whatever its request id, the waves in the
# order of the sheet, and none after a rollback of that sheet was let through. The first wave needs the sheet's window;
# a later one needs its earlier ones claimed here. A rollback needs the first wave claimed here; it and a delivery
# without people are let through once for each request id, and not once a later one of the same sheet (by not_after) was:
# a request that was held up may find that something else has gone out since.
#
# WHAT IT DOES NOT JUDGE: it does not see the ledger, so it cannot know of a NO-GO or a freeze that was not handed
# to it. The dispatcher judges those before it signs a header; the gate makes sure that the dispatcher alone,
# or a stolen dispatcher key, is never enough.

set -Eeuo pipefail
set -f
umask 077
export LC_ALL=C
unset BASH_ENV ENV CDPATH GREP_OPTIONS GREP_COLORS

refuse() {
  trap - ERR
  printf 'gate: refused: %s: %s\n' "$1" "$2" >&2
  exit 1
}
trap 'refuse internal "the gate itself failed at line $LINENO"' ERR

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

readonly fields='artifact commit environment kind ledger not_after release request_id sheet version wave'
readonly string='"([^"\\]|\\.)*"'
readonly hex64='[0-9a-f]{64}'
readonly principal_form='[a-z0-9._+-]+@[a-z0-9.-]+'
readonly name_form='^[a-z0-9][a-z0-9._-]{0,63}$'
readonly time_form='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'
readonly commit_form='[0-9a-f]{40}([0-9a-f]{24})?'
readonly reference_form="\\{\"index\":[0-9]+,\"leaf\":\"$hex64\"\\}"
readonly attestation_limit=262144
readonly leaf_limit=65536
readonly part_limit=128

# ---- tools: each leaves its answer in REPLY, so that a refusal is never lost in a subshell -------------------

setting() { # NAME: a variable the pipeline must set
  REPLY=${!1-}
  [ -n "$REPLY" ] || refuse not_configured "$1 is not set"
}

sha256() { # FILE [PREFIX]
  if command -v sha256sum >/dev/null; then
    REPLY=$({ printf "${2-}"; cat -- "$1"; } | sha256sum)
  else
    REPLY=$({ printf "${2-}"; cat -- "$1"; } | shasum -a 256)
  fi
  REPLY=${REPLY%% *}
}

# KEY PATTERN FILE WHAT: the value of the key, which must occur exactly once in the canonical JSON of the file and
# have this form.
value() {
  local count found
  count=$(grep -aoE "[{,]\"$1\":" "$3" | wc -l || true)
  [ "$count" -eq 1 ] || refuse malformed "$4 has the key $1 $((count)) times"
  found=$(grep -aoE "[{,]\"$1\":$2" "$3" || true)
  [ -n "$found" ] || refuse malformed "the $1 of $4 has another form than it must have"
  REPLY=${found#?\"$1\":}
}

text() { # like value, for a plain string without escapes; the answer is without its quotes
  value "$1" '"[^"\\]*"' "$2" "$3"
  REPLY=${REPLY#\"}
  REPLY=${REPLY%\"}
}

reference() { # KEY FILE WHAT: like value, for `{"index":N,"leaf":"HEX"}`; the answer is the leaf hash
  value "$1" "$reference_form" "$2" "$3"
  REPLY=${REPLY##*\"leaf\":\"}
  REPLY=${REPLY%\"\}}
}

period() { # KEY FILE WHAT: like value, for `{"from":TIME,"until":TIME}`; leaves its ends in `from` and `until`
  value "$1" "\\{\"from\":\"$time_form\",\"until\":\"$time_form\"\\}" "$2" "$3"
  from=${REPLY#*:\"} from=${from%%\"*}
  until=${REPLY##*:\"} until=${until%%\"*}
}

has_key() { grep -aqE "[{,]\"$1\":" "$2"; }

signed_by() { # PRINCIPAL NAMESPACE SIGNATURE DATA
  local revoked=()
  [ ! -e "$trust/revoked" ] || revoked=(-r "$trust/revoked")
  ssh-keygen -Y verify -f "$trust/allowed_signers" -I "$1" -n "$2" -s "$3" \
    ${revoked[@]+"${revoked[@]}"} <"$4" >/dev/null 2>&1
}

# FILE WHAT: takes an entry apart into FILE.payload (with its LF, as signed) and FILE.armor.
split_leaf() {
  local size odd
  size=$(wc -c <"$1")
  [ "$size" -le "$leaf_limit" ] || refuse malformed "$2 is larger than an entry can be"
  odd=$(tr -d '\n' <"$1" | tr -cd '\000-\037\177' | wc -c)
  [ "$odd" -eq 0 ] || refuse malformed "$2 holds control characters"
  head -n 1 "$1" >"$1.payload"
  tail -n +2 "$1" >"$1.armor"
  grep -aqE '^\{.*\}$' "$1.payload" || refuse malformed "$2 does not begin with a line of JSON"
  [ "$(head -n 1 "$1.armor")" = '-----BEGIN SSH SIGNATURE-----' ] &&
    [ "$(tail -n 1 "$1.armor")" = '-----END SSH SIGNATURE-----' ] &&
    [ "$(grep -c -- '-----' "$1.armor")" -eq 2 ] || refuse malformed "$2 does not end with one armored signature"
}

signer_of() { # FILE WHAT: the principal that the payload names as its signer
  value signer "\\{\"name\":$string,\"principal\":\"$principal_form\"\\}" "$1.payload" "$2"
  REPLY=${REPLY##*\"principal\":\"}
  REPLY=${REPLY%\"\}}
}

# ---- the pinned requirement ---------------------------------------------------------------------------------

setting COUNTERSIGN_TRUST; trust=$REPLY
setting COUNTERSIGN_CLAIMS; claims=$REPLY
setting COUNTERSIGN_ARTIFACT_FILE; artifact_file=$REPLY
setting COUNTERSIGN_VERSION; version=$REPLY
setting COUNTERSIGN_ENVIRONMENT; environment=$REPLY
setting COUNTERSIGN_WAVE; wave=$REPLY
setting COUNTERSIGN_REQUEST_ID; request_id=$REPLY
kind=${COUNTERSIGN_KIND:-deploy}
command -v ssh-keygen >/dev/null || refuse not_configured 'ssh-keygen is not installed'
[ -r "$trust/requirement" ] && [ -r "$trust/allowed_signers" ] ||
  refuse not_configured 'COUNTERSIGN_TRUST holds no requirement and allowed_signers that can be read'
[ -d "$claims" ] || refuse not_configured 'COUNTERSIGN_CLAIMS is not a directory'
[ -f "$artifact_file" ] && [ -r "$artifact_file" ] || refuse not_configured 'COUNTERSIGN_ARTIFACT_FILE is not a file that can be read'
if grep -vE '^(#|[[:space:]]*$)' "$trust/allowed_signers" | grep -qE '^[^[:space:]]*[]*?!"[]'; then
  refuse not_configured 'allowed_signers has a principal that is a pattern; each principal must be named'
fi

pinned_environment='' pinned_product='' pinned_ledger='' human=yes distinct=no distinct_requester=no
dispatchers=() roles=() counts=() types=() asked=no
: >"$work/may"
: >"$work/authorizations"
while IFS= read -r line || [ -n "$line" ]; do
  read -r word first second rest <<<"$line" || true
  case "$word:${first:+1}:${second:+2}:${rest:+3}" in
    ::: | '#'*) ;;
    environment:1::)
      [[ $first =~ $name_form ]] && [ -z "$pinned_environment" ] || refuse not_configured "requirement: $line"
      pinned_environment=$first ;;
    dispatcher:1::)
      [[ $first =~ ^$principal_form$ ]] || refuse not_configured "requirement: $line"
      dispatchers+=("$first") ;;
    product:1::) pinned_product=$first ;;
    ledger:1:*) pinned_ledger=${line#ledger } ;;
    require:1:2:)
      [[ $first =~ $name_form && $second =~ ^[1-9][0-9]?$ ]] || refuse not_configured "requirement: $line"
      roles+=("$first"); counts+=("$second"); types+=(every) asked=yes ;;
    require:1:2:3)
      [[ $first =~ $name_form && $second =~ ^[1-9][0-9]?$ && $rest =~ ^(standard|normal|emergency)$ ]] ||
        refuse not_configured "requirement: $line"
      roles+=("$first"); counts+=("$second"); types+=("$rest") ;;
    may:1:2:)
      [[ $first =~ $name_form && $second =~ ^$principal_form$ ]] || refuse not_configured "requirement: $line"
      printf '%s %s\n' "$first" "$second" >>"$work/may" ;;
    distinct:::) distinct=yes ;;
    distinct:1::)
      [ "$first" = requester ] || refuse not_configured "requirement: $line"
      distinct=yes distinct_requester=yes ;;
    authorization:1::)
      [[ $first =~ ^$hex64$ ]] || refuse not_configured "requirement: $line"
      printf '%s\n' "$first" >>"$work/authorizations" ;;
    human:1::)
      [ "$first" = no ] || refuse not_configured "requirement: $line"
      human=no ;;
    *) refuse not_configured "requirement: $line" ;;
  esac
done <"$trust/requirement"
[ -n "$pinned_environment" ] || refuse not_configured 'the requirement names no environment'
[ ${#dispatchers[@]} -gt 0 ] || refuse not_configured 'the requirement names no dispatcher'
if [ "$human" = no ]; then
  [ ${#roles[@]} -eq 0 ] && [ "$pinned_environment" != production ] ||
    refuse not_configured '`human no` stands neither beside `require` nor for production'
else
  [ "$asked" = yes ] || refuse not_configured 'the requirement asks for nobody'
fi

# ---- the attestation, taken apart ---------------------------------------------------------------------------

if [ -n "${COUNTERSIGN_ATTESTATION_FILE:-}" ]; then
  [ -f "$COUNTERSIGN_ATTESTATION_FILE" ] || refuse malformed 'there is no attestation file'
  head -c $((attestation_limit + 1)) -- "$COUNTERSIGN_ATTESTATION_FILE" >"$work/outer"
else
  printf '%s' "${COUNTERSIGN_ATTESTATION:-}" >"$work/outer"
fi
[ -s "$work/outer" ] || refuse malformed 'there is no attestation'
[ "$(wc -c <"$work/outer")" -le "$attestation_limit" ] || refuse malformed 'the attestation is too large'
[ "$(tr -d 'A-Za-z0-9+/=' <"$work/outer" | wc -c)" -eq 0 ] || refuse malformed 'the attestation is not one line of base64'
base64 -d <"$work/outer" >"$work/parts" 2>/dev/null || refuse malformed 'the attestation is not base64'
[ "$(tr -d '\n -~' <"$work/parts" | wc -c)" -eq 0 ] || refuse malformed 'the attestation holds control characters'
[ "$(wc -l <"$work/parts")" -le "$part_limit" ] || refuse malformed 'the attestation has too many parts'

request='' authorization='' approvals=() conditions=() adoptions=() last=0 parts=0
while IFS= read -r line || [ -n "$line" ]; do
  name=${line%% *} content=${line#* }
  parts=$((parts + 1))
  part=$work/part.$parts
  [[ $content =~ ^[A-Za-z0-9+/]+={0,2}$ ]] || refuse malformed "part $parts is not a name and base64"
  case $name in
    header) rank=1 ;;
    header.sig) rank=2 ;;
    request) rank=3 request=$part ;;
    approval) rank=4 approvals+=("$part") ;;
    condition) rank=4 conditions+=("$part") ;;
    authorization) rank=5 authorization=$part ;;
    adoption) rank=6 adoptions+=("$part") ;;
    *) refuse malformed "part $parts has a name that no part has" ;;
  esac
  case $rank in
    4 | 6) [ "$rank" -ge "$last" ] || refuse malformed 'the parts are out of order' ;;
    *) [ "$rank" -gt "$last" ] || refuse malformed 'the parts are out of order, or one is there twice' ;;
  esac
  [ "$parts" -gt 2 ] || [ "$rank" -eq "$parts" ] ||
    refuse malformed 'the attestation does not begin with its header and the signature of it'
  last=$rank
  printf '%s' "$content" | base64 -d >"$part" 2>/dev/null || refuse malformed "part $parts is not base64"
done <"$work/parts"
[ "$parts" -ge 2 ] || refuse malformed 'the attestation has no signed header'
header=$work/part.1

# Each field once, in this order, in its own form, and nothing else.
[ "$(tr -d '\n -~' <"$header" | wc -c)" -eq 0 ] || refuse malformed 'the header holds control characters'
[ "$(wc -c <"$header")" -le 4096 ] || refuse malformed 'the header is too large'
[ "$(tail -c 1 "$header" | wc -l)" -eq 1 ] || refuse malformed 'the header does not end with a line feed'
sheet='' not_after='' commit='' release=''
exec 3<"$header"
for field in $fields; do
  IFS= read -r line <&3 || refuse malformed "the header ends before $field"
  [[ $line == "$field="* ]] || refuse malformed "the header has another line where $field must be"
  content=${line#*=}
  case $field in
    artifact) form="^$hex64\$" ;;
    sheet) form="^$hex64\$" sheet=$content ;;
    commit) form="^$commit_form\$" commit=$content ;;
    environment | wave) form=$name_form ;;
    kind) form='^(deploy|rollback)$' ;;
    not_after) form='^[1-9][0-9]{9,11}$' not_after=$content ;;
    release) form='^[!-~]{1,128}$' release=$content ;;
    request_id) form='^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' ;;
    ledger | version) form='^[!-~]([ -~]{0,198}[!-~])?$' ;;
  esac
  [[ $content =~ $form ]] || refuse malformed "the header's $field has another form than it must have"
done
IFS= read -r line <&3 && refuse malformed 'the header has a line too many'
exec 3<&-

header_says() { grep -qFx -- "$1=$2" "$header"; }

# ---- who signed the header, and does it say what is about to happen? ----------------------------------------

dispatcher=''
for candidate in "${dispatchers[@]}"; do
  if signed_by "$candidate" countersign-attestation@v1 "$work/part.2" "$header"; then
    dispatcher=$candidate
    break
  fi
done
[ -n "$dispatcher" ] || refuse bad_dispatcher_signature 'no dispatcher this pipeline trusts signed the header'

[ "$environment" = "$pinned_environment" ] ||
  refuse wrong_environment "the run is for '$environment', the trust is for $pinned_environment"
if ! header_says environment "$pinned_environment"; then
  header_says environment staging && refuse staging_not_production "an attestation for staging does not open $pinned_environment"
  refuse wrong_environment "the attestation is for another environment than $pinned_environment"
fi
header_says kind "$kind" || refuse wrong_kind "the attestation is not for a $kind"
header_says wave "$wave" || refuse wrong_wave "the attestation is not for wave '$wave'"
header_says version "$version" || refuse wrong_version "the attestation is not for version '$version'"
header_says request_id "$request_id" || refuse wrong_request_id "the attestation is not for request '$request_id'"
sha256 "$artifact_file"; artifact=$REPLY
header_says artifact "$artifact" || refuse wrong_artifact "the attestation is not for the file to be deployed, $artifact"
[ -z "$pinned_ledger" ] || header_says ledger "$pinned_ledger" || refuse wrong_ledger 'the attestation is from another ledger'
now=$(date -u +%s)
now_text=$(date -u +%Y-%m-%dT%H:%M:%SZ)
[ "$now" -lt "$not_after" ] || refuse expired "the attestation was good until $not_after, now is $now"

# ---- did people sign for it? --------------------------------------------------------------------------------

# FILE WHAT: one settled condition. Notes the leaf hash of the verdict, the number of the condition and who settled it,
# after the signature was found good.
note_settled() {
  local who leaf
  split_leaf "$1" "$2"
  signer_of "$1" "$2"; who=$REPLY
  signed_by "$who" countersign-condition@v1 "$1.armor" "$1.payload" ||
    refuse bad_human_signature "$2 is not signed by $who, or $who may not settle conditions here"
  reference approval "$1.payload" "$2"; leaf=$REPLY
  value condition '[0-9]+' "$1.payload" "$2"
  printf '%s %s %s\n' "$leaf" "$REPLY" "$who" >>"$work/settled"
}

# FILE WHAT ROLE: how many conditions of this GO nobody has settled who may fill its role; left in REPLY.
count_open() {
  local leaf place count settled about number who open=0
  has_key conditions "$1.payload" || refuse not_go "$2 is a GO on conditions and names none"
  sha256 "$1" '\0'; leaf=$REPLY
  value conditions "\\[$string(,$string)*\\]" "$1.payload" "$2"
  count=$(grep -oE "$string" <<<"$REPLY" | wc -l || true)
  for ((place = 0; place < count; place++)); do
    settled=no
    while read -r about number who; do
      if [ "$about $number" = "$leaf $place" ] && grep -qFx -- "$3 $who" "$work/may"; then settled=yes; fi
    done <"$work/settled"
    [ "$settled" = yes ] || open=$((open + 1))
  done
  REPLY=$open
}

# FILE WHAT LEAF: one verdict on the entry with this leaf hash. Leaves its signer in REPLY and its role in `role`,
# after the signature was found good.
judge_verdict() {
  local who said
  split_leaf "$1" "$2"
  signer_of "$1" "$2"; who=$REPLY
  signed_by "$who" countersign-approval@v1 "$1.armor" "$1.payload" ||
    refuse bad_human_signature "$2 is not signed by $who, or $who may not sign verdicts here"
  reference request "$1.payload" "$2"
  [ "$REPLY" = "$3" ] || refuse sheet_mismatch "$2 is about another entry"
  text verdict "$1.payload" "$2"; said=$REPLY
  [ "$said" = go ] || [ "$said" = conditional-go ] || refuse not_go "$who did not say GO"
  text role "$1.payload" "$2"; role=$REPLY
  [[ $role =~ $name_form ]] || refuse malformed "the role of $2 has another form than it must have"
  if [ "$said" = conditional-go ]; then
    count_open "$1" "$2" "$role"
    [ "$REPLY" -eq 0 ] || refuse not_go "$who said GO on conditions, and $REPLY of them open"
  fi
  REPLY=$who
}

is_dispatcher() {
  local one
  for one in "${dispatchers[@]}"; do [ "$one" != "$1" ] || return 0; done
  return 1
}

count_person() { # ROLE PRINCIPAL
  grep -qFx -- "$1 $2" "$work/may" || refuse wrong_role "$2 may not fill the role $1 here"
  printf '%s %s\n' "$1" "$2" >>"$work/counted"
}

# WHAT REQUESTER TYPE: the people counted so far are as many, and as different, as the requirement says for that type of
# change.
judge_quorum() {
  local i have type=every
  for i in "${!types[@]}"; do
    [ "${types[$i]}" != "$3" ] || type=$3
  done
  sort -u "$work/counted" -o "$work/counted"
  [ -s "$work/counted" ] || refuse no_human_signature "no person signed $1"
  for i in "${!roles[@]}"; do
    [ "${types[$i]}" = "$type" ] || continue
    have=$(cut -d ' ' -f 1 "$work/counted" | grep -cFx -- "${roles[$i]}" || true)
    [ "$have" -ge "${counts[$i]}" ] || refuse quorum_missing "$1 has $have of ${counts[$i]} in the role ${roles[$i]}"
  done
  if [ "$distinct" = yes ]; then
    have=$(cut -d ' ' -f 2 "$work/counted" | sort | uniq -d | tr '\n' ' ')
    [ -z "$have" ] || refuse not_distinct "${have% } signed $1 in more than one role"
  fi
  if [ "$distinct_requester" = yes ] && cut -d ' ' -f 2 "$work/counted" | grep -qFx -- "$2"; then
    refuse not_distinct "$2 both asked for and signed $1"
  fi
}

: >"$work/counted"
: >"$work/settled"
for i in "${!conditions[@]}"; do note_settled "${conditions[$i]}" "settled condition $((i + 1))"; done
if [ "$human" = no ]; then
  if [ -n "$request" ]; then
    sha256 "$request" '\0'
    [ "$REPLY" = "$sheet" ] || refuse sheet_mismatch 'the entry is not the one the header names'
  fi
else
  [ ${#approvals[@]} -gt 0 ] || refuse no_human_signature 'the attestation holds no verdict; a machine alone is never a GO'
  [ -n "$request" ] || refuse sheet_mismatch 'the attestation holds no decision sheet'
  sha256 "$request" '\0'
  [ "$REPLY" = "$sheet" ] || refuse sheet_mismatch 'the decision sheet is not the one the header names'
  split_leaf "$request" 'the decision sheet'
  signer_of "$request" 'the decision sheet'; requester=$REPLY
  signed_by "$requester" countersign-request@v1 "$request.armor" "$request.payload" ||
    refuse bad_human_signature "the decision sheet is not signed by $requester, or $requester may not ask here"
  if is_dispatcher "$requester"; then
    has_key authorization "$request.payload" || refuse bad_human_signature 'a machine asked, and under no standing authorization'
  fi

  # What has keys of the same names is set aside first: the release that is live, the one that a rollback brings
  # back, the program that wrote the sheet. What is approved as the way back is not approved as the release.
  one="\\{\"name\":$string,\"sha256\":\"$hex64\"\\}"
  other_release="\\{\"artifacts\":\\[$one(,$one)*\\],\"commit\":\"$commit_form\",\"release\":$string,\"version\":$string\\}"
  sed -E \
    -e "s/([{,])\"app\":\\{\"build\":$string,\"version\":$string\\}/\\1\"app\":null/" \
    -e "s/([{,])\"live\":$other_release/\\1\"live\":null/" \
    -e "s/([{,])\"rollback\":$other_release/\\1\"rollback\":null/" "$request.payload" >"$work/sheet"
  { grep -aoE "[{,]\"rollback\":$other_release" "$request.payload" || true; } >"$work/slot"

  text environment "$work/sheet" 'the decision sheet'
  if [ "$REPLY" != "$pinned_environment" ]; then
    [ "$REPLY" != staging ] || refuse staging_not_production "a decision for staging does not open $pinned_environment"
    refuse wrong_environment "the decision sheet is for $REPLY"
  fi
  if [ -n "$pinned_product" ]; then
    text product "$work/sheet" 'the decision sheet'
    [ "$REPLY" = "$pinned_product" ] || refuse wrong_product "the decision sheet is for $REPLY"
  fi
  text release "$work/sheet" 'the decision sheet'
  [ "$REPLY" = "$release" ] || refuse wrong_release "the decision sheet is for $REPLY"

  approved=$work/sheet
  [ "$kind" = deploy ] || approved=$work/slot
  [ -s "$approved" ] || refuse wrong_artifact 'the decision sheet has no way back'
  value artifacts "\\[$one(,$one)*\\]" "$approved" "what the decision sheet allows as a $kind"
  grep -qF -- ",\"sha256\":\"$artifact\"}" <<<"$REPLY" || refuse wrong_artifact "the decision sheet does not allow $artifact as a $kind"
  text version "$approved" "what the decision sheet allows as a $kind"
  [ "$REPLY" = "$version" ] || refuse wrong_version "the decision sheet is for $REPLY as a $kind"
  text commit "$approved" "what the decision sheet allows as a $kind"
  [ "$REPLY" = "$commit" ] || refuse wrong_commit "the decision sheet is for $REPLY as a $kind"

  # The waves of the sheet: those before this one, of which the first is on time and the others are claimed.
  step='\{"bake_seconds":[0-9]+,"segment":"[a-z0-9][a-z0-9._-]*"\}'
  value rollout "\\[$step(,$step)*\\]" "$work/sheet" 'the decision sheet'
  grep -oE '"segment":"[^"]*"' <<<"$REPLY" | cut -d '"' -f 4 >"$work/waves"
  grep -qFx -- "$wave" "$work/waves" || refuse wrong_wave "the decision sheet has no wave '$wave'"
  first_wave=$(head -n 1 "$work/waves")
  claimed=$claims/deploy/$sheet/$environment
  if [ "$kind" = rollback ]; then
    [ -d "$claimed/$first_wave" ] || refuse wave_order 'nothing of this sheet was let through that could be taken back'
  elif [ "$wave" = "$first_wave" ]; then
    text not_after "$work/sheet" 'the decision sheet'; good_until=$REPLY
    period window "$work/sheet" 'the decision sheet'
    [[ $good_until =~ ^$time_form$ ]] || refuse malformed 'the not_after of the decision sheet is not a UTC time'
    [[ $now_text < $good_until ]] || refuse expired "the decision was good until $good_until, now is $now_text"
    [[ ! $now_text > $until ]] || refuse expired "the window of the decision was open until $until, now is $now_text"
    [[ ! $now_text < $from ]] || refuse too_early "the decision is good from $from, now is $now_text"
  else
    while read -r earlier && [ "$earlier" != "$wave" ]; do
      [ -d "$claimed/$earlier" ] || refuse wave_order "wave '$earlier' comes before '$wave' and was not let through"
    done <"$work/waves"
  fi

  standing=no
  for i in "${!approvals[@]}"; do
    judge_verdict "${approvals[$i]}" "approval $((i + 1))" "$sheet"
    if is_dispatcher "$REPLY"; then
      has_key authorization "${approvals[$i]}.payload" ||
        refuse no_human_signature 'a machine said GO, and under no standing authorization'
      [ "$standing" = no ] || refuse malformed 'the dispatcher gave more than one verdict'
      reference authorization "${approvals[$i]}.payload" "approval $((i + 1))"; standing=$REPLY
    else
      ! has_key authorization "${approvals[$i]}.payload" || refuse malformed "approval $((i + 1)) is a person's and names an authorization"
      count_person "$role" "$REPLY"
    fi
  done

  if [ "$standing" = no ]; then
    [ -z "$authorization" ] && [ ${#adoptions[@]} -eq 0 ] || refuse malformed 'there is an authorization that no verdict rests on'
    ! is_dispatcher "$requester" || refuse no_human_signature 'a machine asked, and nothing stands for the people'
    text change_type "$work/sheet" 'the decision sheet'
    judge_quorum 'the decision sheet' "$requester" "$REPLY"
  else
    # Under a standing authorization the people are those who adopted it; a verdict by hand adds nothing to them.
    : >"$work/counted"
    grep -qFx -- "$standing" "$work/authorizations" || refuse no_human_signature 'this pipeline accepts no such standing authorization'
    [ -n "$authorization" ] || refuse no_human_signature 'the standing authorization itself is missing'
    sha256 "$authorization" '\0'
    [ "$REPLY" = "$standing" ] || refuse sheet_mismatch 'the standing authorization is not the one the verdict rests on'
    split_leaf "$authorization" 'the standing authorization'
    signer_of "$authorization" 'the standing authorization'; grantor=$REPLY
    ! is_dispatcher "$grantor" || refuse bad_human_signature 'the standing authorization is signed by a machine'
    signed_by "$grantor" countersign-authorization@v1 "$authorization.armor" "$authorization.payload" ||
      refuse bad_human_signature "the standing authorization is not signed by $grantor"
    if has_key authorization "$work/sheet"; then
      reference authorization "$work/sheet" 'the decision sheet'
      [ "$REPLY" = "$standing" ] || refuse sheet_mismatch 'the decision sheet names another standing authorization'
    fi
    text to "$authorization.payload" 'the standing authorization'
    [ "$REPLY" = grant ] || refuse malformed 'the standing authorization grants nothing'
    text environment "$authorization.payload" 'the standing authorization'
    [ "$REPLY" = "$pinned_environment" ] || refuse wrong_environment "the standing authorization is for $REPLY"
    text product "$work/sheet" 'the decision sheet'; product=$REPLY
    text product "$authorization.payload" 'the standing authorization'
    [ "$REPLY" = "$product" ] || refuse wrong_product "the standing authorization is for $REPLY"
    period valid "$authorization.payload" 'the standing authorization'
    [[ ! $now_text > $until ]] || [ "$kind" = rollback ] || refuse expired "the standing authorization was good until $until, now is $now_text"
    [[ ! $now_text < $from ]] || refuse too_early "the standing authorization is good from $from, now is $now_text"
    for i in "${!adoptions[@]}"; do
      judge_verdict "${adoptions[$i]}" "adoption $((i + 1))" "$standing"
      ! is_dispatcher "$REPLY" || refuse bad_human_signature "adoption $((i + 1)) is signed by a machine"
      count_person "$role" "$REPLY"
    done
    judge_quorum 'the standing authorization' "$grantor" every
  fi
fi

# ---- claim it: of two runs that come this far, one gets the directory ----------------------------------------

claim=$claims/$kind/$sheet/$environment place=$wave repeatable=no
if [ "$kind" = rollback ] || [ "$human" = no ]; then
  claim=$claim/$wave place=$request_id repeatable=yes
fi
mkdir -p -- "$claim" || refuse claim_failed 'the claim could not be written'
if ! mkdir -- "$claim/$place" 2>/dev/null; then
  [ -d "$claim/$place" ] || refuse claim_failed 'the claim could not be written'
  refuse already_claimed "this $kind to $environment, wave $wave, was let through before"
fi
cat -- "$header" >"$claim/$place/header" || refuse claim_failed 'the claim could not be written'
sync -- "$claim/$place/header" "$claim/$place" "$claim" 2>/dev/null || sync
# Looked for after the claim: of two that come at the same moment, each sees the other, or is seen.
if [ "$kind" = deploy ] && [ -d "$claims/rollback/$sheet/$environment" ]; then
  refuse rolled_back 'a rollback of this sheet was let through; nothing more of it goes out'
fi
if [ "$repeatable" = yes ]; then
  set +f
  others=("$claims/$kind/$sheet/$environment"/*/*/header)
  set -f
  for other in "${others[@]}"; do
    until=$(grep -aoE '^not_after=[0-9]+$' "$other" || true)
    [ -z "$until" ] || [ "${until#*=}" -le "$not_after" ] ||
      refuse overtaken "a later $kind of this sheet to $environment was let through while this one was on its way"
  done
fi

printf 'gate: accepted: %s of %s (%s) to %s, wave %s, under sheet %s\n' "$kind" "$version" "$artifact" "$environment" "$wave" "$sheet"
while read -r role who; do
  printf 'gate: signed: %s as %s\n' "$who" "$role"
done <"$work/counted"
