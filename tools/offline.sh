#!/usr/bin/env bash
# A run to a machine without a network and back (docs/offline-gpu.md): packages, pack, unpack.
#   tools/offline.sh packages FOLDER PYTHON       what that Python needs beside torch and its kind, as one archive
#   tools/offline.sh pack FOLDER RUN [MEGABYTES]  a run, results first, in pieces under 16 MB with their sha256
#   tools/offline.sh unpack FOLDER                check every piece, then put the files in place
set -euo pipefail
shopt -s nullglob
die() { echo "$1" >&2; exit 2; }
[[ $# -ge 2 ]] || die "usage: tools/offline.sh packages|pack|unpack FOLDER ..."
verb=$1 folder=$(mkdir -p "$2" && cd "$2" && pwd)
cd "${HRVGAN_ROOT:-$(dirname "$0")/..}"

packages() {  # wheels of the lock's versions, for another Python on 64-bit Linux
  local python=$1 place
  place=$(mktemp -d "$folder/.packages.XXXX")
  trap 'rm -rf "$place"' EXIT
  "${UV:-uv}" pip install --quiet --target "$place/packages" --python-version "$python" \
    --python-platform x86_64-manylinux_2_28 --only-binary :all: --constraint requirements.lock \
    papermill jupytext ipykernel ipywidgets av safetensors tqdm filelock pillow ||
    die "what Python $python needs is not complete; nothing is written"
  tar -C "$place" -cJf "$place/packages.tar.xz" packages
  mv "$place/packages.tar.xz" "$folder/packages.tar.xz"
  echo "$(du -m "$folder/packages.tar.xz" | cut -f1) MB for Python $python: $folder/packages.tar.xz"
  echo "there: tar -xJf packages.tar.xz && PYTHONPATH=\$PWD/packages make reproduce PYTHON=python3"
}

pack() {  # a run may be going on: what changes under tar's hands is in the next parcel
  local run=$1 room=$(( ${2:-0} * 1024 )) item size total=0 left=0 list=()
  for item in "figures/$run" "runs/$run"/*.ipynb "runs/$run"/*.json "runs/$run/seeds"; do
    [[ -e $item ]] && list+=("$item")
  done
  [[ ${#list[@]} -gt 0 ]] || die "there is no run $run: neither figures/$run/ nor runs/$run/ holds a file"
  for item in "${list[@]}"; do total=$(( total + $(du -sk "$item" | cut -f1) )); done
  # The dearest to make again comes first: scores, judges, trainings (the early ones serve others), features.
  for item in "runs/$run"/evaluations/*.json "runs/$run"/judges/*/ $(ls -dtr "runs/$run"/checkpoints/*/ 2>/dev/null) \
              "runs/$run"/evaluations/features/*/; do
    size=$(du -sk "$item" | cut -f1)
    if (( room == 0 || total + size <= room )); then
      list+=("$item") total=$(( total + size ))
    else
      left=$(( left + size ))
    fi
  done
  rm -f "$folder/$run".parcel*
  tar -czf - --warning=no-file-changed --exclude='*.lock' --exclude='lock' --exclude='*.tmp' --exclude='.tmp.*' \
    --exclude='*.log' "${list[@]}" | split -b 15M -d - "$folder/$run.parcel-" || [[ ${PIPESTATUS[0]} -le 1 ]]
  (cd "$folder" && sha256sum "$run".parcel-* > ".$run.sha256" && mv ".$run.sha256" "$run.parcel.sha256")
  echo "run $run: $(( total / 1024 )) MB in $(ls "$folder/$run".parcel-* | wc -l) pieces and $run.parcel.sha256 in $folder/"
  if (( left )); then echo "left out, to be made again where it is needed: $(( left / 1024 + 1 )) MB"; fi
}

unpack() {
  local sums run found=0
  for sums in "$folder"/*.parcel.sha256; do
    found=1 run=$(basename "$sums" .parcel.sha256)
    (cd "$folder" && sha256sum --check --quiet --strict "$run.parcel.sha256") >&2 ||
      die "a piece of $run is missing or damaged, and nothing is put in place; fetch the parcel again"
    mkdir -p "runs/$run"
    # What is newer here stays: a table made since, a training that has gone further.
    flock --nonblock --conflict-exit-code 9 "runs/$run/.lock" \
      bash -o pipefail -c 'cat "$0"/"$1".parcel-* | tar -xzf - --keep-newer-files --warning=no-ignore-newer' \
      "$folder" "$run" || { (( $? == 9 )) && die "run $run is being made here: wait until it has ended, then unpack" ||
        die "the parcel of $run cannot be unpacked; fetch it again"; }
    echo "run $run is in place: figures/$run/ and runs/$run/"
  done
  (( found )) || die "$folder holds no parcel (*.parcel.sha256): name the folder that pack wrote"
}

case $verb in
  packages) packages "${3:-3.12}" ;;
  pack) pack "${3:?which run?}" "${4:-0}" ;;
  unpack) unpack ;;
  *) die "unknown verb $verb: choose packages, pack or unpack" ;;
esac
