# The proxy with a Claude Code CLI in it: `docker build -t claude-max .`, and templates/compose for what goes in front.
#
#   docker run --init -p 127.0.0.1:3456:3456 -e CLAUDE_CODE_OAUTH_TOKEN -e CLAUDE_MAX_API_KEY claude-max
#
# `claude-max login --token` makes the token, on a machine with a browser. Without CLAUDE_MAX_API_KEY it does not start:
# in a container it listens on 0.0.0.0.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
COPY pyproject.toml README.md LICENSE /src/
COPY cli /src/cli
COPY proxy /src/proxy
COPY templates /src/templates
COPY completions /src/completions
RUN python3 -m venv /opt/claude-max \
    && /opt/claude-max/bin/pip install --no-cache-dir --disable-pip-version-check '/src[cli]'

FROM ${BASE}
COPY --from=build /opt/claude-max /opt/claude-max
RUN useradd --create-home --uid 10001 claude
ENV PATH=/opt/claude-max/bin:$PATH CLAUDE_MAX_HOST=0.0.0.0
USER claude
WORKDIR /home/claude
EXPOSE 3456
HEALTHCHECK --interval=30s --timeout=6s --start-period=40s CMD ["/opt/claude-max/bin/python", "-c", "import json, sys, urllib.request as web; said = json.load(web.urlopen('http://127.0.0.1:3456/health', timeout=5)); sys.exit(said['status'] != 'ok')"]
CMD ["claude-max", "serve"]
