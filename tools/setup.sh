#!/usr/bin/env bash
# setup.sh build|test|bench|fleet|kafka: installs the Debian packages of tools/packages/ that are missing. Fetches
# nothing when all are there. Without root: sudo, or the command to type and exit status 1.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

needed() {
    local package command
    sed 's/#.*//' "$@" | while read -r package command; do
        [ -n "$package" ] || continue
        if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
        echo "$package"
    done | sort -u
}

lists=(tools/packages/build.txt)
case ${1:-} in
    build) ;;
    test | bench | fleet | kafka) lists+=("tools/packages/$1.txt") ;;
    *) die "usage: setup.sh build|test|bench|fleet|kafka" ;;
esac
command -v dpkg-query >/dev/null || die "Parley is built on Debian 12; what it needs is listed in: ${lists[*]}"

installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
mapfile -t missing < <(comm -23 <(needed "${lists[@]}") <(echo "$installed"))
[ ${#missing[@]} -gt 0 ] || exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null </dev/null; then
        as_root=(sudo -n)
    else
        say "These packages are missing; as root, type:"
        say "    apt-get update && RUNLEVEL=1 $install"
        exit 1
    fi
fi
say "Installing: ${missing[*]}"
# RUNLEVEL=1 keeps packages from starting their daemons.
quietly=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1)
"${quietly[@]}" apt-get -q update </dev/null >&2
# shellcheck disable=SC2086
"${quietly[@]}" ${install/-y/-y -q -o Dpkg::Use-Pty=0} </dev/null >&2
