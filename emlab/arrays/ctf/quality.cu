// Sums over rings of a spectrum's amplitudes and of its model, of their squares and of their product.

extern "C" __global__ void compare(
    const float *excess, const float *wave, const double *curves, const long long *starts, const long long *counts,
    int rings, int lanes, double *parts) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, ring = blockIdx.y * blockDim.y + threadIdx.y;
    if (lane >= lanes || ring >= rings) return;
    double background = curves[2 * ring], fading = curves[2 * ring + 1], sums[5] = {};
    for (long long i = starts[ring] + lane; i < starts[ring] + counts[ring]; i += lanes) {
        double one_square = (1.0 + excess[i]) / background, other_square = 0.5 + 0.5 * fading * wave[i];
        double one = sqrt(one_square), other = sqrt(max(other_square, 0.0));
        sums[0] += one;
        sums[1] += other;
        sums[2] += one_square;
        sums[3] += other_square;
        sums[4] += one * other;
    }
    for (int kind = 0; kind < 5; kind++) parts[(5LL * ring + kind) * lanes + lane] = sums[kind];
}
