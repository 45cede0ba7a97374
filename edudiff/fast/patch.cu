// ELS and local scores on a GPU, a climb from plain.py: one thread for one noisy pixel and one share of the training set.
//
// A thread adds up its windows one after the other and keeps its own sums, so that no thread waits for another; the
// shares are merged afterwards (device.py, which compiles this). It is compiled with -D for each of
//   REAL      type of x and of the distances          IMAGE     type of the images
//   CHANNELS  of a pixel                              MOMENTS   2 for the sums of squares and exponents as well, or 0
//   NEAR      neighboring windows that are compared at once: each value that is loaded serves them all

struct Range { int first, last; };  // first and last + 1

// Places along one axis whose window sticks out of the image as that of i does (Kamb & Ganguli 2024, appendix B.2).
__device__ Range alike(int i, int length, int radius, int shifts, int circular) {
    if (shifts && circular) return {0, length};
    return shifts && radius <= i && i < length - radius ? Range{radius, length - radius} : Range{i, i + 1};
}

// Rows (or columns) of the window around i, from its center: what sticks out of the image is left out.
__device__ Range window_of(int i, int length, int radius, int circular) {
    if (circular) return {-radius, radius + 1};
    return {i < radius ? -i : -radius, i + radius < length ? radius + 1 : length - i};
}

__device__ int wrapped(int i, int length) { return i < 0 ? i + length : i < length ? i : i - length; }

// |window of x at (i, j) - alpha window of y at (p, q + k)|^2 - what is typical of it, for all k < NEAR.
__device__ void compare(REAL *distances, const REAL *x, const REAL *typical, const IMAGE *y, int i, int j, int p, int q,
                        Range up, Range across, int height, int width, REAL alpha) {
    for (int k = 0; k < NEAR; ++k) distances[k] = 0;
    for (int a = up.first; a < up.last; ++a) {
        int row = wrapped(i + a, height) * width, other = wrapped(p + a, height) * width;
        int u = wrapped(j + across.first, width), v = wrapped(q + across.first, width);
        REAL seen[NEAR][CHANNELS];  // pixels of y, in a ring: the one that is left behind makes room for the next
        for (int k = 0; k < NEAR; ++k) {
            for (int c = 0; c < CHANNELS; ++c) seen[k][c] = y[(other + v) * CHANNELS + c];
            v = v + 1 < width ? v + 1 : 0;
        }
        for (int first = across.first; first < across.last; first += NEAR) {
#pragma unroll
            for (int m = 0; m < NEAR; ++m) {
                if (first + m >= across.last) break;
                for (int k = 0; k < NEAR; ++k) {
                    REAL squares = -typical[row + u];
                    for (int c = 0; c < CHANNELS; ++c) {
                        REAL difference = fma(-alpha, seen[(m + k) % NEAR][c], x[(row + u) * CHANNELS + c]);
                        squares = fma(difference, difference, squares);
                    }
                    distances[k] += squares;
                }
                for (int c = 0; c < CHANNELS; ++c) seen[m][c] = y[(other + v) * CHANNELS + c];
                u = u + 1 < width ? u + 1 : 0, v = v + 1 < width ? v + 1 : 0;
            }
        }
    }
}

// `pixels`: of an image, in the order in which threads take them. `places` (count,): the images to compare with.
// `rate`: from distances to powers of 2. `reach`: how far beyond the best a distance is negligible, or `tie` of the best.
// Writes tops (shares, queries), sums (shares, queries, 1 + CHANNELS + MOMENTS): of weights, of weighted values, ...
extern "C" __global__ void add_windows(
    const REAL *x, const REAL *typical, const int *pixels, int queries, const IMAGE *images, const long long *places,
    int count, int height, int width, int radius, int shifts, int circular, REAL alpha, REAL rate, REAL reach, REAL tie,
    double *tops, double *sums) {
    const int size = height * width, query = blockIdx.x * blockDim.x + threadIdx.x;
    if (query >= queries) return;
    const int pixel = pixels[query % size], i = pixel / width, j = pixel % width, b = query / size;
    const Range rows = alike(i, height, radius, shifts, circular), columns = alike(j, width, radius, shifts, circular);
    const Range up = window_of(i, height, radius, circular), across = window_of(j, width, radius, circular);
    x += (long long)b * size * CHANNELS, typical += (long long)b * size;
    const REAL infinity = exp2((REAL)1e4);  // by no name that all compilers know
    REAL best = infinity;
    double total[1 + CHANNELS + MOMENTS] = {};
    const int last = (long long)count * (blockIdx.y + 1) / gridDim.y;
    for (int n = (long long)count * blockIdx.y / gridDim.y; n < last; ++n) {
        const IMAGE *y = images + places[n] * size * CHANNELS;
        for (int p = rows.first; p < rows.last; ++p) {
            for (int q = columns.first; q < columns.last; q += NEAR) {
                REAL distances[NEAR], lowest = infinity, some[1 + CHANNELS + MOMENTS] = {};
                compare(distances, x, typical, y, i, j, p, q, up, across, height, width, alpha);
                for (int k = 0; k < NEAR; ++k)
                    if (q + k < columns.last) lowest = fmin(lowest, distances[k]);
                if (lowest - best > fmax(reach, tie * fabs(best))) continue;
                if (lowest < best) {  // all sums were relative to the best so far
                    double lost = (double)rate * ((double)lowest - (double)best), fade = exp2(lost);
                    if (MOMENTS && fade > 0) total[CHANNELS + MOMENTS] += total[0] * lost;
                    for (int m = 0; m < 1 + CHANNELS + MOMENTS; ++m) total[m] *= fade;
                    best = lowest;
                }
                for (int k = 0; k < NEAR; ++k) {
                    if (q + k >= columns.last) break;
                    REAL exponent = (best - distances[k]) * rate, weight = exp2(exponent), squares = 0;
                    some[0] += weight;
                    for (int c = 0; c < CHANNELS; ++c) {
                        REAL value = y[(p * width + q + k) * CHANNELS + c];
                        some[1 + c] += weight * value, squares += value * value;
                    }
                    if (MOMENTS) some[CHANNELS + 1] += weight * squares;
                    if (MOMENTS) some[CHANNELS + MOMENTS] += weight * exponent;
                }
                for (int m = 0; m < 1 + CHANNELS + MOMENTS; ++m) total[m] += some[m];
            }
        }
    }
    const long long at = (long long)blockIdx.y * queries + (long long)b * size + pixel;
    tops[at] = (double)best * (double)rate * -0.6931471805599453;  // weights were powers of 2
    for (int m = 0; m < 1 + CHANNELS + MOMENTS; ++m) sums[at * (1 + CHANNELS + MOMENTS) + m] = total[m];
}
