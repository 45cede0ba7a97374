// What a C++ compiler lacks to take CUDA C, and a loop that runs its threads one after the other: no barrier, no warp.
#include <cmath>
#include <type_traits>
#include <utility>

using std::exp2, std::fabs, std::fma, std::fmax, std::fmin;

#define __device__ static
#define __global__

struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;

// Types of the parameters as NumPy writes them, such as f4, with a * before it for a pointer.
template <class P> void add_type(char *&at) {
    using T = std::remove_cv_t<std::remove_pointer_t<std::remove_cv_t<P>>>;
    if (std::is_pointer_v<P>) *at++ = '*';
    *at++ = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u', *at++ = '0' + sizeof(T), *at++ = ' ';
}

template <class... P> const char *types_of(void (*)(P...)) {
    static char all[4 * sizeof...(P) + 1], *at = all;
    return at = all, (add_type<P>(at), ...), *at = 0, all;
}

template <class... P, std::size_t... I>
void run(void (*kernel)(P...), const unsigned *grid, const unsigned *block, void **given, std::index_sequence<I...>) {
    gridDim = {grid[0], grid[1], grid[2]}, blockDim = {block[0], block[1], block[2]};
    for (blockIdx.z = 0; blockIdx.z < grid[2]; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < grid[1]; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < grid[0]; ++blockIdx.x)
                for (threadIdx.z = 0; threadIdx.z < block[2]; ++threadIdx.z)
                    for (threadIdx.y = 0; threadIdx.y < block[1]; ++threadIdx.y)
                        for (threadIdx.x = 0; threadIdx.x < block[0]; ++threadIdx.x)
                            kernel(*static_cast<std::remove_cv_t<P> *>(given[I])...);
}

template <class... P>
void run(void (*kernel)(P...), const unsigned *grid, const unsigned *block, void **given) {
    run(kernel, grid, block, given, std::index_sequence_for<P...>());
}
