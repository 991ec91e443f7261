#!/usr/bin/env bash
# Builds the wasm guests from source.
#
# usage: build.sh --list                      what is built, one line an artifact
#        build.sh --out DIR [ARTIFACT …]      builds raw .wasm files into DIR (all of them when none is named)
#        build.sh --write                     builds all, packs them into swingset/bundles and writes bundles.lock
#        build.sh --check                     builds all and compares with what is committed; SKIPPED, with the reason, where
#                                             the recorded toolchain is not at hand
#
# The recorded toolchain is Debian's rustc-web with its library sources (core and alloc are built too, so that a panic is an
# `unreachable` and nothing else) and rust-lld. Without it, rustup's wasm32-unknown-unknown is used if it is there: the guests
# behave the same, but their bytes differ, and the script says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
checkout=$(cd "$here/../.." && pwd -P)
say() { echo "guests: $*" >&2; }

# artifact            package            features
artifacts() {
  cat <<'TABLE'
version-1/kernel      swingset-kernel            -
version-2/kernel      swingset-kernel            schema-2
version-1/supervisor  swingset-vat-supervisor    -
version-2/supervisor  swingset-vat-supervisor    -
vats/bootstrap        vat-bootstrap              -
vats/counter          vat-counter                -
vats/mint             vat-mint                   -
vats/party            vat-party                  -
vats/timer            vat-timer                  -
test/kernel-3         swingset-kernel            schema-3
test/kernel-trap      swingset-kernel            trap-on-step
test/kernel-trap-late swingset-kernel            trap-late
test/kernel-lying     swingset-kernel            lying-description
test/kernel-trap-migration swingset-kernel       schema-2,trap-in-migration
test/kernel-endless-migration swingset-kernel    schema-2,endless-migration
test/raw-pingpong     vat-raw-pingpong           -
test/pingpong         vat-pingpong               -
test/hostile          vat-hostile                -
test/devices          vat-devices                -
test/founder          vat-founder                -
test/stories          vat-stories                -
test/tutorial         vat-tutorial               -
TABLE
}

out="" mode=raw wanted=()
while [ $# -gt 0 ]; do
  case "$1" in
    --list) artifacts; exit 0 ;;
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    --write) mode=write; shift ;;
    --check) mode=check; shift ;;
    -*) say "unknown option $1; see the head of $0"; exit 2 ;;
    *) wanted+=("$1"); shift ;;
  esac
done
if [ "$mode" != raw ]; then
  [ -z "$out" ] && [ ${#wanted[@]} -eq 0 ] || { say "--write and --check build everything and take no folder"; exit 2; }
  out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
fi
[ -n "$out" ] || { say "name a folder with --out"; exit 2; }
mkdir -p "$out"; out=$(cd "$out" && pwd -P)

# One declared maximum for all guests: 128 MiB; a vat's policy is below it.
flags="-Clink-arg=--max-memory=134217728 -Clink-arg=-zstack-size=131072"
flags+=" --remap-path-prefix=$checkout=/swingd --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
cargo=cargo args=()
lld_dir="$(rustc --print sysroot 2>/dev/null || true)/lib/rustlib/x86_64-unknown-linux-gnu/bin"
recorded_version="rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"
if [ -x /usr/bin/rustc ] && [ "$(RUSTUP_TOOLCHAIN='' /usr/bin/rustc --version)" = "$recorded_version" ] \
   && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ] && [ -x "$lld_dir/rust-lld" ]; then
  say "toolchain: $recorded_version, core and alloc from source (the recorded one)"
  toolchain="$recorded_version, -Zbuild-std=core,alloc, panic=immediate-abort"
  cargo=/usr/bin/cargo args=(-Zbuild-std=core,alloc)
  src=$(readlink -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust")
  flags+=" -Zunstable-options -Cpanic=immediate-abort --remap-path-prefix=$src=/rust --remap-path-prefix=$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust=/rust"
elif [ "$mode" = check ]; then
  say "SKIPPED: the recorded toolchain ($recorded_version, Debian's rustc-web with rust-web-src) is not at hand, so bytes cannot"
  say "SKIPPED: be compared here. What is committed is used as it is; its behaviour is held by the tests of swingset-bundles."
  exit 0
elif [ "$mode" = raw ] && rustup target list --installed 2>/dev/null | grep -qx wasm32-unknown-unknown; then
  say "toolchain: $(rustc --version) with rustup's wasm32-unknown-unknown (NOT the recorded one: bytes will differ)"
elif [ "$mode" = write ]; then
  say "released bundles are built with the recorded toolchain only ($recorded_version): install Debian's rustc-web, cargo-web, rust-web-src"
  exit 3
else
  say "no toolchain for wasm32: install Debian's rustc-web, cargo-web, rust-web-src (bookworm-updates), or 'rustup target add wasm32-unknown-unknown'"
  exit 3
fi
target="${GUESTS_TARGET_DIR:-${CARGO_TARGET_DIR:-$here/target}/guests}"
build() {
  (
    export RUSTFLAGS="$flags" CARGO_TARGET_DIR="$target" CARGO_BUILD_TARGET=wasm32-unknown-unknown
    unset CARGO_ENCODED_RUSTFLAGS RUSTUP_TOOLCHAIN RUSTC_WORKSPACE_WRAPPER CARGO_INCREMENTAL
    # The profile is the workspace's, whatever the caller has set for other builds: each of its settings changes bytes.
    unset "${!CARGO_PROFILE_RELEASE_@}"
    export RUSTC_WRAPPER="$here/rustc-fixed-names"
    [ "$cargo" = cargo ] || export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 PATH="$lld_dir:$PATH"
    "$cargo" build --locked --release --manifest-path "$here/Cargo.toml" --lib "$@" </dev/null
  )
}

built=0
while read -r artifact package features; do
  [ -n "$artifact" ] || continue
  if [ ${#wanted[@]} -gt 0 ] && ! printf '%s\n' "${wanted[@]}" | grep -qx "$artifact"; then continue; fi
  feature_args=(); [ "$features" = "-" ] || feature_args=(--features "$features")
  say "building $artifact ($package, features: $features)"
  build -p "$package" "${args[@]}" "${feature_args[@]}"
  mkdir -p "$out/$(dirname "$artifact")"
  cp "$target/wasm32-unknown-unknown/release/${package//-/_}.wasm" "$out/$artifact.wasm"
  built=$((built + 1))
done < <(artifacts)
say "built $built artifacts"
[ "$mode" != raw ] || exit 0
cd "$checkout"
# A packer that is built already is named in PACK_BUNDLES; cargo would build one with features of its own.
if [ -n "${PACK_BUNDLES:-}" ]; then
  pack=("$PACK_BUNDLES")
else
  pack=(cargo run --quiet -p swingset-host --example pack_bundles --)
fi
"${pack[@]}" "$mode" "$out" "$checkout/swingset/bundles" "$toolchain"
