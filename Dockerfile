# A training in a container (docs/guide/cluster.md). Torch's wheels bring CUDA's libraries; the driver is the host's.
#     make wheelhouse PYTHON=3.12
#     docker build -t headmime .
#     docker run --rm --gpus all --shm-size=24g --user "$(id -u):$(id -g)" -v "$PWD/runs:/headmime/runs" headmime train -cn meta_vox2_ft ckpt=auto
# Loaders hand over batches through /dev/shm, of which Docker gives 64 MB by default: 2.7 GB for each GPU
# with the paper's batch of 48 and 8 workers; `headmime train` says so if there is too little.
FROM nvidia/cuda:13.0.1-base-ubuntu24.04

# gcc and Python's headers are what torch.compile builds kernels' launchers with.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

RUN --mount=type=bind,source=wheelhouse,target=/wheelhouse \
    python3 -m venv /opt/headmime \
    && /opt/headmime/bin/pip install --no-cache-dir --no-index --find-links /wheelhouse --no-deps \
        --require-hashes --requirement /wheelhouse/requirements.txt

# Whoever runs it (--user) needs a name and a home that can be written to, for torch's caches.
ENV PATH=/opt/headmime/bin:$PATH USER=headmime HOME=/tmp
RUN useradd --no-create-home headmime && install --directory --owner headmime /headmime
USER headmime
WORKDIR /headmime

ENTRYPOINT ["headmime"]
CMD ["--help"]
