// Sums over patches of what the background and the rings' height leave of the samples, weighted with a third curve.

extern "C" __global__ void residuals(
    const float *excess, const float *wave, const long long *ring, const long long *order, const double *curves,
    const long long *starts, const long long *counts, int patches, int lanes, double *parts) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, patch = blockIdx.y * blockDim.y + threadIdx.y;
    if (lane >= lanes || patch >= patches) return;
    double total = 0.0;
    for (long long n = starts[patch] + lane; n < starts[patch] + counts[patch]; n += lanes) {
        long long i = order[n];
        const double *mine = curves + 3 * ring[i];
        total += (excess[i] - mine[0] - mine[1] * wave[i]) * mine[2];
    }
    parts[(long long)patch * lanes + lane] = total;
}
