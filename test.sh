#!/usr/bin/env bash
# Everything that is checked, step by step; the first step that fails ends the run.
#
#   ./test.sh                    all steps
#   ./test.sh tests campaign     only the steps whose name contains one of the words
#   SEEDS=100000 CHATS=100000 ./test.sh campaign
#   FUZZ_SECONDS=30 ./test.sh fuzz
#
# Needs git, Rust (rustup takes the version from rust-toolchain.toml) and a C compiler. Real
# programs that the tests talk to are installed when this runs as root with apt; elsewhere what is
# missing is named, and what needs it is skipped, here and once more at the end.
# The last line is `N passed, N failed, N skipped`: tests one by one, every other step as one.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
exec </dev/null

SEEDS=${SEEDS:-2000}
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
CHATS=${CHATS:-10000}
CAMPAIGN=(cargo run --release -p aperto-sim --example campaign -- --seeds "$SEEDS")
CHAT_CAMPAIGN=(cargo run --release -p aperto-sim --example chat_campaign -- --seeds "$CHATS")
PURE=(time wire tcp arq host app seal trace explain sim)
BARE_TARGETS=(thumbv7em-none-eabi wasm32-unknown-unknown)
# command:package
TOOLS=(tshark:tshark dumpcap:wireshark-common openssl:openssl python3:python3 nc:netcat-openbsd ip:iproute2 ping:iputils-ping curl:curl)

