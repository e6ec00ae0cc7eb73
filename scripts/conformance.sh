#!/bin/bash
# Runs the validation suite of opencontainers/runtime-tools against native/build/mooring-runtime, and prints what each of its programs says.
#   conformance.sh            all of them
#   conformance.sh NAME…      only these, as "state" or "linux_seccomp"
#   RUNTIME=crun …            another runtime, to compare
# The suite is fetched from the Go module proxy, built and kept in ${XDG_CACHE_HOME:-~/.cache}/mooring-conformance.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
version=v0.9.1-0.20251114084447-edf4cb3d2116
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mooring-conformance/$version
export RUNTIME=${RUNTIME:-$root/native/build/mooring-runtime}

[ "$(id -u)" = 0 ] || { echo "conformance.sh: containers need root" >&2; exit 1; }
for tool in go jq; do
  command -v "$tool" > /dev/null || { echo "conformance.sh: $tool is missing" >&2; exit 1; }
done

if [ ! -d "$cache" ]; then
  mkdir -p "$(dirname "$cache")"
  work=$(mktemp -d "$(dirname "$cache")/preparing.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cp -r --no-preserve=mode "$(cd "$work" && go mod download -json "github.com/opencontainers/runtime-tools@$version" | jq -r .Dir)" "$work/suite"
  (cd "$work/suite" && CGO_ENABLED=0 go build -p 1 -mod=mod -o bin/ ./validation/... ./cmd/runtimetest)
  cp "$work/suite/bin/runtimetest" "$work/suite/"
  mv "$work/suite" "$cache"
fi

cd "$cache"
# The suite leaves its bundles and the parents of its cgroups.
TMPDIR=$(mktemp -d)
export TMPDIR
finish() {
  rm -rf "$TMPDIR"
  find /sys/fs/cgroup -depth -type d \( -path '*/testdir' -o -path '*/testdir/*' \) -exec rmdir {} \;
}
trap finish EXIT
names=("$@")
[ $# -gt 0 ] || for folder in validation/*/; do
  name=$(basename "$folder")
  [ ! -x "bin/$name" ] || names+=("$name")
done
passed=0
for name in "${names[@]}"; do
  # They look for the suite's files where they are run, and print TAP.
  status=0
  said=$(timeout 120 "bin/$name" 2>&1) || status=$?
  bad=$(grep -c '^not ok' <<< "$said" || true)
  if [ "$status" = 0 ] && [ "$bad" = 0 ]; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    echo "not ok  $name (exit status $status)"
    sed 's/^/          /' <<< "$said" | grep -v -E '^ *(ok|TAP|1\.\.)' | tail -n "${CONFORMANCE_LINES:-8}" || true
  fi
done
echo "$passed of ${#names[@]} passed"
[ "$passed" = "${#names[@]}" ]
