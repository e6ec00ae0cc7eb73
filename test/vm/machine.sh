#!/bin/bash
# Boots a throwaway machine on pure cgroup v2 and runs one command there as root, in a copy of a folder:
#   machine.sh [-s] [-t SECONDS] [-m MEBIBYTES] FOLDER COMMAND...
# With -s systemd is the machine's init, else the command has the whole cgroup tree for itself.
# Its output is the command's, its exit status the command's too; 124: it took longer than SECONDS (default 1800),
# 125: the machine ended without a word of how the command did.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

seconds=1800 memory=2048 init=
while getopts st:m: option; do
  case $option in
    s) init=" mooring.systemd" ;;
    t) seconds=$OPTARG ;;
    m) memory=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || { echo "usage: machine.sh [-s] [-t SECONDS] [-m MEBIBYTES] FOLDER COMMAND..." >&2; exit 2; }
folder=$1
shift

ready=$("$here/prepare.sh")
run=$(mktemp -d)
machine=
# However this ends, the machine ends with it.
finish() {
  [ -z "$machine" ] || { kill "$machine" 2> /dev/null && wait "$machine" || true; }
  rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

truncate -s $(($(du -sm "$folder" | cut -f 1) * 5 / 4 + 256))M "$run/folder.ext4"
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,nodiscard -m 0 -d "$folder" "$run/folder.ext4"

# Its clock may run so unevenly on a busy host that the kernel thinks its timer broken.
arguments="no_timer_check console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off tsc=nowatchdog random.trust_cpu=on psi=1 cgroup_no_v1=all"
arguments+="$init mooring.command=$(printf '%s' "$*" | base64 -w 0)"
[ "${#arguments}" -lt 2000 ] || { echo "machine.sh: the command is too long for the kernel's command line; put it into a script in $folder" >&2; exit 2; }

# Without KVM, which a virtual host seldom has. Writes to the root disk are forgotten at the end.
timeout --kill-after=10 "$seconds" qemu-system-x86_64 -accel tcg,thread=multi,tb-size=512 -cpu max -smp 2 -m "$memory" \
  -nodefaults -no-user-config -no-reboot -display none -monitor none -nic none -device virtio-rng-pci \
  -serial stdio -serial "file:$run/status" \
  -drive "file=$ready/root.ext4,format=raw,if=virtio,snapshot=on,cache=unsafe" \
  -drive "file=$run/folder.ext4,format=raw,if=virtio,cache=unsafe" \
  -kernel "$ready/kernel" -initrd "$ready/initrd" -append "$arguments" < /dev/null &
machine=$!
status=0
wait "$machine" || status=$?
machine=

if [ "$status" = 124 ] || [ "$status" = 137 ]; then
  echo "machine.sh: ended after $seconds s; the command was: $*" >&2
  exit 124
fi
ended=$(tr -cd 0-9 < "$run/status")
[ -n "$ended" ] || { echo "machine.sh: the machine ended (QEMU: $status) without a word of how the command did" >&2; exit 125; }
exit "$ended"
