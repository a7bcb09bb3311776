#!/bin/sh
# What hxqd says of files, limits and words that it cannot work with: refusals.sh HXQD. One line, what and where, and a status;
# never a crash.
set -u
hxqd=$1
golden=tests/golden/qwen2-tied
dense=tests/golden/qwen2-tied-dense
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
model=$folder/model
failures=0
unset HXQD_MODEL

# says STATUS PATTERN ARGUMENTS...: the exit status, and a pattern that all of what is printed matches, on one line if it failed.
says() {
    status=$1 pattern=$2
    shift 2
    output=$(timeout 60 "$hxqd" "$@" 2>&1 < /dev/null)
    found=$?
    if [ "$status" = 0 ]; then lines=1; else lines=$(printf '%s\n' "$output" | wc -l); fi
    if [ "$found" != "$status" ] || [ "$lines" != 1 ] || ! printf '%s\n' "$output" | grep -Eq -- "$pattern"; then
        printf 'hxqd %s: exit %s, expected %s and "%s" in:\n%s\n' "$*" "$found" "$status" "$pattern" "$output"
        failures=$((failures + 1))
    fi
}

# fresh: a checkpoint to be spoilt. refuses PATTERN: what is said of it.
fresh() {
    rm -rf "$model"
    cp -r "$golden" "$model"
    chmod -R u+w "$model"
}
refuses() {
    says 1 "^hxqd: $model/?$1" logits --model "$model" --tokens 1
}

# a file of weights that ends at each of its joints
bytes=$(wc -c < "$golden/model.safetensors")
header=$(($(od -An -t u4 -N 4 "$golden/model.safetensors") + 8))
for size in 0 7; do
    fresh
    truncate -s "$size" "$model/model.safetensors"
    refuses 'model.safetensors: too short'
done
for size in 8 9 $((header - 1)); do
    fresh
    truncate -s "$size" "$model/model.safetensors"
    refuses 'model.safetensors: header length [0-9]+ is impossible; truncated'
done
for size in "$header" $((header + 1)) $((bytes / 2)) $((bytes - 1)); do
    fresh
    truncate -s "$size" "$model/model.safetensors"
    refuses 'model.safetensors: tensor [a-z0-9_.]+: lies beyond the end of the file; is the file truncated'
done

# files of another kind, or none
for file in config.json model.safetensors; do
    fresh
    rm "$model/$file"
    refuses "$file: cannot open: No such file"
    mkfifo "$model/$file"
    refuses "$file: not a regular file"
    rm "$model/$file"
    mkdir "$model/$file"
    refuses "$file: not a regular file"
    rmdir "$model/$file"
    ln -s "$file" "$model/$file"
    refuses "$file: cannot open: Too many levels"
done
fresh
truncate -s 0 "$model/config.json"
refuses 'config.json: the file is empty'
truncate -s 600M "$model/config.json"
refuses 'config.json: larger than [0-9]+ MB'
fresh
rm "$model/model.safetensors"
for index in '[]' '{"weight_map":[]}' '{"weight_map":{"a":1}}' '{"weight_map":{"a":"../x"}}' '{'; do
    printf '%s' "$index" > "$model/model.safetensors.index.json"
    refuses 'model.safetensors.index.json[:0-9]*: (a JSON object|no weight_map|weight_map: a must|not valid JSON)'
done
model=$golden/config.json
refuses 'config.json: cannot open: Not a directory'
model=$folder/none
refuses 'config.json: cannot open: No such file'
says 1 'a b/config.json: cannot open' logits --tokens 1 --model "$(printf 'a\nb')"

# logs that cannot be written; a pipe that nobody reads holds nothing up
mkfifo "$folder/pipe"
says 1 " error cannot write the log $folder/pipe: No such device" serve --log-level error --log "$folder/pipe"
says 1 " error cannot write the log $folder: Is a directory" serve --log-level error --log "$folder"

# lists of tokens
while IFS='|' read -r ids status pattern; do
    printf '%s' "$ids" > "$folder/ids"
    says "$status" "$pattern" tokenize --decode "$folder/ids"
done << 'CASES'
[1, 2]|0|.
1,2|0|.
[1,2|1|no end$
[1] 2|1|which ends with it$
1]|1|which ends with it$
[-1]|1|such as 1,2,3 is expected at "-1]"$
[1.5]|1|such as 1,2,3 is expected at ".5]"$
{"a":1}|1|such as 1,2,3 is expected
[99999999]|1|99999999
CASES

# sets of instructions that nobody has
export HXQD_ISA=nonsense
says 0 '^kernels .* \(HXQD_ISA asks for nonsense, which is not to be had here\)$' doctor
export HXQD_ISA=portable
says 0 '^kernels +portable, [0-9]+ threads?$' doctor
unset HXQD_ISA

# a disk that is full, as a limit on files shows it; nothing is left at the destination
(ulimit -f 64 && says 1 "$folder/out.partial/.*: cannot .*: File too large" compress "$dense" "$folder/out" && exit "$failures") ||
    failures=$((failures + 1))
[ ! -e "$folder/out" ] || { echo "compress left something behind"; failures=$((failures + 1)); }

# too little memory for the model; sanitizers need more than any limit leaves them
if sh -c "ulimit -v 100000; \"$hxqd\" --version" > /dev/null 2>&1; then
    (ulimit -v 70000 && says 1 'not enough memory' generate --prompt a && exit "$failures") || failures=$((failures + 1))
fi

[ "$failures" = 0 ]
