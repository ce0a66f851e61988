// The cell of each sample in rows of equal phase and rays, and what it adds to it: 1, excess over background, wave.

constexpr double PI = 3.14159265358979323846;

extern "C" __global__ void place(
    const float *excess, const float *wave, const float *phase, const float *angle, const long long *ring,
    const double *background, double lowest, double step, int rows, int rays, int samples, long long *cells,
    float *values) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= samples) return;
    int row = int(min(max(rint((phase[i] - lowest) / step), -1.0), rows - 2.0)) + 1;
    int ray = int((angle[i] / PI + 0.5) * rays);
    float found[3] = {1.0f, float(excess[i] - background[ring[i]]), wave[i]};
    for (int kind = 0; kind < 3; kind++) {
        cells[(long long)kind * samples + i] = ((long long)kind * rows + row) * rays + ray;
        values[(long long)kind * samples + i] = found[kind];
    }
}
