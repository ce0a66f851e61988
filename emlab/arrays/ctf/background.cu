// Sums over rings on the way to a smooth background; curves are, ring by ring, the limit that samples are cut to, the
// background's height and slope, and the heights of its lobes with four and with eight parts.

extern "C" __global__ void cut(
    const float *power, const float *offset, const float *cosines, const double *curves, const long long *starts,
    const long long *counts, int rings, int lanes, double *parts) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, ring = blockIdx.y * blockDim.y + threadIdx.y;
    if (lane >= lanes || ring >= rings) return;
    double total = 0.0;
    for (long long i = starts[ring] + lane; i < starts[ring] + counts[ring]; i += lanes)
        total += min(double(power[i]), curves[5 * ring]);
    parts[(long long)ring * lanes + lane] = total;
}

extern "C" __global__ void lobes(
    const float *power, const float *offset, const float *cosines, const double *curves, const long long *starts,
    const long long *counts, int rings, int lanes, double *parts) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, ring = blockIdx.y * blockDim.y + threadIdx.y;
    if (lane >= lanes || ring >= rings) return;
    const double *mine = curves + 5 * ring;
    double with_four = 0.0, with_eight = 0.0;
    for (long long i = starts[ring] + lane; i < starts[ring] + counts[ring]; i += lanes) {
        double excess = min(double(power[i]), mine[0]) / (mine[1] * (1.0 + mine[2] * offset[i])) - 1.0;
        double four = 2.0 * cosines[i] * cosines[i] - 1.0;
        with_four += excess * four;
        with_eight += excess * (2.0 * four * four - 1.0);
    }
    parts[2LL * ring * lanes + lane] = with_four;
    parts[(2LL * ring + 1) * lanes + lane] = with_eight;
}

extern "C" __global__ void flatten(
    const float *power, const float *offset, const float *cosines, const double *curves, double flattest,
    float *excess, float *level, const long long *starts, const long long *counts, int rings, int lanes,
    double *parts) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, ring = blockIdx.y * blockDim.y + threadIdx.y;
    if (lane >= lanes || ring >= rings) return;
    const double *mine = curves + 5 * ring;
    double total = 0.0, squares = 0.0;
    for (long long i = starts[ring] + lane; i < starts[ring] + counts[ring]; i += lanes) {
        double four = 2.0 * cosines[i] * cosines[i] - 1.0;
        double shape = max(1.0 + mine[3] * four + mine[4] * (2.0 * four * four - 1.0), flattest);
        level[i] = float(mine[1] * (1.0 + mine[2] * offset[i]) * shape);
        excess[i] = float(min(double(power[i]), mine[0]) / level[i] - 1.0);
        total += excess[i];
        squares += double(excess[i]) * excess[i];
    }
    parts[2LL * ring * lanes + lane] = total;
    parts[(2LL * ring + 1) * lanes + lane] = squares;
}
