# The image of Gatehouse, for serve, worker, operator, migrate and every other command. docs/image.md says what is in it
# and how it is built. Reasons: docs/decisions/0007-image.md.

# The major version of Node. To move to another one, change it here and in the two FROM lines below. The build stops if
# the three do not agree.
ARG NODE_MAJOR=24

# Both bases are pinned by the digest of their index (all platforms). Dependabot proposes a new tag and digest every week;
# by hand: `docker buildx imagetools inspect NAME:TAG` prints the digest. Both are Debian 13, so that native modules find
# the C library that they were chosen for.
FROM docker.io/library/node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66 AS node-with-npm
FROM gcr.io/distroless/nodejs24-debian13:nonroot@sha256:9eeb7f5887d0e239e78264b06f7f11d2e14be534050481803a9e4728fcdd278e AS node-alone

FROM node-with-npm AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The secret is for private registries: `--secret id=npmrc,src=FILE`. Without it nothing is mounted.
# The workspaces in packages/ are for services and are not in the image.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --workspaces=false --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY .ci/bundle.js ./.ci/
COPY adapters ./adapters
COPY provider ./provider
# The last stage has no `env` that could find `node`.
RUN npm run --silent build && \
    sed -i '1s|.*|#!/nodejs/bin/node|' build/provider/bin/cli.js && \
    find build -name '*.map' -delete && \
    mkdir bin && ln -s ../build/provider/bin/cli.js bin/gatehouse

FROM node-with-npm AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# What no program reads at run time is left out, by pattern:
# - source maps, types, documents, tests
# - copies of libraries for browsers, for bundlers, or for the other kind of modules
# - binaries for another runtime than Node (Bare)
# - names of OpenTelemetry that are not stable yet, and a variant of the Kubernetes API (PromiseAPI) that its client does not load
# Licences stay. The check in the last stage loads every module of ours, and looks for every file that one of them could
# load later, also inside the libraries.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --omit=dev --workspaces=false --ignore-scripts --no-audit --no-fund
WORKDIR /app/node_modules
RUN find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -iname '*.md' \) -delete && \
    rm -rf ./*/test ./@*/*/test ./bare-*/prebuilds \
      @opentelemetry/*/build/esm @opentelemetry/*/build/esnext @opentelemetry/semantic-conventions/dist/*experimental* \
      @opentelemetry/semantic-conventions/dist/*incubating* \
      @aws-sdk/*/dist-es @smithy/*/dist-es @kubernetes/client-node/dist/gen/types/PromiseAPI.js \
      @zxcvbn-ts/language-common/src @zxcvbn-ts/language-common/dist/*.js @zxcvbn-ts/language-common/dist/*.mjs \
      lodash/lodash.js lodash/core.js lodash/*.min.js lodash/fp nodemailer/dist/cjs yaml/browser \
      otpauth/dist/*.umd.* otpauth/dist/*.esm.* && \
    find zod -name '*.cjs' -delete && \
    find . -depth -type d -empty -delete

FROM node-alone
ARG NODE_MAJOR
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Gatehouse" \
      org.opencontainers.image.description="An OpenID Connect provider for teams on AWS." \
      org.opencontainers.image.licenses="NOASSERTION" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.url="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="gcr.io/distroless/nodejs24-debian13:nonroot"
WORKDIR /app
COPY package.json ./
COPY certificates ./certificates
COPY --from=dependencies /app/node_modules ./node_modules
COPY views ./views
COPY --from=build /app/build ./build
COPY --from=build /app/bin ./bin
# Amazon's authorities for RDS are trusted beside those of Node, so that sslmode=verify-full needs no more settings.
# docs/operate.md ("Size of a pod") has the measurements behind the three numbers: the young generation of the heap, the
# old one as a part of the container's memory limit, and the threads that hash passwords and look up names.
ENV NODE_ENV=production \
    NODE_OPTIONS="--max-semi-space-size=4 --max-old-space-size-percentage=60" \
    UV_THREADPOOL_SIZE=4 \
    NODE_EXTRA_CA_CERTS=/app/certificates/rds-global-bundle.pem \
    PATH=/app/bin:/nodejs/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# The check runs in the finished image, without a shell, and stops the build. It leaves nothing behind.
RUN --mount=type=bind,source=.ci/check-image.js,target=/tmp/check-image.mjs \
    ["/nodejs/bin/node", "--experimental-import-meta-resolve", "/tmp/check-image.mjs"]
USER 65532:65532
STOPSIGNAL SIGTERM
# A path in exec form: no shell starts it, so that node is process 1 and gets the signals.
ENTRYPOINT ["/app/bin/gatehouse"]
CMD ["--help"]
