#!/bin/bash
# Prepares what the machine boots from, once for each version of what it is made of, and prints the folder that holds it:
#   kernel      Debian's cloud kernel, out of its package, which is not installed
#   initrd      busybox, and the modules that find the disk
#   root.ext4   Debian, with what the tests call
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mooring-vm

suite=bookworm
packages=(busybox-static criu dbus e2fsprogs iproute2 kmod nftables procps python3 runc systemd util-linux)
modules=(bridge dummy loop nf_conntrack nf_tables nft_chain_nat nft_ct nft_fib_inet nft_masq nft_nat nft_redir nft_reject_inet overlay quota_v2 tun veth)
disk_modules=(virtio_pci virtio_blk)

fail() {
  echo "prepare.sh: $*" >&2
  exit 1
}

[ "$(dpkg --print-architecture)" = amd64 ] || fail "the machine is x86-64 and so must the host be, whose build it runs; this is $(dpkg --print-architecture)"
for tool in qemu-system-x86_64 mmdebstrap mke2fs cpio depmod; do
  command -v "$tool" > /dev/null || fail "$tool is missing; run \"scripts/setup.sh vm\""
done

kernel_package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
[ -n "$kernel_package" ] || fail "apt knows no linux-image-cloud-amd64; run \"apt-get update\""
version=$({ echo "$kernel_package"; cat "$0" "$here"/guest/*; } | sha256sum | cut -c 1-16)
ready=$cache/$version
if [ -d "$ready" ]; then
  echo "$ready"
  exit 0
fi

mkdir -p "$cache"
exec {lock}> "$cache/lock"
flock -w 900 "$lock" || fail "another preparation has held $cache/lock for 15 minutes"
work=$(mktemp -d "$cache/preparing.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log
# Runs a step that is silent unless it fails.
step() {
  "$@" > "$log" 2>&1 || { cat "$log" >&2; fail "failed: $*"; }
}

echo "Preparing the machine: $kernel_package, Debian $suite" >&2
mkdir "$work/kernel" "$work/initrd" "$work/root" "$work/ready"
(cd "$work" && step apt-get download -q "$kernel_package")
step dpkg -x "$work"/"$kernel_package"_*.deb "$work/kernel"
release=$(ls "$work/kernel/lib/modules")
step depmod -b "$work/kernel" "$release"
cp "$work/kernel/boot/vmlinuz-$release" "$work/ready/kernel"

mkdir "$work"/initrd/{bin,dev,mnt,modules}
cp /bin/busybox "$work/initrd/bin/"
install -m 0755 "$here/guest/initrd-init" "$work/initrd/init"
modprobe -d "$work/kernel" -S "$release" --show-depends -a "${disk_modules[@]}" | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > "$work/disk-modules"
number=10
while read -r module; do
  cp "$module" "$work/initrd/modules/$((number++))-$(basename "$module")"
done < "$work/disk-modules"
(cd "$work/initrd" && find . | cpio -o -H newc --quiet) > "$work/ready/initrd"

step mmdebstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$work/root.tar"
tar -C "$work/root" -xf "$work/root.tar" --exclude='./dev/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/locale/*' --exclude='./var/cache/*' --exclude='./var/lib/apt/*'
mkdir -p "$work/root/mooring" "$work/root/lib/modules"
cp -a "$work/kernel/lib/modules/$release" "$work/root/lib/modules/"
install -m 0755 "$here/guest/root-init" "$work/root/sbin/mooring-vm-init"
install -m 0755 "$here/guest/run-command" "$work/root/sbin/mooring-vm-run"
install -D -m 0644 "$here/guest/mooring-vm.service" "$work/root/etc/systemd/system/mooring-vm.service"
printf '%s\n' "${modules[@]}" > "$work/root/etc/mooring-vm-modules"
truncate -s 4G "$work/ready/root.ext4"
step mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,nodiscard -m 0 -d "$work/root" "$work/ready/root.ext4"

[ -d "$ready" ] || mv "$work/ready" "$ready"
# What older versions of these scripts made.
find "$cache" -mindepth 1 -maxdepth 1 -type d -name '????????????????' ! -name "$version" -exec rm -rf {} +
echo "$ready"
