// Sums over the rings of samples, each ring by several threads, which leave adding up their parts to others.

extern "C" __global__ void sums(
    const float *values, int samples, int rows, const long long *starts, const long long *counts, int rings, int lanes,
    double *parts) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (lane >= lanes || row >= rows) return;
    int ring = row % rings;
    const float *mine = values + (long long)(row / rings) * samples + starts[ring];
    double sum = 0.0;
    for (int i = lane; i < counts[ring]; i += lanes) sum += mine[i];
    parts[(long long)row * lanes + lane] = sum;
}
