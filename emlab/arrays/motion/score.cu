// Samples are turned by the shift of their frame in their patch.

extern "C" __global__ void turn(
    const float2 *samples, int count, const float *frequency, const double *shifts, int frames, float2 *aligned) {
    int index = blockIdx.x * blockDim.x + threadIdx.x, frame = blockIdx.y * blockDim.y + threadIdx.y;
    if (index >= count || frame >= frames) return;
    double turns = shifts[2 * frame] * frequency[index] + shifts[2 * frame + 1] * frequency[count + index];
    float c, s;
    sincospif(2.0f * float(turns - rint(turns)), &s, &c);
    long long i = (long long)frame * count + index;
    float2 here = samples[i];
    aligned[i] = make_float2(here.x * c - here.y * s, here.x * s + here.y * c);
}
