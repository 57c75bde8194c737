# Sourced by the other scripts: the packages that a build, a demo or a test needs, and how they get here.
# shellcheck shell=sh

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

packages_build="gcc libc6-dev cmake ninja-build pkg-config libiscsi-dev libuv1-dev libpcap-dev libssl-dev
libisal-dev libfyaml-dev libjansson-dev libxml2-dev zlib1g-dev"
packages_test="libcmocka-dev clang libclang-rt-14-dev llvm afl++ zip libiscsi-bin tgt istgt tshark tcpdump iproute2
qemu-utils qemu-block-extra libxml2-utils jq chromium nodejs fonts-dejavu-core python3-jsonschema
mandoc groff-base zsh gcovr dpkg-dev make"

packages_fuzz="clang libclang-rt-14-dev llvm afl++ zip"

# What libFuzzer does around each input beside running it, left out: an input of this project takes 30 microseconds, and a
# third of that went into these. Its corpora are made small by the merges of -fork and of scripts/make-corpora.
libfuzzer_quick="-entropic=0 -print_funcs=0 -reduce_inputs=0"

# explain "$@": prints the comment at the head of the script when the first argument asks for help, and ends.
explain()
{
    case "${1:-}" in -h | --help) ;; *) return 0 ;; esac
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
}

# install_packages NAME...: what is missing; as root installs it, else prints the one line that does and fails.
install_packages()
{
    missing=
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing Debian packages; install them with:" >&2
        echo "  sudo apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    echo "installing:$missing"
    # shellcheck disable=SC2086
    (apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends $missing) \
        >"${TMPDIR:-/tmp}/iscsispec-apt.$$" 2>&1 || {
        tail -n 20 "${TMPDIR:-/tmp}/iscsispec-apt.$$" >&2
        echo "apt-get failed; install by hand:$missing" >&2
        exit 1
    }
    rm -f "${TMPDIR:-/tmp}/iscsispec-apt.$$"
}

# build_preset PRESET [CMAKE-ARG...]: configures and builds into build/PRESET; quiet unless it fails.
build_preset()
{
    preset=$1
    shift
    log=$root/build/$preset.log
    mkdir -p "$root/build"
    if ! (cd "$root" && cmake --preset "$preset" "$@" && cmake --build --preset "$preset") >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "build of preset $preset failed; all of it: $log" >&2
        exit 1
    fi
}
