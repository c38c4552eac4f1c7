# One static binary for all of Sluice's commands, on an image that has nothing
# else: no shell, no package manager, no root.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t sluice .
#
# The root file system can be read-only (docker run --read-only): everything that
# is written goes below /var/lib/sluice, the working directory, where relative
# paths of the configuration point. Mount a volume there that UID 65532 may
# write to.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-trimpath
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN go build -ldflags "-s -w -X sluice/cmd/internal/build.version=${VERSION}" -o /out/sluice ./cmd/sluice \
 && mkdir -p /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/sluice /usr/local/bin/sluice
COPY --from=build --chown=65532:65532 /out/data /var/lib/sluice
WORKDIR /var/lib/sluice
VOLUME /var/lib/sluice
# Numeric, so that Kubernetes can see that it is not root.
USER 65532:65532
# gateway: public, operator; worker: operator.
EXPOSE 8080 8081 8082
ENTRYPOINT ["/usr/local/bin/sluice"]
CMD ["gateway", "-config", "/etc/sluice/gateway.yaml"]
