# Two images from one file: `docker build --target bot .` and `docker build --target runner .`.
# Both run as an ordinary user and keep everything they write under /data.
FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    XUEBAN_DATA_DIR=/data
RUN useradd --create-home --uid 10001 xueban \
 && mkdir /data && chown xueban /data
WORKDIR /app
COPY pyproject.toml requirements-carried.txt README.md LICENSE ./
# Before anything that needs torch, and by its exact name.
RUN pip install torch==2.13.0

FROM base AS bot
COPY knowledge knowledge
COPY runners runners
COPY bot bot
RUN pip install '.[bot]' && pip install --no-deps -r requirements-carried.txt
USER xueban
VOLUME /data
CMD ["sh", "-c", "xueban prepare && exec xueban bot"]

FROM base AS runner
# Plots carry Chinese titles: without such a font they would show boxes.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*
COPY runners runners
COPY knowledge knowledge
COPY bot bot
RUN pip install '.[runner]'
USER xueban
VOLUME /data
EXPOSE 8650
ENV XUEBAN_RUNNER_HOST=0.0.0.0 XUEBAN_RUNNER_PORT=8650
CMD ["python", "-m", "runners", "serve"]
