#!/bin/bash
# Installs what is missing and nothing else: Debian packages, then npm packages (the pinned Node among them).
#   scripts/setup.sh          what building and running needs
#   scripts/setup.sh test     also what the tests judge with
#   scripts/setup.sh vm       also what boots the machine of test/vm
#   scripts/setup.sh conformance  also what runs the suites of others
#   scripts/setup.sh bench    also the peers that the benches measure against
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(g++ make ca-certificates libarchive-dev zlib1g-dev libzstd-dev libssl-dev libseccomp-dev libcap-dev libdbus-1-dev pkg-config nlohmann-json3-dev libnftables-dev busybox-static)
test_packages=(doctest-dev criu prometheus util-linux procps curl attr docker-registry skopeo iproute2 nftables python3 docker.io docker-compose podman crun buildah git openssl zstd mmdebstrap bind9-dnsutils zsh fish)
vm_packages=(qemu-system-x86 mmdebstrap e2fsprogs cpio kmod)
conformance_packages=(bats gawk jq mmdebstrap)
bench_packages=(runc bubblewrap iperf3)

wanted=("${build_packages[@]}")
case "${1:-build}" in
  build) ;;
  test) wanted+=("${test_packages[@]}") ;;
  vm) wanted+=("${test_packages[@]}" "${vm_packages[@]}") ;;
  conformance) wanted+=("${conformance_packages[@]}") ;;
  bench) wanted+=("${test_packages[@]}" "${bench_packages[@]}") ;;
  *) echo "setup.sh: unknown set '$1' (build, test, vm, conformance or bench)" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done

if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "setup.sh: missing Debian packages: ${missing[*]}. Install them, or run this as root." >&2
    exit 1
  fi
  echo "Installing Debian packages: ${missing[*]}"
  # A package's own daemon (prometheus, dockerd) must not start on this machine: the tests and benches start theirs.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  if ! { apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  rm -f "$log"
fi

# npm itself runs on whatever Node is on PATH, so its complaint that our packages want a newer one is beside the point.
npm_packages() {
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    echo "Installing npm packages ($1)"
    npm ci --loglevel=error
    touch node_modules/.package-lock.json
  fi
}
npm_packages "Mooring's own"
# Clients of the Docker API as a developer's own project has them: they are no part of Mooring's.
if [ "${1:-build}" = test ]; then
  (cd test/docker/clients && npm_packages "the tests' clients")
fi
