// The moments of a defocus: a ring's sums over products of 1, t = −cos 2χ, the derivatives of t, and the excess.

constexpr double PI = 3.14159265358979323846;

extern "C" __global__ void moments(
    const float *squares, const float *cosines, const float *sines, const float *excess, double wavelength,
    double curvature, double phase, double mean, double straight, double diagonal, int with_phase,
    const long long *starts, const long long *counts, int rings, int lanes, double *parts) {
    int lane = blockIdx.x * blockDim.x + threadIdx.x, ring = blockIdx.y * blockDim.y + threadIdx.y;
    if (lane >= lanes || ring >= rings) return;
    double sums[28] = {};
    int vectors = with_phase ? 7 : 6;
    for (long long i = starts[ring] + lane; i < starts[ring] + counts[ring]; i += lanes) {
        double square = squares[i], local = mean + 0.5 * (straight * cosines[i] + diagonal * sines[i]);
        double turns = 2.0 * (wavelength * square * (local - curvature * square) + phase / PI);
        float s, c;
        sincospif(float(turns - 2.0 * rint(0.5 * turns)), &s, &c);
        float v[7];
        v[0] = 1.0f;
        v[1] = -c;
        v[2] = 2.0f * s * float(PI * wavelength * square);
        v[3] = 0.5f * v[2] * cosines[i];
        v[4] = 0.5f * v[2] * sines[i];
        v[5] = with_phase ? 2.0f * s * float(PI / 180.0) : excess[i];
        v[6] = excess[i];
        int pair = 0;
#pragma unroll
        for (int a = 0; a < 7; a++)
#pragma unroll
            for (int b = 0; b <= a; b++) sums[pair++] += double(v[a]) * v[b];
    }
    double *mine = parts + (long long)ring * vectors * vectors * lanes + lane;
    int pair = 0;
#pragma unroll
    for (int a = 0; a < 7; a++)
#pragma unroll
        for (int b = 0; b <= a; b++, pair++)
            if (a < vectors) mine[(a * vectors + b) * lanes] = mine[(b * vectors + a) * lanes] = sums[pair];
}
