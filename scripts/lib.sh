# Shared by the scripts: where things are kept, and what must be there before anything is built. Sourced, not run.
# It says what it does, works twice in a row, and on a system that it does not know it says what to install.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SWINGD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swingd}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
cometbft_version=0.38.26
cosmovisor_version=1.5.0

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The needed system packages, by what is missing: a C and C++ compiler for RocksDB and libsecp256k1, libclang for RocksDB's
# bindings.
find_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    local found
    found=$(find /usr/lib /usr/lib64 /usr/local/lib /opt/homebrew/opt/llvm/lib -maxdepth 4 \
        \( -name 'libclang.so*' -o -name 'libclang-*.so*' -o -name libclang.dylib \) 2>/dev/null | sort | head -n 1) || true # folders of other systems are not there
    [ -n "$found" ] || return 1
    LIBCLANG_PATH=$(dirname "$found")
    export LIBCLANG_PATH
}

# clang compiles RocksDB in four fifths of the time that gcc takes, and is needed for the bindings anyway.
choose_compiler() {
    [ -n "${CXX:-}" ] || ! command -v clang++ >/dev/null || export CXX=clang++
}

missing_packages() {
    command -v c++ >/dev/null || echo g++
    command -v cc >/dev/null || echo gcc
    command -v clang >/dev/null || echo clang
    command -v make >/dev/null || echo make
    find_libclang || echo libclang-14-dev
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo "$@"; else return 1; fi
}

explain_packages() {
    cat >&2 <<TEXT
error: a C++ compiler, make, clang and libclang are needed to build RocksDB, and these are missing: $1
  Debian, Ubuntu   apt-get install g++ make clang libclang-dev
  Fedora           dnf install gcc-c++ make clang clang-devel
  Arch             pacman -S gcc make clang
  Alpine           apk add g++ make clang clang-dev
  macOS            xcode-select --install && brew install llvm
then run this again. Where libclang is in an unusual place, set LIBCLANG_PATH to its folder.
TEXT
    exit 1
}

ensure_system_packages() {
    local missing
    missing=$(missing_packages | sort -u | tr '\n' ' ')
    if [ -z "${missing// /}" ]; then
        find_libclang
        choose_compiler
        say "compilers and libclang: found (${CXX:-c++}, ${LIBCLANG_PATH})"
        return
    fi
    command -v apt-get >/dev/null || explain_packages "$missing"
    say "installing with apt-get: $missing"
    as_root apt-get update -qq || explain_packages "$missing"
    # libclang-14-dev is Debian bookworm's; other releases have it under libclang-dev.
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++ make clang libclang-dev >/dev/null ||
        explain_packages "$missing"
    find_libclang || explain_packages libclang
    choose_compiler
}

ensure_cargo() {
    command -v cargo >/dev/null || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
    command -v cargo >/dev/null || fail "cargo is missing: install Rust $(toolchain) with rustup (https://rustup.rs), then run this again"
    local have
    have=$(cd "$root" && rustc --version 2>/dev/null | cut -d' ' -f2) || true
    [ -n "$have" ] || fail "the Rust toolchain $(toolchain) is missing: run 'rustup toolchain install $(toolchain)', then run this again"
    say "rustc $have, build folder $CARGO_TARGET_DIR"
}

toolchain() { sed -n 's/^channel = "\(.*\)"/\1/p' "$root/rust-toolchain.toml"; }

# CometBFT: found in the cache, else on the PATH in the right version, else built with Go, else fetched as its release archive
# when a SHA-256 for it is given.
ensure_cometbft() {
    export COMETBFT=$cache/bin/cometbft-$cometbft_version
    if [ -x "$COMETBFT" ]; then
        say "CometBFT $cometbft_version: $COMETBFT"
        return
    fi
    mkdir -p "$cache/bin"
    local on_path
    on_path=$(command -v cometbft || true)
    if [ -n "$on_path" ] && [ "$("$on_path" version 2>/dev/null)" = "$cometbft_version" ]; then
        say "CometBFT $cometbft_version: $on_path"
        export COMETBFT=$on_path
        return
    fi
    if command -v go >/dev/null; then
        say "building CometBFT $cometbft_version with $(go version | cut -d' ' -f3)"
        GOBIN=$cache/bin/tmp.$$ go install "github.com/cometbft/cometbft/cmd/cometbft@v$cometbft_version"
        mv "$cache/bin/tmp.$$/cometbft" "$COMETBFT"
        rmdir "$cache/bin/tmp.$$"
        return
    fi
    fetch_cometbft
}

fetch_cometbft() {
    local os arch archive url want have
    os=$(uname -s | tr '[:upper:]' '[:lower:]')
    case $(uname -m) in x86_64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) arch=unknown ;; esac
    archive=cometbft_${cometbft_version}_${os}_${arch}.tar.gz
    want=${COMETBFT_SHA256:-$(sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" "$root/scripts/cometbft.sha256")}
    [ -n "$want" ] || fail "CometBFT $cometbft_version is missing. Install Go 1.23 or newer and run this again, or put the binary on the PATH,
  or name the SHA-256 of its release archive $archive in COMETBFT_SHA256 to have it fetched and checked"
    url=https://github.com/cometbft/cometbft/releases/download/v$cometbft_version/$archive
    say "fetching $url"
    curl -fsSL --max-filesize 100000000 -o "$cache/bin/$archive.part" "$url" || fail "could not fetch $url: install Go, or put cometbft $cometbft_version on the PATH"
    have=$(sha256sum "$cache/bin/$archive.part" | cut -d' ' -f1)
    [ "$have" = "$want" ] || { rm -f "$cache/bin/$archive.part"; fail "$archive has SHA-256 $have, expected $want: not used"; }
    tar -xzf "$cache/bin/$archive.part" -C "$cache/bin" cometbft
    mv "$cache/bin/cometbft" "$COMETBFT"
    rm -f "$cache/bin/$archive.part"
}

# The unmodified cosmovisor, found in the cache, else built with Go from the module that scripts/cosmovisor/go.mod names. There is
# no release archive to fetch that would not be another build.
ensure_cosmovisor() {
    export COSMOVISOR=${COSMOVISOR:-$cache/bin/cosmovisor-$cosmovisor_version}
    if [ -x "$COSMOVISOR" ]; then
        say "cosmovisor $cosmovisor_version: $COSMOVISOR"
        return
    fi
    command -v go >/dev/null || fail "cosmovisor $cosmovisor_version is missing. Install Go 1.22 or newer and run this again, or name the program in COSMOVISOR"
    say "building cosmovisor $cosmovisor_version with $(go version | cut -d' ' -f3)"
    mkdir -p "$cache/bin"
    local folder=$cache/bin/cosmovisor.$$
    # In a copy: Go completes the go.mod that it builds from.
    mkdir "$folder"
    cp "$root/scripts/cosmovisor/go.mod" "$folder/"
    (cd "$folder" && go build -mod=mod -o cosmovisor cosmossdk.io/tools/cosmovisor/cmd/cosmovisor)
    mv "$folder/cosmovisor" "$COSMOVISOR"
    rm -rf "$folder"
}

# One selection of targets for everybody: another one would give shared dependencies other features, and RocksDB and the wasm
# engine would be compiled a second time.
build_everything() {
    say "building (a first build compiles RocksDB and the wasm engine: 20 to 30 minutes on two cores, seconds afterwards)"
    cargo build --workspace --all-targets
}

# The profile that operators run and that benchmarks measure; likewise one selection.
build_release() {
    say "building in release (a first build compiles RocksDB and the wasm engine: 20 to 30 minutes on two cores)"
    cargo build --release --workspace --bins --examples
}
