#!/bin/bash
# Runs runc's own integration tests (tests/integration/*.bats) against native/build/mooring-runtime, and prints what they say.
#   conformance-runc.sh            all of them
#   conformance-runc.sh NAME…      only these files, as "exec" or "mounts"
#   RUNTIME=/usr/sbin/runc …       another runtime, to compare
#   CONFORMANCE_LOG=FILE           keeps all that bats prints
# The suite is fetched from the Go module proxy, its helpers are built, and its two images are made of Debian's packages; all is kept in
# ${XDG_CACHE_HOME:-~/.cache}/mooring-conformance.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
version=v1.3.6 # the last of those that keep to the runtime specification 1.2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mooring-conformance/runc-$version
export RUNC=${RUNTIME:-$root/native/build/mooring-runtime}

[ "$(id -u)" = 0 ] || { echo "conformance-runc.sh: containers need root" >&2; exit 1; }
for tool in go gcc jq bats gawk mmdebstrap busybox; do
  command -v "$tool" > /dev/null || { echo "conformance-runc.sh: $tool is missing; run \"scripts/setup.sh conformance\" (go comes from elsewhere)" >&2; exit 1; }
done

# In mounts of its own: where a controller is not mounted the suite makes a plain folder in its place, which others would take for one.
if [ "${1:-}" != --apart ]; then
  exec unshare --mount --propagation private "$0" --apart "$@"
fi
shift
if [ "$(stat -f -c %T /sys/fs/cgroup)" = tmpfs ]; then
  place=$(mktemp -d)
  mount -t tmpfs -o mode=755 cgroups "$place"
  for each in /sys/fs/cgroup/*; do
    if [ -L "$each" ]; then cp -P "$each" "$place/"; elif mountpoint -q "$each"; then mkdir "$place/${each##*/}" && mount --bind "$each" "$place/${each##*/}"; fi
  done
  mount --move "$place" /sys/fs/cgroup
  rmdir "$place"
fi

busybox_image() {
  local folder=$1
  mkdir -p "$folder"/{bin,dev,etc,home,proc,root,sys,tmp,usr/bin,usr/sbin,var/tmp}
  chmod 1777 "$folder"/{tmp,var/tmp}
  cp /bin/busybox "$folder/bin/busybox"
  busybox --list | grep -v -x busybox | while read -r applet; do ln "$folder/bin/busybox" "$folder/bin/$applet"; done
  printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n' > "$folder/etc/passwd"
  printf 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nnobody:x:65534:\n' > "$folder/etc/group"
}

if [ ! -d "$cache" ]; then
  mkdir -p "$(dirname "$cache")"
  work=$(mktemp -d "$(dirname "$cache")/preparing.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cp -r --no-preserve=mode "$(cd "$work" && go mod download -json "github.com/opencontainers/runc@$version" | jq -r .Dir)" "$work/suite"
  rm -rf "$work/suite/vendor" # its packages are not in the module
  find "$work/suite/tests" -name '*.sh' -exec chmod +x {} +
  mkdir "$work/suite/tests/cmd/_bin"
  (cd "$work/suite" && go build -p 1 -mod=mod -tags seccomp -o tests/cmd/_bin/ ./tests/cmd/...)
  # By these names the suite finds them, and fetches none.
  images=$work/suite/tests/integration/testdata
  busybox_image "$work/busybox"
  tar -C "$work/busybox" -cf "$images/busybox-$(go env GOARCH).tar.xz" .
  mmdebstrap --quiet --variant=essential --include=util-linux,bash bookworm "$images/debian.tar"
  mv "$images/debian.tar" "$images/debian-$(go env GOARCH).tar.xz"
  mv "$work/suite" "$cache"
fi

cd "$cache/tests/integration"
TMPDIR=$(mktemp -d)
export TMPDIR BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120}
said=${CONFORMANCE_LOG:-$TMPDIR/said}
finish() {
  find /sys/fs/cgroup -maxdepth 2 -type d \( -name runc-cgroups-integration-test -o -name mooring \) -exec rmdir --ignore-fail-on-non-empty {} \;
  rm -rf "$TMPDIR"
}
trap finish EXIT
trap 'exit 143' TERM INT
chmod 755 "$TMPDIR" # of a user namespace's root, too
: > "$said"

files=("${@/%/.bats}")
[ $# -gt 0 ] || files=(*.bats)
passed=0 failed=0 skipped=0
for file in "${files[@]}"; do
  if [ "$file" = checkpoint.bats ] && ! criu check > /dev/null 2>&1; then
    echo "skipped $file: CRIU is missing, or does not work on this kernel"
    continue
  fi
  tap=$TMPDIR/tap
  timeout --kill-after=10 900 bats --formatter tap "$file" > "$tap" 2>&1 < /dev/null || true
  cat "$tap" >> "$said"
  skips=$(grep -c -E '^ok .* # skip' "$tap" || true)
  oks=$(grep -c '^ok ' "$tap" || true)
  bad=$(grep -c '^not ok ' "$tap" || true)
  planned=$(sed -n 's/^1\.\.//p' "$tap")
  missing=$((${planned:-1} - oks - bad)) # it was cut short
  passed=$((passed + oks - skips)) skipped=$((skipped + skips)) failed=$((failed + bad + missing))
  echo "$file: $((oks - skips)) passed, $((bad + missing)) failed, $skips skipped"
  grep '^not ok ' "$tap" | sed 's/^not ok [0-9]* /    not ok: /' || true
done
echo "$passed passed, $failed failed, $skipped skipped (not for this host)"
[ "$failed" = 0 ]
