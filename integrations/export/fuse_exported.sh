#!/bin/sh
# Fuse the pictures that this script is called with, into NAME_fused.tif beside the first of them.
#
# Programs that can hand exported pictures to another program call it: see docs/programs.md. PANFOCUS names the
# program where it is not on the path, PANFOCUS_OPTIONS options such as "--system guided".
set -eu

[ $# -ge 2 ] || { echo "fuse_exported: give the frames of one stack, two at least" >&2; exit 2; }
folder=$(dirname -- "$1")
name=$(basename -- "$1")
name=${name%.*}_fused
out=$folder/$name.tif
n=2
while [ -e "$out" ]; do
  out=$folder/${name}_$n.tif
  n=$((n + 1))
done
# options are words by spaces
# shellcheck disable=SC2086
exec "${PANFOCUS:-panfocus}" fuse ${PANFOCUS_OPTIONS:-} -o "$out" -- "$@"
