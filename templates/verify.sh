#!/usr/bin/env bash
# Verifies an unpacked Countersign bundle with common tools, without Countersign.
#
#   verify.sh [--fingerprint HEX] [DIR]      DIR is the unpacked bundle; the current directory if left out
#
# Take this script and the fingerprint from somewhere else than the bundle: a bundle that was made up brings a script
# that is content with it. The fingerprint is the SHA-256 of entry 0; the people of the ledger tell it.
#
# It needs bash (3.2 or newer), the core utilities, ssh-keygen (OpenSSH 8.9 or newer) and openssl (OpenSSL 1.1.1 or newer).
# Where sha256sum is missing, shasum does (macOS). Where openssl cannot check Ed25519 signatures (some LibreSSL), it says
# so, leaves out the signature of the checkpoint and answers `incomplete`. It takes about 20 ms for each entry.
#
# Exit: 0 valid, 1 incomplete (what is there is sound; something needed is missing), 4 invalid (names what is not
# sound), 2 wrong use, 3 cannot work here.
#
# WHAT IT CHECKS
#   every file is listed in SHA256SUMS and is what that says, and a device of the ledger signed the list
#   every entry is signed by the person or device it names, for the act it names, at a time when that key could sign,
#     with a key that an earlier entry brought in (entry 0 brings in its own)
#   every entry names, as what its signer had seen, a head that these entries have
#   the entries lead to the root in the checkpoint (of one release alone: each proof does), and a log key that an entry
#     brought in signed it
#   the files that entries name are there and have those digests
# WHAT IT DOES NOT JUDGE is printed at the end.
#
# It finds names in an entry without a JSON parser. That is sound: the payload is canonical JSON (RFC 8785), in which a
# quote inside a text is always written \" and there are no spaces between parts. Split at the quotes, a piece of text
# that is followed by `:` or `:{` and does not end in a backslash is therefore a name, never something a person wrote;
# names are sorted, so what follows which is fixed.

set -uf
export LC_ALL=C TZ=UTC
unset BASH_ENV ENV CDPATH GLOBIGNORE POSIXLY_CORRECT
IFS=$' \t\n'

usage() {
  printf 'usage: verify.sh [--fingerprint HEX] [DIR]\n' >&2
  exit 2
}
cannot() {
  printf 'verify.sh: cannot verify here: %s\n' "$1" >&2
  exit 3
}
verdict=valid
bad() {
  verdict=invalid
  printf 'not sound   %s\n' "$1"
}
lacking() {
  [[ $verdict == invalid ]] || verdict=incomplete
  printf 'lacking     %s\n' "$1"
}

