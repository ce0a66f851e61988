// Spectra of frames are turned by their shifts.

extern "C" __global__ void move(
    const float2 *spectra, int frames, int height, int columns, int width, const double *shifts, float2 *moved) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= columns || row >= frames * height) return;
    const double *shift = shifts + 2 * (row / height);
    int y = row % height, along_y = 2 * y < height ? y : y - height;
    double turns = along_y * shift[0] / height + x * shift[1] / width;
    float c, s;
    sincospif(2.0f * float(turns - rint(turns)), &s, &c);
    long long i = (long long)row * columns + x;
    float2 here = spectra[i];
    moved[i] = make_float2(here.x * c - here.y * s, here.x * s + here.y * c);
}
