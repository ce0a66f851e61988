// Every candidate, a mean defocus with an astigmatism, compared with the spectrum along its path through the sectors, and
// the best astigmatism for each mean.

extern "C" __global__ void rate(
    const float *likeness, const float *norm, int number, int sectors, const long long *offsets, int pairs,
    float *scores) {
    int mean = blockIdx.x * blockDim.x + threadIdx.x, pair = blockIdx.y * blockDim.y + threadIdx.y;
    if (mean >= number || pair >= pairs) return;
    float product = 0.0f, square = 0.0f;
    for (int sector = 0; sector < sectors; sector++) {
        int there = min(max(mean + int(offsets[pair * sectors + sector]), 0), number - 1);
        product += likeness[there * sectors + sector];
        square += norm[there * sectors + sector];
    }
    scores[(long long)pair * number + mean] = product / sqrtf(square);
}

extern "C" __global__ void choose(const float *scores, int number, int pairs, float *found) {
    int mean = blockIdx.x * blockDim.x + threadIdx.x, best = 0;
    if (mean >= number) return;
    for (int pair = 1; pair < pairs; pair++)
        if (scores[(long long)pair * number + mean] > scores[(long long)best * number + mean]) best = pair;
    found[mean] = scores[(long long)best * number + mean];
    found[number + mean] = float(best);
}