export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never NO_COLOR=1 CARGO_INCREMENTAL=0
target=${CARGO_TARGET_DIR:-target}
logs=$target/test-sh
mkdir -p "$logs" || exit 1
rm -f "$logs"/*
# A test that cannot do its work here appends `name: reason` to this file and returns.
APERTO_TEST_SKIPS=$(cd "$logs" && pwd)/skips.txt
export APERTO_TEST_SKIPS
: >"$APERTO_TEST_SKIPS"

passed=0 failed=0 skipped=0
report=() skips=()

skip() { # reason; used as: skip "why" ; return
    printf 'SKIPPED: %s\n' "$1"
    exit 77
}

# --- the steps ---------------------------------------------------------------------------------

step_tools() {
    local pair missing=() packages=()
    for pair in "${TOOLS[@]}"; do
        command -v "${pair%%:*}" >/dev/null || { missing+=("${pair%%:*}"); packages+=("${pair##*:}"); }
    done
    if ((${#missing[@]})) && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
        echo "installing: ${packages[*]}"
        export DEBIAN_FRONTEND=noninteractive
        timeout 300 apt-get update -qq && timeout 600 apt-get install -y -qq --no-install-recommends "${packages[@]}" || true
        missing=()
        for pair in "${TOOLS[@]}"; do
            command -v "${pair%%:*}" >/dev/null || missing+=("${pair%%:*}")
        done
    fi
    cargo --version
    rustc --version
    ((${#missing[@]} == 0)) || skip "not installed: ${missing[*]}; tests that talk to them skip themselves"
    echo "all there: ${TOOLS[*]%%:*}"
}

step_format() { cargo fmt --all --check -- --color never; }

step_tidy() { cargo xtask tidy; }

step_ledger() { cargo xtask ledger; }

step_claims() { cargo xtask claims; }

step_diagrams() { cargo xtask diagrams --check; }

step_clippy() { cargo clippy --workspace --all-targets -- -D warnings; }

step_tests() {
    # Sealed datagrams under a million random schedules: 9 s.
    export APERTO_SCHEDULES=${APERTO_SCHEDULES:-1000000}
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --no-tests=pass
    else
        echo "cargo-nextest is not installed; cargo test does the same, more slowly"
        cargo test --workspace --bins --lib --tests --examples --no-fail-fast
    fi
}

step_doc_tests() { cargo test --workspace --doc; }

step_docs() { RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --workspace; }

step_bare() {
    local triple installed
    installed=$(rustc --print sysroot)/lib/rustlib
    for triple in "${BARE_TARGETS[@]}"; do
        [[ -d $installed/$triple ]] || skip "no $triple; rustup target add $triple"
        echo "$triple: ${PURE[*]}"
        cargo build --target "$triple" "${PURE[@]/#/--package=aperto-}"
    done
}

# Worlds, then chats; then the recordings of sixty worlds, octet for octet the same however the code was built.
step_campaign() {
    local example=(-q -p aperto-sim --example campaign -- --hashes 60)
    "${CAMPAIGN[@]}" || return
    "${CHAT_CAMPAIGN[@]}" || return
    cargo run --release "${example[@]}" >"$logs/hashes-release.txt" || return
    cargo run "${example[@]}" >"$logs/hashes-debug.txt" || return
    diff "$logs/hashes-release.txt" "$logs/hashes-debug.txt" && echo "60 recordings: debug and release agree"
}

# How fast the bare program answers is told, not judged: machines differ; only the matrix of the courses has a minute.
# One seed gives the same octets however it was built.
step_program() {
    local debug=$target/debug/aperto release=$target/release/aperto out best=9999 took i
    cargo build -p aperto-cli
    cargo build -p aperto-cli --release
    out=$(cd "$logs" && pwd)
    for i in 1 2 3 4 5 6 7 8 9 10; do
        took=$(date +%s%N)
        "$release" >"$out/demo.txt"
        took=$((($(date +%s%N) - took) / 1000000))
        ((took < best)) && best=$took
    done
    echo "the demonstration: $(wc -l <"$out/demo.txt") lines in $best ms"
    cargo install --quiet --locked --path crates/cli --root "$out/installed"
    "$out/installed/bin/aperto" | diff - "$out/demo.txt"
    took=$SECONDS
    (cd "$out" && installed/bin/aperto bench --csv results.csv --svg figures >/dev/null)
    took=$((SECONDS - took))
    echo "the matrix of the courses: $(($(wc -l <"$out/results.csv") - 1)) cells, $(ls "$out"/figures/*.svg | wc -l) figures, $took s"
    ((took < 60))
    same_as_readme "$release" README.md en
    same_as_readme "$release" README.pt-BR.md pt-BR
    for i in debug release again; do
        local program=$release
        [[ $i == debug ]] && program=$debug
        program=$(cd "$(dirname "$program")" && pwd)/aperto
        mkdir -p "$out/$i"
        (cd "$out/$i" && "$program" demo bulk --size 200k --loss 5% --reorder 5% --dup 2% --corrupt 1% --seed 7 \
            --view none -w run.pcapng)
    done
    cmp "$out/debug/run.pcapng" "$out/release/run.pcapng"
    cmp "$out/release/run.pcapng" "$out/again/run.pcapng"
    echo "one seed, the same $(wc -c <"$out/release/run.pcapng") octets in debug, in release and twice in a row"
}

# What README shows is what the program prints.
same_as_readme() { # program, page, language
    diff <(awk '/^```text$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$2") \
        <(LC_ALL=C.UTF-8 "$1" --lang "$3" --view ladder --width 80 --color never) || return 1
    echo "$2 shows what the program prints"
}

step_fuzz() {
    [[ -x fuzz/run.sh ]] || skip "no fuzz/run.sh"
    fuzz/run.sh "$FUZZ_SECONDS" || { (($? == 77)) && skip "no nightly toolchain; rustup toolchain install nightly"; return 1; }
}

# Cheap first; what shares a build stands together.
STEPS=(tools format tidy ledger claims diagrams clippy tests doc_tests docs bare campaign program fuzz)

# --- running them ------------------------------------------------------------------------------

# Adds what a log says about tests; fails where it says nothing.
count() {
    local log=$1 p=0 f=0 s=0 line found=1
    while IFS= read -r line; do
        found=0
        p=$((p + $(number "$line" passed)))
        f=$((f + $(number "$line" failed) + $(number "$line" 'timed out')))
        s=$((s + $(number "$line" skipped) + $(number "$line" ignored)))
    done < <(grep -E '^ *Summary \[|^test result: ' "$log")
    ((found == 0)) || return 1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

number() { # the number that stands before a word in a line, or 0
    [[ $1 =~ ([0-9]+)\ $2 ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

finish() {
    local line
    if [[ -s $APERTO_TEST_SKIPS ]]; then
        while IFS= read -r line; do
            skips+=("test $line")
            passed=$((passed > 0 ? passed - 1 : 0)) skipped=$((skipped + 1))
        done < <(sort -u "$APERTO_TEST_SKIPS")
    fi
    printf '\n== summary, after %d s\n' "$SECONDS"
    printf '%s\n' "${report[@]}"
    ((${#skips[@]})) && printf 'SKIPPED %s\n' "${skips[@]}"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    ((failed == 0))
    exit $?
}

wanted() {
    local word
    ((${#words[@]})) || return 0
    for word in "${words[@]}"; do
        [[ $1 == *"$word"* ]] && return 0
    done
    return 1
}

words=("$@")
current=
trap 'report+=("STOPPED  $current"); failed=$((failed + 1)); finish' INT TERM

for current in "${STEPS[@]}"; do
    wanted "$current" || continue
    ((failed == 0)) || { report+=("not run         $current"); continue; }
    log=$logs/$current.log
    began=$SECONDS
    printf '\n== %s\n' "$current"
    (set -e; "step_$current") 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    took=$((SECONDS - began))
    case $status in
        0) count "$log" || passed=$((passed + 1))
           report+=("$(printf 'ok       %5d s %s' "$took" "$current")") ;;
        77) skipped=$((skipped + 1))
            skips+=("$current: $(sed -n 's/^SKIPPED: //p' "$log" | tail -n 1)")
            report+=("$(printf 'skipped  %5d s %s' "$took" "$current")") ;;
        *) before=$failed
           count "$log"
           ((failed > before)) || failed=$((failed + 1))
           report+=("$(printf 'FAILED   %5d s %s: see %s' "$took" "$current" "$log")") ;;
    esac
done
finish
