#!/usr/bin/env bash
# Runs each fuzz target for some seconds, with nothing but a nightly toolchain.
#
#   fuzz/run.sh [SECONDS] [TARGET...]      default: 30 seconds each, all targets
#
# Exits with 77 where there is no nightly toolchain, with 1 at the first finding, whose input stays in
# fuzz/artifacts/<target>/. `cargo fuzz run <target>` works as well; this asks for one tool less.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

seconds=${1:-30}
shift || true
cargo +nightly --version >/dev/null 2>&1 || { echo "no nightly toolchain"; exit 77; }
host=$(cargo +nightly -vV | sed -n 's/^host: //p')

targets=("$@")
if ((${#targets[@]} == 0)); then
    for file in fuzz_targets/*.rs; do
        [[ -e $file ]] && targets+=("$(basename "$file" .rs)")
    done
fi
((${#targets[@]})) || { echo "no fuzz targets in fuzz/fuzz_targets"; exit 1; }

# What cargo-fuzz passes: coverage for libFuzzer, the address sanitizer, and our own assertions.
flags=(
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    -Zsanitizer=address
    -Cdebug-assertions
    -Ccodegen-units=1
    --cfg=fuzzing
)
build=$(cd .. && pwd)/fuzz/target
CARGO_TARGET_DIR=$build RUSTFLAGS="${flags[*]}" cargo +nightly build --release --target "$host" \
    "${targets[@]/#/--bin=}" || exit 1

for target in "${targets[@]}"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    folders=("corpus/$target")
    [[ -d seeds/$target ]] && folders+=("seeds/$target")
    echo "== fuzz $target, $seconds s"
    log=artifacts/$target.log
    if ! "$build/$host/release/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="artifacts/$target/" "${folders[@]}" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "fuzz $target: a finding, see fuzz/artifacts/$target/"
        exit 1
    fi
    tail -n 1 "$log"
done