fingerprint='' dir=.
while (($#)); do
  case $1 in
    --fingerprint) (($# > 1)) || usage; fingerprint=$2; shift 2 ;;
    --fingerprint=*) fingerprint=${1#*=}; shift ;;
    -*) usage ;;
    *) dir=$1; shift; (($# == 0)) || [[ $1 == --fingerprint* ]] || usage ;;
  esac
done
[[ -z $fingerprint || $fingerprint =~ ^[0-9a-f]{64}$ ]] || usage
cd -- "$dir" 2>/dev/null || cannot "there is no directory $dir"
[[ -f SHA256SUMS || -d leaves ]] || cannot "$dir holds no unpacked bundle"

for tool in cat comm head mkdir mktemp od rm sort tail wc ssh-keygen openssl; do
  command -v "$tool" >/dev/null || cannot "$tool is missing"
done
if command -v sha256sum >/dev/null; then sha=(sha256sum); else sha=(shasum -a 256); fi
command -v "${sha[0]}" >/dev/null || cannot "neither sha256sum nor shasum is here"
tmp=$(mktemp -d) || cannot "no temporary directory"
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/leaf" "$tmp/node" || cannot "nothing can be written to $tmp"

# What ssh-keygen must be able to do: tell whether a key could sign at a time.
ssh-keygen -q -t ed25519 -N '' -C '' -f "$tmp/key" && read -r line <"$tmp/key.pub"
printf 'a@b namespaces="c",valid-after="20260101000000" %s\n' "${line-}" >"$tmp/signers"
ssh-keygen -q -Y sign -f "$tmp/key" -n c "$tmp/key.pub" 2>/dev/null
at() { ssh-keygen -Y verify -f "$tmp/signers" -I a@b -n c -O "verify-time=$1" -s "$tmp/key.pub.sig" <"$tmp/key.pub" >/dev/null 2>&1; }
{ at 20260101000001 && ! at 20251231235959; } || cannot "this ssh-keygen cannot verify signatures at a time: OpenSSH 8.9 is needed"

# Prints the SHA-256 of each file, one a line as sha256sum does.
hash_all() {
  local k
  for ((k = 1; k <= $#; k += 1000)); do "${sha[@]}" -- "${@:k:1000}"; done
}
# Sets escaped to the printf form of 64 hexadecimal digits.
escape() {
  local h=$1 k
  escaped=
  for ((k = 0; k < 64; k += 16)); do
    escaped+="\\x${h:k:2}\\x${h:k+2:2}\\x${h:k+4:2}\\x${h:k+6:2}"
    escaped+="\\x${h:k+8:2}\\x${h:k+10:2}\\x${h:k+12:2}\\x${h:k+14:2}"
  done
}
# Sets base64 to the base64 of 64 hexadecimal digits.
digits=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/
to_base64() {
  local h=$1 k v
  base64=
  for ((k = 0; k < 60; k += 6)); do
    v=$((16#${h:k:6}))
    base64+=${digits:v>>18:1}${digits:v>>12&63:1}${digits:v>>6&63:1}${digits:v&63:1}
  done
  v=$((16#${h:60:4} << 2))
  base64+=${digits:v>>12:1}${digits:v>>6&63:1}${digits:v&63:1}=
}

# ---- The files: each has a place, each is listed, the list is right. ----------------------------------------------

set +f
shopt -s nullglob dotglob
all=(* leaves/* proofs/* evidence/* evidence/sha256/*)
set -f
always=' README.txt verify.sh checkpoint policy allowed_signers allowed_signers.plain revoked SHA256SUMS SHA256SUMS.sig '
reports=' report.html report.pdf report.csv report.json '
leaves=() proofs=() files=()
for file in "${all[@]}"; do
  if [[ -L $file ]]; then
    bad "$file is a link, which no bundle has"
  elif [[ -d $file ]]; then
    [[ ' leaves proofs evidence evidence/sha256 ' == *" $file "* ]] || bad "the directory $file has no place in a bundle"
  elif [[ ! -f $file ]]; then
    bad "$file is no plain file"
  else
    files+=("$file")
    if [[ $file =~ ^leaves/[0-9]{8}\.leaf$ ]]; then
      leaves+=("$file")
    elif [[ $file =~ ^proofs/[0-9]{8}\.tlog-proof$ ]]; then
      proofs+=("$file")
    elif [[ ! $file =~ ^evidence/sha256/[0-9a-f]{64}$ && "$always$reports" != *" $file "* ]]; then
      bad "$file has no place in a bundle"
    fi
  fi
done
missing=
for file in $always; do
  [[ -f $file && ! -L $file ]] || { bad "$file is missing"; missing=1; }
done
((${#leaves[@]} > 0)) || { bad "there are no entries"; missing=1; }
if [[ $missing ]]; then
  printf 'verdict: invalid\n'
  exit 4
fi

names=()
while IFS= read -r line || [[ $line ]]; do
  if [[ $line =~ ^[0-9a-f]{64}\ \ ([A-Za-z0-9._/-]+)$ ]]; then
    names+=("${BASH_REMATCH[1]}")
  else
    bad "SHA256SUMS has a line that is not a digest and a name"
  fi
done <SHA256SUMS
printf '%s\n' "${names[@]-}" SHA256SUMS SHA256SUMS.sig | sort >"$tmp/listed"
printf '%s\n' "${files[@]}" | sort >"$tmp/here"
while IFS= read -r file; do bad "$file is not listed in SHA256SUMS"; done < <(comm -13 "$tmp/listed" "$tmp/here")
while IFS= read -r file; do bad "$file is listed in SHA256SUMS, not here or twice"; done < <(comm -23 "$tmp/listed" "$tmp/here")
while IFS= read -r line; do
  [[ $line == *': OK' ]] || bad "${line%%: *} is not the file that SHA256SUMS lists: it was changed"
done < <("${sha[@]}" -c SHA256SUMS 2>/dev/null)

# ---- The entries: who signed what, and when. -----------------------------------------------------------------------

# The bundle's signers; one counts once an entry has brought its key in. Times lose their Z, which older OpenSSH does
# not read; they are UTC all the same, since the time zone here is.
signer_who=() signer_key=() signer_line=() signer_kind=()
while IFS= read -r line || [[ $line ]]; do
  if [[ $line =~ ^([a-z0-9._+-]+@[a-z0-9.-]+)\ namespaces=\"[a-z0-9@,-]+\",valid-after=\"[0-9]{14}Z\"(,valid-before=\"[0-9]{14}Z\")?\ (ssh-ed25519\ [A-Za-z0-9+/]{68})$ ]]; then
    signer_who+=("${BASH_REMATCH[1]}")
    signer_key+=("${BASH_REMATCH[3]}")
    signer_line+=("${line//Z\"/\"}")
    signer_kind+=('')
  else
    bad "allowed_signers has a line that no ledger makes"
  fi
done <allowed_signers
while IFS= read -r line || [[ $line ]]; do
  [[ $line =~ ^ssh-ed25519\ [A-Za-z0-9+/]{68}$ ]] || bad "revoked has a line that is not a key"
done <revoked
: >"$tmp/signers"

# Splits a payload at its quotes and sets act who when origin seen_root seen_size, the digests of the files it names and
# the keys it brings in.
parse() {
  local -a t
  local k n key= kind= after_signer= next
  local IFS='"'
  act= who= when= origin= seen_root= seen_size= blobs=() new_who=() new_key=() new_kind=() new_log=()
  read -r -a t <<<"$1"
  n=${#t[@]}
  for ((k = n - 1; k > 0; k--)); do
    if [[ ${t[k]} == predicateType && ${t[k + 1]-} == : && ${t[k - 1]} == *'},' ]]; then
      next=${t[k + 2]-}
      [[ $next =~ ^https://countersign\.example/([a-z-]+)/v1$ ]] && act=${BASH_REMATCH[1]}
      break
    fi
  done
  for ((k = 1; k < n; k++)); do
    next=${t[k + 1]-}
    case ${t[k]} in
      seen)
        if [[ $next == ':{' && ${t[k + 2]-} == origin && ${t[k + 6]-} == root && ${t[k + 10]-} == size ]]; then
          origin=${t[k + 4]} seen_root=${t[k + 8]}
          [[ ${t[k + 11]-} =~ ^:(0|[1-9][0-9]{0,9})\}, ]] && seen_size=${BASH_REMATCH[1]}
        fi ;;
      signer) [[ $next == ':{' ]] && after_signer=1 ;;
      principal)
        if [[ $next == : ]]; then
          [[ $after_signer && ! $who ]] && who=${t[k + 2]-}
          if [[ $key ]]; then
            new_who+=("${t[k + 2]-}") new_key+=("$key") new_kind+=("$kind") key=
          fi
        fi ;;
      time) [[ $next == : && $after_signer && ! $when ]] && when=${t[k + 2]-} ;;
      key)
        if [[ $next == : && " genesis enrol device key " == *" $act "* ]]; then
          key=${t[k + 2]-} kind=device
          [[ ${t[k + 4]-} == key_origin ]] && kind=person
        fi ;;
      log_key) [[ $next == : && " genesis device " == *" $act "* ]] && new_log+=("${t[k + 2]-}") ;;
      digest) [[ $next == : && " propose evidence announce " == *" $act "* ]] && blobs+=("${t[k + 2]-}") ;;
      log) [[ $next == : && $act == run && ${t[k - 1]} == *'},' ]] && blobs+=("${t[k + 2]-}") ;;
      paper) [[ $next == : && $act == late ]] && blobs+=("${t[k + 2]-}") ;;
    esac
  done
}

log_keys=' '
# Lets the keys of the parsed entry sign from here on.
bring_in() {
  local k j found
  for ((k = 0; k < ${#new_key[@]}; k++)); do
    found=
    for ((j = 0; j < ${#signer_key[@]}; j++)); do
      if [[ ${signer_key[j]} == "${new_key[k]}" && ${signer_who[j]} == "${new_who[k]}" && -z ${signer_kind[j]} ]]; then
        signer_kind[j]=${new_kind[k]} found=1
        printf '%s\n' "${signer_line[j]}" >>"$tmp/signers"
      fi
    done
    [[ $found ]] || bad "$1 brings in a key of ${new_who[k]}, which allowed_signers does not list"
  done
  for ((k = 0; k < ${#new_log[@]}; k++)); do log_keys+="${new_log[k]} "; done
}

index_of=() size_seen=() root_seen=()
first_origin= latest= checked=0 place=0
for file in "${leaves[@]}"; do
  digits_of=${file:7:8}
  index=$((10#$digits_of))
  told="entry $index ($file)"
  index_of[place]=$index
  { printf '\0'; cat "$file"; } >"$tmp/leaf/$digits_of"
  { IFS= read -r payload; IFS= read -r -d '' armor; } <"$file"
  parse "$payload"
  if [[ ! $act || ! $who =~ ^[a-z0-9._+-]+@[a-z0-9.-]+$ || ! $seen_size ||
    ! $when =~ ^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$ ]]; then
    bad "$told does not say who did what when, and had seen what"
    ((place += 1))
    continue
  fi
  stamp=${BASH_REMATCH[1]}${BASH_REMATCH[2]}${BASH_REMATCH[3]}${BASH_REMATCH[4]}${BASH_REMATCH[5]}${BASH_REMATCH[6]}
  [[ ! $stamp < $latest ]] && latest=$stamp
  if ((index == 0)); then
    first_origin=$origin
    [[ $act == genesis ]] || bad "$told is not the act of founding a ledger"
    bring_in "$told"
  else
    [[ $act != genesis ]] || bad "$told founds a ledger where there is one"
    [[ $origin == "$first_origin" ]] || bad "$told is of another ledger"
  fi
  printf '%s' "$armor" >"$tmp/signature"
  if ssh-keygen -Y verify -f "$tmp/signers" -I "$who" -n "countersign-$act@v1" -r revoked -O "verify-time=$stamp" \
    -s "$tmp/signature" <<<"$payload" >"$tmp/said" 2>&1; then
    ((checked += 1))
    ((index == 0)) || bring_in "$told"
    for digest in ${blobs[@]+"${blobs[@]}"}; do
      if [[ ! $digest =~ ^[0-9a-f]{64}$ ]]; then
        bad "$told names a file by something that is no digest"
      elif [[ ! -f evidence/sha256/$digest ]]; then
        lacking "$told names the file $digest, which is not here"
      fi
    done
  else
    read -r line <"$tmp/said"
    bad "$told is not signed by $who as it says: ${line-}"
  fi
  if ((seen_size > index)); then
    bad "$told claims to have seen $seen_size entries: entries before it are missing"
  else
    size_seen[place]=$seen_size root_seen[place]=$seen_root
  fi
  ((place += 1))
done
for ((j = 0; j < ${#signer_key[@]}; j++)); do
  [[ ${signer_kind[j]} ]] || bad "allowed_signers lists a key of ${signer_who[j]} that no entry brings in"
done

# ---- The anchor. ---------------------------------------------------------------------------------------------------

if [[ -z $fingerprint ]]; then
  lacking "the fingerprint: without --fingerprint nothing tells this ledger from one made up"
else
  read -r found _ < <("${sha[@]}" -- leaves/00000000.leaf 2>/dev/null)
  [[ ${found-} == "$fingerprint" ]] || bad "entry 0 (leaves/00000000.leaf) is of another ledger: fingerprint ${found-none}"
fi

# ---- The checkpoint. -----------------------------------------------------------------------------------------------

lines=()
while IFS= read -r line; do lines+=("$line"); done <checkpoint
size=${lines[1]-} root=${lines[2]-}
if [[ ${#lines[@]} -lt 5 || ! $size =~ ^(0|[1-9][0-9]{0,9})$ || ! $root =~ ^[A-Za-z0-9+/]{43}=$ || -n ${lines[3]-} ]]; then
  bad "checkpoint is not origin, size, root and signatures"
  size=0
fi
[[ ${lines[0]-} == "$first_origin" ]] || bad "checkpoint is of another ledger"
printf '%s\n' "${lines[0]-}" "$size" "$root" >"$tmp/body"

# Tells whether openssl says that a signature verifies: KEY (DER) MESSAGE SIGNATURE.
key_prefix='\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
ed25519_verifies() {
  openssl pkey -pubin -inform DER -in "$1" -out "$tmp/key.pem" 2>/dev/null &&
    openssl pkeyutl -verify -pubin -inkey "$tmp/key.pem" -rawin -in "$2" -sigfile "$3" >"$tmp/said" 2>&1 &&
    read -r line <"$tmp/said" && [[ $line == 'Signature Verified Successfully' ]]
}
# RFC 8032 section 7.1, test 2: what openssl must be able to tell.
escape 3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
printf "$key_prefix$escaped" >"$tmp/key"
printf '\x72' >"$tmp/message"
escape 92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
half=$escaped
escape 085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
printf "$half$escaped" >"$tmp/known"
if ! ed25519_verifies "$tmp/key" "$tmp/message" "$tmp/known"; then
  lacking "the signature of checkpoint was not checked: this openssl cannot check Ed25519 (use OpenSSL 1.1.1 or newer)"
else
  by_log=
  while IFS= read -r line || [[ $line ]]; do
    if [[ $line =~ ^log\ ([^\ +]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$ ]]; then
      name=${BASH_REMATCH[1]} id=${BASH_REMATCH[2]} key=${BASH_REMATCH[3]}
      openssl base64 -d -A <<<"$key" 2>/dev/null | tail -c 32 >"$tmp/raw"
      wire=$({ printf '\0\0\0\13ssh-ed25519\0\0\0\40'; cat "$tmp/raw"; } | openssl base64 -A)
      [[ $name == "${lines[0]-}" ]] || bad "policy names a log key of another ledger"
      [[ $log_keys == *" ssh-ed25519 $wire "* || $log_keys == *"ssh-ed25519 $wire "* ]] ||
        bad "policy names a log key that no entry brings in"
      { printf "$key_prefix"; cat "$tmp/raw"; } >"$tmp/key"
      for ((k = 4; k < ${#lines[@]}; k++)); do
        if [[ ${lines[k]} == $'\xe2\x80\x94 '"$name "* ]]; then
          openssl base64 -d -A <<<"${lines[k]##* }" 2>/dev/null >"$tmp/line"
          tail -c 64 "$tmp/line" >"$tmp/signature"
          found=$(head -c 4 "$tmp/line" | od -An -v -tx1)
          [[ ${found// /} == "$id" ]] || continue
          if [[ $(wc -c <"$tmp/line") -eq 68 ]] && ed25519_verifies "$tmp/key" "$tmp/body" "$tmp/signature"; then
            by_log=1
          else
            bad "checkpoint has a signature that does not verify"
          fi
        fi
      done
    elif [[ $line != 'quorum none' ]]; then
      lacking "policy asks for witnesses, which this script does not check: $line"
    fi
  done <policy
  [[ $by_log ]] || bad "checkpoint is not signed by a log key of this ledger"
fi

# ---- The tree (RFC 6962 section 2.1). ------------------------------------------------------------------------------

set +f
hashed=("$tmp"/leaf/*)
set -f
node=() count=${#leaves[@]} place=0
while read -r digest _; do
  node[place]=$digest
  ((place += 1))
done < <(hash_all "${hashed[@]}")

if ((${#proofs[@]} == 0)); then
  for ((place = 0; place < count; place++)); do
    if ((index_of[place] != place)); then
      bad "entry $place (leaves/$(printf %08d "$place").leaf) is missing, later entries are here"
      break
    fi
  done
  ((size == count)) || bad "checkpoint is of $size entries, $count are here"

  # hashes[offset[l] + i] is the root over entries [i * 2^l, (i + 1) * 2^l), in printf form.
  hashes=() offset=(0)
  for ((place = 0; place < count; place++)); do
    escape "${node[place]}"
    hashes[place]=$escaped
  done
  level=0 total=$count width=$count
  while ((width > 1)); do
    files=() from=${offset[level]}
    for ((k = 0; k + 1 < width; k += 2)); do
      printf "\\x01${hashes[from + k]}${hashes[from + k + 1]}" >"$tmp/node/$k"
      files+=("$tmp/node/$k")
    done
    ((level += 1))
    offset[level]=$total
    while read -r digest _; do
      escape "$digest"
      hashes[total]=$escaped
      ((total += 1))
    done < <(hash_all "${files[@]}")
    width=$((width / 2))
  done

  # The root of the first s entries, for each s that is asked for: complete subtrees folded from the right.
  roots=() rest=()
  for s in "$count" ${size_seen[@]+"${size_seen[@]}"}; do
    ((s == 0)) && continue
    level=0 low=1
    while (((s & low) == 0)); do ((level += 1, low *= 2)); done
    roots[s]=${hashes[offset[level] + s / low - 1]}
    rest[s]=$((s - low))
  done
  while :; do
    files=() sizes=()
    for s in ${rest[@]+"${!rest[@]}"}; do
      r=${rest[s]}
      ((r > 0)) || { unset "rest[$s]"; continue; }
      level=0 low=1
      while (((r & low) == 0)); do ((level += 1, low *= 2)); done
      printf "\\x01${hashes[offset[level] + r / low - 1]}${roots[s]}" >"$tmp/node/$s"
      files+=("$tmp/node/$s") sizes+=("$s")
      rest[s]=$((r - low))
    done
    ((${#files[@]} > 0)) || break
    k=0
    while read -r digest _; do
      escape "$digest"
      roots[sizes[k]]=$escaped
      ((k += 1))
    done < <(hash_all "${files[@]}")
  done
  empty=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
  # Sets base64 to the root of the first $1 entries.
  root_of() {
    if (($1 == 0)); then base64=$empty; else to_base64 "${roots[$1]//\\x/}"; fi
  }
  for ((place = 0; place < count; place++)); do
    [[ ${size_seen[place]-} ]] || continue
    root_of "${size_seen[place]}"
    [[ $base64 == "${root_seen[place]}" ]] ||
      bad "entry ${index_of[place]} (${leaves[place]}): its signer saw other entries before ${size_seen[place]}"
  done
  root_of "$count"
  [[ $base64 == "$root" ]] || bad "the entries lead to the root $base64, not to the one in checkpoint"
else
  # One release alone: each entry has its proof (C2SP tlog-proof; checked as RFC 9162 section 2.1.3.2 writes it out).
  IFS= read -r -d '' signed_head <checkpoint
  hash_pair() {
    printf "\\x01$1$2" >"$tmp/node/pair"
    read -r digest _ < <("${sha[@]}" -- "$tmp/node/pair")
    escape "$digest"
  }
  ((${#proofs[@]} == count)) || bad "there are $count entries and ${#proofs[@]} proofs"
  for ((place = 0; place < count; place++)); do
    index=${index_of[place]}
    file=proofs/${leaves[place]:7:8}.tlog-proof
    told="entry $index ($file)"
    [[ -f $file ]] || { bad "$told has no proof"; continue; }
    path=()
    {
      IFS= read -r first
      IFS= read -r second
      while IFS= read -r line && [[ $line ]]; do path+=("$line"); done
      IFS= read -r -d '' under
    } <"$file"
    if [[ $first != 'c2sp.org/tlog-proof@v1' || $second != "index $index" || $under != "$signed_head" ]]; then
      bad "$told is not a proof of this entry under this checkpoint"
      continue
    fi
    escape "${node[place]}"
    fn=$index sn=$((size - 1)) well=1
    ((index < size)) || well=
    for sibling in ${path[@]+"${path[@]}"}; do
      [[ $sibling =~ ^[A-Za-z0-9+/]{43}=$ ]] && ((sn > 0)) || { well=; break; }
      mine=$escaped
      hex=
      while read -r line; do hex+=${line// /}; done < <(openssl base64 -d -A <<<"$sibling" | od -An -v -tx1)
      escape "$hex"
      if ((fn & 1)) || ((fn == sn)); then
        hash_pair "$escaped" "$mine"
        while (((fn & 1) == 0 && fn != 0)); do ((fn >>= 1, sn >>= 1)); done
      else
        hash_pair "$mine" "$escaped"
      fi
      ((fn >>= 1, sn >>= 1))
    done
    to_base64 "${escaped//\\x/}"
    [[ $well ]] && ((sn == 0)) && [[ $base64 == "$root" ]] || bad "$told does not lead to the root in checkpoint"
  done
  lacking "the other entries: this copy of one release shows that its $count entries are among $size, never that there is no NO-GO"
fi

# ---- The files that entries name, and the list of all files. -------------------------------------------------------

for file in "${all[@]}"; do
  if [[ $file =~ ^evidence/sha256/([0-9a-f]{64})$ ]]; then
    read -r found _ < <("${sha[@]}" -- "$file")
    [[ $found == "${BASH_REMATCH[1]}" ]] || bad "$file has another digest than its name"
  fi
done

who=
if ssh-keygen -Y find-principals -f "$tmp/signers" -O "verify-time=$latest" -s SHA256SUMS.sig >"$tmp/said" 2>/dev/null; then
  read -r who <"$tmp/said"
fi
kind=
for ((j = 0; j < ${#signer_key[@]}; j++)); do
  [[ ${signer_who[j]} == "$who" ]] && kind=${signer_kind[j]}
done
if [[ $kind != device ]]; then
  bad "SHA256SUMS.sig is not made by a device of this ledger"
elif ! ssh-keygen -Y verify -f "$tmp/signers" -I "$who" -n countersign-export@v1 -r revoked -O "verify-time=$latest" \
  -s SHA256SUMS.sig <SHA256SUMS >/dev/null 2>&1; then
  bad "SHA256SUMS is not the list that $who signed"
fi

printf 'entries     %s, of which %s are signed as they say; checkpoint of %s entries, root %s\n' "$count" "$checked" "$size" "$root"
printf '%s\n' \
  'not judged  who held which role, whether a quorum was complete, who may not approve what they asked for, the order' \
  '            of acts, freezes and windows, and what evidence says. "countersign verify" judges them.' \
  'not judged  the reports and README.txt beyond the signature of the device that made this copy.'
printf 'verdict: %s\n' "$verdict"
case $verdict in
  valid) exit 0 ;;
  incomplete) exit 1 ;;
  *) exit 4 ;;
esac
