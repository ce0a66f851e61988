// What a defocus makes of samples: their wave, and the frequency at which the mean defocus delays as much.

constexpr double PI = 3.14159265358979323846;

extern "C" __global__ void wave(
    const float *squares, const float *cosines, const float *sines, int samples, double wavelength, double curvature,
    double constant, double mean, double straight, double diagonal, float *waves) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= samples) return;
    double square = squares[i], local = mean + 0.5 * (straight * cosines[i] + diagonal * sines[i]);
    double turns = 2.0 * (wavelength * square * (local - curvature * square) + constant / PI);
    float sine, cosine;
    sincospif(float(turns - 2.0 * rint(0.5 * turns)), &sine, &cosine);
    waves[i] = -cosine;
}

extern "C" __global__ void mean_frequency(
    const float *squares, const float *cosines, const float *sines, int samples, double wavelength, double curvature,
    double constant, double mean, double straight, double diagonal, float *frequencies) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= samples) return;
    double square = squares[i], local = mean + 0.5 * (straight * cosines[i] + diagonal * sines[i]);
    double delay = square * (local - curvature * square);
    double root = sqrt(max(mean * mean - 4.0 * curvature * delay, 0.0));
    frequencies[i] = float(sqrt(max(2.0 * delay / max(mean + root, 1.0), 0.0)));
}
