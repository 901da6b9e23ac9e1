/* A student made by graphkd, see student.h.
 *     cc -O3 -march=native main.c student.c -lm                               a program with it
 *     cc -O3 -march=native -DGRAPHKD_BENCH student.c -lm && ./a.out 18        its speed, the sparse rows' with 18 non-zeros
 * C99 with 512-bit or 256-bit instructions where the compiler has them; -DGRAPHKD_PORTABLE leaves them out. Not for
 * -ffast-math: codes are rounded by adding and taking away a large number. */
#ifdef GRAPHKD_BENCH
#define _POSIX_C_SOURCE 199309L
#endif

#include "student.h"

#include <math.h>
#include <string.h>

#if defined(__AVX512F__) && !defined(GRAPHKD_PORTABLE)
#include <immintrin.h>
#define LANES 16
typedef __m512 vec;
#define LOAD(p) _mm512_load_ps(p)
#define STORE(p, v) _mm512_store_ps(p, v)
#define ZERO _mm512_setzero_ps()
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY_ADD(sum, scalar, p) _mm512_fmadd_ps(_mm512_set1_ps(scalar), LOAD(p), sum)
#elif defined(__AVX2__) && defined(__FMA__) && !defined(GRAPHKD_PORTABLE)
#include <immintrin.h>
#define LANES 8
typedef __m256 vec;
#define LOAD(p) _mm256_load_ps(p)
#define STORE(p, v) _mm256_store_ps(p, v)
#define ZERO _mm256_setzero_ps()
#define ADD(a, b) _mm256_add_ps(a, b)
#define MULTIPLY_ADD(sum, scalar, p) _mm256_fmadd_ps(_mm256_set1_ps(scalar), LOAD(p), sum)
#elif defined(__GNUC__) && !defined(GRAPHKD_PORTABLE)
#define LANES 4
typedef float vec __attribute__((vector_size(16), may_alias));
#define LOAD(p) (*(const vec *)(p))
#define STORE(p, v) (*(vec *)(p) = (v))
#define ZERO ((vec){0})
#define ADD(a, b) ((a) + (b))
#define MULTIPLY_ADD(sum, scalar, p) ((sum) + (scalar) * LOAD(p))
#else
#define LANES 1
typedef float vec;
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define ZERO 0.0f
#define ADD(a, b) ((a) + (b))
#define MULTIPLY_ADD(sum, scalar, p) ((sum) + (scalar) * LOAD(p))
#endif

#ifdef __GNUC__
#define ALIGNED __attribute__((aligned(64)))
#else
#define ALIGNED
#endif

/* Outputs are padded to strips of 16, and four strips at a time share a pass over the inputs: a panel, stored as
 * [inputs][16 * strips], so that a dense row reads its weights in order and a sparse one in runs. */
#define STRIP 16
#define PARTS (STRIP / LANES)

/* Rows that share a pass over the weights, where there are registers for it. */
#if LANES == 16
#define BLOCK 4
#else
#define BLOCK 1
#endif

typedef struct {
    int32_t inputs, outputs, strips, hidden;
    const void *weight;
    const void *bias;
    const void *gain, *shift; /* of layer normalisation, or nothing */
    const void *scale;        /* of 8-bit weights, by output */
    const int32_t *offset;    /* 128 times the sum of 8-bit weights, by output, where inputs may be negative */
} layer;

/*@weights@*/

/* Preprocessing of raw rows, as in training: an entry, and what all entries of its row are multiplied by. */
#define PREPROCESSES (GRAPHKD_BINARY || GRAPHKD_ROW_NORMALIZE)
#if GRAPHKD_BINARY
#define STORED(v) ((v) != 0.0f ? 1.0f : 0.0f)
#else
#define STORED(v) (v)
#endif
#if GRAPHKD_ROW_NORMALIZE
#define ENTRY(v, factor) ((float)((double)STORED(v) * (factor)))
#else
#define ENTRY(v, factor) ((void)(factor), STORED(v))
#endif

#if GRAPHKD_SCALES
/* A raw number as the feature of column k, missing ones filled. A step of its own, and in 64 bits: in the weights of
 * the first layer it would leave sums of large numbers that cancel, and codes of 8 bits for scales that differ. */
static float scaled(float v, int32_t k)
{
    double raw = v == v ? (double)v : raw_fill.values[k];
    return (float)((raw - raw_shift.values[k]) / raw_scale.values[k]);
}
#endif

#if !GRAPHKD_SCALES
/* One over the sum of magnitudes, in 64 bits and in parts that a compiler adds side by side; 0 of a row of zeros. */
static double row_factor(const float *value, int32_t count)
{
#if GRAPHKD_ROW_NORMALIZE
    double part[8] = {0.0}, sum = 0.0;
    int32_t k, i;
    for (k = 0; k + 8 <= count; k += 8)
        for (i = 0; i < 8; i++) {
            float entry = STORED(value[k + i]);
            part[i] += entry < 0.0f ? -(double)entry : (double)entry;
        }
    for (; k < count; k++) {
        float entry = STORED(value[k]);
        part[0] += entry < 0.0f ? -(double)entry : (double)entry;
    }
    for (i = 0; i < 8; i++)
        sum += part[i];
    return sum > 0.0 ? 1.0 / sum : 0.0;
#else
    (void)value;
    (void)count;
    return 1.0;
#endif
}
#endif

/* Dense rows as the first layer takes them; where rows are preprocessed, in memory of the function that asks. */
#if PREPROCESSES || GRAPHKD_SCALES
#define ROOM(rows) float room[rows][GRAPHKD_FEATURES] ALIGNED
#define PREPARED(x, rows) prepared(x, rows, room[0])
static const float *prepared(const float *x, int rows, float *out)
{
    int32_t k;
    int r;
    for (r = 0; r < rows; r++) {
        const float *from = x + (int64_t)r * GRAPHKD_FEATURES;
        float *to = out + (int64_t)r * GRAPHKD_FEATURES;
#if GRAPHKD_SCALES
        for (k = 0; k < GRAPHKD_FEATURES; k++)
            to[k] = scaled(from[k], k);
#else
        double factor = row_factor(from, GRAPHKD_FEATURES);
        (void)factor;
        for (k = 0; k < GRAPHKD_FEATURES; k++)
            to[k] = ENTRY(from[k], factor);
#endif
    }
    return out;
}
#else
#define ROOM(rows) int room[1] = {0}
#define PREPARED(x, rows) ((void)room, (x))
#endif

#define LAYERS ((int)(sizeof float_layers / sizeof float_layers[0])) /*@mlp@*/
#define LAYERS ((int)(sizeof float_layers / sizeof float_layers[0]) / GRAPHKD_MEMBERS) /*@ensemble@*/

/* GRAPHKD_HIDDEN is the largest width of a layer, padded to whole panels. */
typedef struct {
    float row[BLOCK][GRAPHKD_HIDDEN];
} activations;

#define PANEL(name, ROWS, STRIPS, CHAINS)                                                                              \
    static void name(const float *weight, const float *bias, int32_t inputs, const float *x, int64_t x_step, float *y, \
                     int64_t y_step)                                                                                   \
    {                                                                                                                  \
        enum { N = STRIPS * PARTS };                                                                                   \
        vec sum[ROWS][CHAINS][N];                                                                                      \
        int32_t k;                                                                                                     \
        int r, c, i;                                                                                                   \
        for (r = 0; r < ROWS; r++)                                                                                     \
            for (c = 0; c < CHAINS; c++)                                                                               \
                for (i = 0; i < N; i++)                                                                                \
                    sum[r][c][i] = c ? ZERO : LOAD(bias + i * LANES);                                                  \
        for (k = 0; k + CHAINS <= inputs; k += CHAINS)                                                                 \
            for (c = 0; c < CHAINS; c++, weight += STRIPS * STRIP)                                                     \
                for (r = 0; r < ROWS; r++)                                                                             \
                    for (i = 0; i < N; i++)                                                                            \
                        sum[r][c][i] = MULTIPLY_ADD(sum[r][c][i], x[r * x_step + k + c], weight + i * LANES);          \
        for (; k < inputs; k++, weight += STRIPS * STRIP)                                                              \
            for (r = 0; r < ROWS; r++)                                                                                 \
                for (i = 0; i < N; i++)                                                                                \
                    sum[r][0][i] = MULTIPLY_ADD(sum[r][0][i], x[r * x_step + k], weight + i * LANES);                  \
        for (r = 0; r < ROWS; r++)                                                                                     \
            for (i = 0; i < N; i++) {                                                                                  \
                for (c = 1; c < CHAINS; c++)                                                                           \
                    sum[r][0][i] = ADD(sum[r][0][i], sum[r][c][i]);                                                    \
                STORE(y + r * y_step + i * LANES, sum[r][0][i]);                                                       \
            }                                                                                                          \
    }

PANEL(panel_1_1, 1, 1, 4)
PANEL(panel_1_2, 1, 2, 4)
PANEL(panel_1_3, 1, 3, 2)
PANEL(panel_1_4, 1, 4, 2)
#if BLOCK > 1
PANEL(panel_block_1, BLOCK, 1, 2)
PANEL(panel_block_2, BLOCK, 2, 1)
PANEL(panel_block_3, BLOCK, 3, 1)
PANEL(panel_block_4, BLOCK, 4, 1)
#endif

#if !GRAPHKD_SCALES
#define SPARSE_PANEL(STRIPS)                                                                                           \
    static void sparse_panel_##STRIPS(const float *weight, const float *bias, const int32_t *column,                   \
                                      const float *value, int32_t count, double factor, float *y)                      \
    {                                                                                                                  \
        enum { N = STRIPS * PARTS };                                                                                   \
        vec sum[N];                                                                                                    \
        int32_t k;                                                                                                     \
        int i;                                                                                                         \
        for (i = 0; i < N; i++)                                                                                        \
            sum[i] = LOAD(bias + i * LANES);                                                                           \
        for (k = 0; k < count; k++) {                                                                                  \
            const float *run = weight + (int64_t)column[k] * (STRIPS * STRIP);                                         \
            float entry = ENTRY(value[k], factor);                                                                     \
            for (i = 0; i < N; i++)                                                                                    \
                sum[i] = MULTIPLY_ADD(sum[i], entry, run + i * LANES);                                                 \
        }                                                                                                              \
        for (i = 0; i < N; i++)                                                                                        \
            STORE(y + i * LANES, sum[i]);                                                                              \
    }

SPARSE_PANEL(1)
SPARSE_PANEL(2)
SPARSE_PANEL(3)
SPARSE_PANEL(4)
#endif

/* Layer normalisation and rectifier, in place; what pads the row is not read by the next layer. */
static void finish(const layer *l, float *y)
{
    int32_t j;
    if (l->gain) {
        const float *gain = (const float *)l->gain, *shift = (const float *)l->shift;
        float mean = 0.0f, variance = 0.0f, factor;
        for (j = 0; j < l->outputs; j++)
            mean += y[j];
        mean /= (float)l->outputs;
        for (j = 0; j < l->outputs; j++)
            variance += (y[j] - mean) * (y[j] - mean);
        factor = 1.0f / sqrtf(variance / (float)l->outputs + 1e-5f);
        for (j = 0; j < l->outputs; j++)
            y[j] = gain[j] * ((y[j] - mean) * factor) + shift[j];
    }
    if (l->hidden)
        for (j = 0; j < l->strips * STRIP; j++)
            y[j] = y[j] < 0.0f ? 0.0f : y[j];
}

/* One layer for 1 or BLOCK dense rows. */
static void dense_layer(const layer *l, int rows, const float *x, int64_t x_step, float *y)
{
    const float *weight = (const float *)l->weight, *bias = (const float *)l->bias;
    int32_t s;
    int r;
    for (s = 0; s < l->strips; s += 4) {
        const float *w = weight + (int64_t)s * STRIP * l->inputs, *b = bias + s * STRIP;
        int strips = l->strips - s < 4 ? (int)(l->strips - s) : 4;
        float *out = y + s * STRIP;
#define CALL(name) name(w, b, l->inputs, x, x_step, out, GRAPHKD_HIDDEN)
#if BLOCK > 1
        if (rows > 1)
            switch (strips) {
            case 1: CALL(panel_block_1); break;
            case 2: CALL(panel_block_2); break;
            case 3: CALL(panel_block_3); break;
            default: CALL(panel_block_4);
            }
        else
#endif
            switch (strips) {
            case 1: CALL(panel_1_1); break;
            case 2: CALL(panel_1_2); break;
            case 3: CALL(panel_1_3); break;
            default: CALL(panel_1_4);
            }
#undef CALL
    }
    for (r = 0; r < rows; r++)
        finish(l, y + r * GRAPHKD_HIDDEN);
}

#if !GRAPHKD_SCALES
static void sparse_layer(const layer *l, const int32_t *column, const float *value, int32_t count, float *y)
{
    const float *weight = (const float *)l->weight, *bias = (const float *)l->bias;
    double factor = row_factor(value, count);
    int32_t s;
    for (s = 0; s < l->strips; s += 4) {
        const float *w = weight + (int64_t)s * STRIP * l->inputs, *b = bias + s * STRIP;
        float *out = y + s * STRIP;
        switch (l->strips - s) {
        case 1: sparse_panel_1(w, b, column, value, count, factor, out); break;
        case 2: sparse_panel_2(w, b, column, value, count, factor, out); break;
        case 3: sparse_panel_3(w, b, column, value, count, factor, out); break;
        default: sparse_panel_4(w, b, column, value, count, factor, out);
        }
    }
    finish(l, y);
}
#endif

/* Adds a member's share: logits become log(exp(logits) + alpha_m softmax(z)), in 64 bits. */ /*@ensemble@*/
static void mix(int m, const float *z, float *logits) /*@ensemble@*/
{ /*@ensemble@*/
    double top = z[graphkd_argmax(z)], sum = 0.0, shift; /*@ensemble@*/
    int32_t j; /*@ensemble@*/
    for (j = 0; j < GRAPHKD_CLASSES; j++) /*@ensemble@*/
        sum += exp(z[j] - top); /*@ensemble@*/
    shift = log_alpha.values[m] - top - log(sum); /*@ensemble@*/
    for (j = 0; j < GRAPHKD_CLASSES; j++) { /*@ensemble@*/
        double term = z[j] + shift, so_far = m > 0 ? logits[j] : -INFINITY; /*@ensemble@*/
        double high = term < so_far ? so_far : term, low = term < so_far ? term : so_far; /*@ensemble@*/
        logits[j] = (float)(low <= -INFINITY ? high : high + log1p(exp(low - high))); /*@ensemble@*/
    } /*@ensemble@*/
} /*@ensemble@*/
 /*@ensemble@*/
/* All layers but the first, whose result is in y; spare is as large. */
static void dense_rest(int rows, activations *y, activations *spare, float *logits) /*@mlp@*/
static void dense_rest(int m, int rows, activations *y, activations *spare, float *logits) /*@ensemble@*/
{
    int n, r;
    for (n = 1; n < LAYERS; n++) {
        activations *other = y;
        dense_layer(&float_layers[n], rows, y->row[0], GRAPHKD_HIDDEN, spare->row[0]); /*@mlp@*/
        dense_layer(&float_layers[m * LAYERS + n], rows, y->row[0], GRAPHKD_HIDDEN, spare->row[0]); /*@ensemble@*/
        y = spare;
        spare = other;
    }
    for (r = 0; r < rows; r++)
        memcpy(logits + r * GRAPHKD_CLASSES, y->row[r], GRAPHKD_CLASSES * sizeof(float)); /*@mlp@*/
        mix(m, y->row[r], logits + r * GRAPHKD_CLASSES); /*@ensemble@*/
}

void graphkd_logits(const float *x, int64_t rows, float *logits) /*@mlp@*/
static void member_logits(int m, const float *x, int64_t rows, float *logits) /*@ensemble@*/
{
    activations y ALIGNED, spare ALIGNED;
    ROOM(BLOCK);
    int64_t i = 0;
    while (i < rows) {
        int some = rows - i < BLOCK ? 1 : BLOCK;
        const float *rows_in = PREPARED(x + i * GRAPHKD_FEATURES, some);
        dense_layer(&float_layers[0], some, rows_in, GRAPHKD_FEATURES, y.row[0]); /*@mlp@*/
        dense_layer(&float_layers[m * LAYERS], some, rows_in, GRAPHKD_FEATURES, y.row[0]); /*@ensemble@*/
        dense_rest(some, &y, &spare, logits + i * GRAPHKD_CLASSES); /*@mlp@*/
        dense_rest(m, some, &y, &spare, logits + i * GRAPHKD_CLASSES); /*@ensemble@*/
        i += some;
    }
}

void graphkd_logits(const float *x, int64_t rows, float *logits) /*@ensemble@*/
{ /*@ensemble@*/
    int m; /*@ensemble@*/
    for (m = 0; m < GRAPHKD_MEMBERS; m++) /*@ensemble@*/
        member_logits(m, x, rows, logits); /*@ensemble@*/
} /*@ensemble@*/
 /*@ensemble@*/
#if GRAPHKD_SCALES
/* Absent entries are raw zeros, whose features are not: the row becomes a dense one, in 4 GRAPHKD_FEATURES bytes. */
static void dense_row(const int32_t *column, const float *value, int32_t count, float *row)
{
    int32_t k;
    memset(row, 0, GRAPHKD_FEATURES * sizeof(float));
    for (k = 0; k < count; k++)
        row[column[k]] = value[k];
}

void graphkd_logits_sparse(const int32_t *column, const float *value, int32_t count, float *logits)
{
    float row[GRAPHKD_FEATURES];
    dense_row(column, value, count, row);
    graphkd_logits(row, 1, logits);
}
#else
void graphkd_logits_sparse(const int32_t *column, const float *value, int32_t count, float *logits)
{
    activations y ALIGNED, spare ALIGNED;
    sparse_layer(&float_layers[0], column, value, count, y.row[0]); /*@mlp@*/
    dense_rest(1, &y, &spare, logits); /*@mlp@*/
    int m; /*@ensemble@*/
    for (m = 0; m < GRAPHKD_MEMBERS; m++) { /*@ensemble@*/
        sparse_layer(&float_layers[m * LAYERS], column, value, count, y.row[0]); /*@ensemble@*/
        dense_rest(m, 1, &y, &spare, logits); /*@ensemble@*/
    } /*@ensemble@*/
}
#endif

void graphkd_logits_csr(const int64_t *start, const int32_t *column, const float *value, int64_t rows, float *logits)
{
    int64_t i;
    for (i = 0; i < rows; i++)
        graphkd_logits_sparse(column + start[i], value + start[i], (int32_t)(start[i + 1] - start[i]),
                              logits + i * GRAPHKD_CLASSES);
}

void graphkd_softmax(const float *logits, int64_t rows, float *probabilities)
{
    int64_t i;
    int j;
    for (i = 0; i < rows; i++, logits += GRAPHKD_CLASSES, probabilities += GRAPHKD_CLASSES) {
        float top = logits[graphkd_argmax(logits)], sum = 0.0f;
        for (j = 0; j < GRAPHKD_CLASSES; j++)
            sum += probabilities[j] = expf(logits[j] - top);
        for (j = 0; j < GRAPHKD_CLASSES; j++)
            probabilities[j] /= sum;
    }
}

int32_t graphkd_argmax(const float *logits)
{
    int32_t best = 0, j;
    for (j = 1; j < GRAPHKD_CLASSES; j++)
        if (logits[j] > logits[best])
            best = j;
    return best;
}

#if GRAPHKD_HAS_INT8

/* 8-bit weights stand in the same panels, four inputs of an output side by side: [inputs / 4][16 * strips][4]. */
#if (defined(__AVX512VNNI__) || (defined(__AVX512BW__) && !defined(__AVXVNNI__))) && !defined(GRAPHKD_PORTABLE)
#define INT8_LANES 16
typedef __m512i sums;
#define SUMS_ZERO _mm512_setzero_si512()
#define SUMS_ADD(a, b) _mm512_add_epi32(a, b)
#define SUMS_SUB(a, b) _mm512_sub_epi32(a, b)
#define SUMS_STORE(p, v) _mm512_store_si512(p, v)
#if defined(__AVX512VNNI__)
#define DOT(sum, four, p) _mm512_dpbusd_epi32(sum, _mm512_set1_epi32((int32_t)(four)), _mm512_load_si512(p))
#else
#define DOT(sum, four, p) dot_by_halves(sum, four, p)
#define CHAINS_OF(count) 1
/* Products of the even inputs, then of the odd ones: two at a time do not fit into 16 bits. */
static __m512i dot_by_halves(__m512i sum, uint32_t four, const int8_t *p)
{
    __m512i x = _mm512_set1_epi32((int32_t)four), low = _mm512_set1_epi16(255), one = _mm512_set1_epi16(1);
    __m512i weights = _mm512_load_si512(p);
    __m512i even = _mm512_maddubs_epi16(_mm512_and_si512(x, low), weights);
    __m512i odd = _mm512_maddubs_epi16(_mm512_andnot_si512(low, x), weights);
    return _mm512_add_epi32(sum, _mm512_add_epi32(_mm512_madd_epi16(even, one), _mm512_madd_epi16(odd, one)));
}
#endif
#elif (defined(__AVXVNNI__) || defined(__AVX2__)) && !defined(GRAPHKD_PORTABLE)
#define INT8_LANES 8
typedef __m256i sums;
#define SUMS_ZERO _mm256_setzero_si256()
#define SUMS_ADD(a, b) _mm256_add_epi32(a, b)
#define SUMS_SUB(a, b) _mm256_sub_epi32(a, b)
#define SUMS_STORE(p, v) _mm256_store_si256((__m256i *)(p), v)
#if defined(__AVXVNNI__)
#define DOT(sum, four, p)                                                                                              \
    _mm256_dpbusd_avx_epi32(sum, _mm256_set1_epi32((int32_t)(four)), _mm256_load_si256((const __m256i *)(p)))
#else
#define DOT(sum, four, p) dot_by_halves(sum, four, p)
#define CHAINS_OF(count) 1
/* As for 512 bits. */
static __m256i dot_by_halves(__m256i sum, uint32_t four, const int8_t *p)
{
    __m256i x = _mm256_set1_epi32((int32_t)four), low = _mm256_set1_epi16(255), one = _mm256_set1_epi16(1);
    __m256i weights = _mm256_load_si256((const __m256i *)p);
    __m256i even = _mm256_maddubs_epi16(_mm256_and_si256(x, low), weights);
    __m256i odd = _mm256_maddubs_epi16(_mm256_andnot_si256(low, x), weights);
    return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(even, one), _mm256_madd_epi16(odd, one)));
}
#endif
#else
#define INT8_LANES 1
typedef int32_t sums;
#define SUMS_ZERO 0
#define SUMS_ADD(a, b) ((a) + (b))
#define SUMS_SUB(a, b) ((a) - (b))
#define SUMS_STORE(p, v) (*(p) = (v))
#define DOT(sum, four, p)                                                                                              \
    ((sum) + (int32_t)((four)&255u) * (p)[0] + (int32_t)((four) >> 8 & 255u) * (p)[1] +                                \
     (int32_t)((four) >> 16 & 255u) * (p)[2] + (int32_t)((four) >> 24) * (p)[3])
#endif
#define INT8_PARTS (STRIP / INT8_LANES)

#ifndef CHAINS_OF
#define CHAINS_OF(count) count /* sums at a time, where each has to wait for the one before */
#endif

/* x holds four codes in each number, the first in the lowest bits. */
#define INT8_PANEL(STRIPS, CHAINS)                                                                                     \
    static void int8_panel_##STRIPS(const int8_t *weight, const uint32_t *x, int32_t groups, int32_t *y)               \
    {                                                                                                                  \
        enum { N = STRIPS * INT8_PARTS };                                                                              \
        sums sum[CHAINS][N];                                                                                           \
        int32_t k;                                                                                                     \
        int c, i;                                                                                                      \
        for (c = 0; c < CHAINS; c++)                                                                                   \
            for (i = 0; i < N; i++)                                                                                    \
                sum[c][i] = SUMS_ZERO;                                                                                 \
        for (k = 0; k + CHAINS <= groups; k += CHAINS)                                                                 \
            for (c = 0; c < CHAINS; c++, weight += STRIPS * STRIP * 4)                                                 \
                for (i = 0; i < N; i++)                                                                                \
                    sum[c][i] = DOT(sum[c][i], x[k + c], weight + i * INT8_LANES * 4);                                 \
        for (; k < groups; k++, weight += STRIPS * STRIP * 4)                                                          \
            for (i = 0; i < N; i++)                                                                                    \
                sum[0][i] = DOT(sum[0][i], x[k], weight + i * INT8_LANES * 4);                                         \
        for (i = 0; i < N; i++) {                                                                                      \
            for (c = 1; c < CHAINS; c++)                                                                               \
                sum[0][i] = SUMS_ADD(sum[0][i], sum[c][i]);                                                            \
            SUMS_STORE(y + i * INT8_LANES, sum[0][i]);                                                                 \
        }                                                                                                              \
    }

INT8_PANEL(1, CHAINS_OF(4))
INT8_PANEL(2, CHAINS_OF(4))
INT8_PANEL(3, CHAINS_OF(2))
INT8_PANEL(4, CHAINS_OF(2))

#if !GRAPHKD_SCALES
/* The instruction takes the codes of inputs without a sign: those of negative values are summed on their own. */
#define INT8_SPARSE_PANEL(STRIPS)                                                                                      \
    static void int8_sparse_panel_##STRIPS(const int8_t *weight, const int32_t *column, const float *value,            \
                                           int32_t count, double factor, float inverse, int32_t *y)                    \
    {                                                                                                                  \
        enum { N = STRIPS * INT8_PARTS };                                                                              \
        sums plus[N], minus[N];                                                                                        \
        int32_t k;                                                                                                     \
        int i;                                                                                                         \
        for (i = 0; i < N; i++)                                                                                        \
            plus[i] = minus[i] = SUMS_ZERO;                                                                            \
        for (k = 0; k < count; k++) {                                                                                  \
            const int8_t *run = weight + (int64_t)(column[k] / 4) * (STRIPS * STRIP * 4);                              \
            int32_t code = code_of(ENTRY(value[k], factor), inverse), shift = column[k] % 4 * 8;                       \
            if (code >= 0) {                                                                                           \
                uint32_t four = (uint32_t)code << shift;                                                               \
                for (i = 0; i < N; i++)                                                                                \
                    plus[i] = DOT(plus[i], four, run + i * INT8_LANES * 4);                                            \
            } else {                                                                                                   \
                uint32_t four = (uint32_t)-code << shift;                                                              \
                for (i = 0; i < N; i++)                                                                                \
                    minus[i] = DOT(minus[i], four, run + i * INT8_LANES * 4);                                          \
            }                                                                                                          \
        }                                                                                                              \
        for (i = 0; i < N; i++)                                                                                        \
            SUMS_STORE(y + i * INT8_LANES, SUMS_SUB(plus[i], minus[i]));                                               \
    }
#endif

/* The nearest whole number of a small one, ties to the even one. */
static int32_t code_of(float value, float inverse)
{
    float shifted = value * inverse + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4B400000;
}

#if !GRAPHKD_SCALES
INT8_SPARSE_PANEL(1)
INT8_SPARSE_PANEL(2)
INT8_SPARSE_PANEL(3)
INT8_SPARSE_PANEL(4)
#endif

/* The largest magnitude, found in the order of the bits, which compilers vectorise. */
static float largest(const float *x, int32_t count)
{
    int32_t top = 0, k;
    float value;
    for (k = 0; k < count; k++) {
        int32_t bits;
        memcpy(&bits, x + k, sizeof bits);
        bits &= 0x7FFFFFFF;
        top = bits > top ? bits : top;
    }
    memcpy(&value, &top, sizeof value);
    return value;
}

/* Codes per unit for magnitudes up to top; rows too small for a finite factor are all zeros. */
static float inverse_scale(float top, float codes)
{
    return top > 1e-30f ? codes / top : 0.0f;
}

/* Codes of values, four in a number: those of the first layer are 128 larger than they mean. Returns their unit. */
static float encode(const float *x, int32_t count, int first, uint8_t *codes)
{
    float top = largest(x, count), inverse = inverse_scale(top, first ? 127.0f : 255.0f);
    int32_t zero = first ? 128 : 0, k;
    for (k = 0; k < count; k++)
        codes[k] = (uint8_t)(code_of(x[k], inverse) + zero);
    for (; k % 4; k++)
        codes[k] = (uint8_t)zero;
    return top / (first ? 127.0f : 255.0f);
}

static void pack(const uint8_t *codes, int32_t groups, uint32_t *four)
{
    int32_t k;
    for (k = 0; k < groups; k++)
        four[k] = (uint32_t)codes[4 * k] | (uint32_t)codes[4 * k + 1] << 8 | (uint32_t)codes[4 * k + 2] << 16 |
                  (uint32_t)codes[4 * k + 3] << 24;
}

/* Sums of codes to values: y = unit * scale * (sum - offset) + bias. */
static void decode(const layer *l, float unit, const int32_t *sum, const int32_t *offset, float *y)
{
    const float *scale = (const float *)l->scale, *bias = (const float *)l->bias;
    int32_t j, n = l->strips * STRIP;
    if (offset)
        for (j = 0; j < n; j++)
            y[j] = unit * scale[j] * (float)(sum[j] - offset[j]) + bias[j];
    else
        for (j = 0; j < n; j++)
            y[j] = unit * scale[j] * (float)sum[j] + bias[j];
    finish(l, y);
}

static void int8_layer(const layer *l, const float *x, float *y)
{
    uint8_t codes[GRAPHKD_WIDEST + 64] ALIGNED;
    uint32_t four[GRAPHKD_WIDEST / 4 + 1] ALIGNED;
    int32_t sum[GRAPHKD_HIDDEN] ALIGNED;
    int32_t s, groups = (l->inputs + 3) / 4;
    float unit = encode(x, l->inputs, l->offset != 0, codes);
    pack(codes, groups, four);
    for (s = 0; s < l->strips; s += 4) {
        const int8_t *w = (const int8_t *)l->weight + (int64_t)s * STRIP * 4 * groups;
        switch (l->strips - s) {
        case 1: int8_panel_1(w, four, groups, sum + s * STRIP); break;
        case 2: int8_panel_2(w, four, groups, sum + s * STRIP); break;
        case 3: int8_panel_3(w, four, groups, sum + s * STRIP); break;
        default: int8_panel_4(w, four, groups, sum + s * STRIP);
        }
    }
    decode(l, unit, sum, l->offset, y);
}

#if !GRAPHKD_SCALES
static void int8_sparse_layer(const layer *l, const int32_t *column, const float *value, int32_t count, float *y)
{
    int32_t sum[GRAPHKD_HIDDEN] ALIGNED;
    int32_t s, groups = (l->inputs + 3) / 4;
    double factor = row_factor(value, count);
    float most = largest(value, count), top = ENTRY(most, factor), inverse = inverse_scale(top, 127.0f);
    for (s = 0; s < l->strips; s += 4) {
        const int8_t *w = (const int8_t *)l->weight + (int64_t)s * STRIP * 4 * groups;
        switch (l->strips - s) {
        case 1: int8_sparse_panel_1(w, column, value, count, factor, inverse, sum + s * STRIP); break;
        case 2: int8_sparse_panel_2(w, column, value, count, factor, inverse, sum + s * STRIP); break;
        case 3: int8_sparse_panel_3(w, column, value, count, factor, inverse, sum + s * STRIP); break;
        default: int8_sparse_panel_4(w, column, value, count, factor, inverse, sum + s * STRIP);
        }
    }
    decode(l, top / 127.0f, sum, 0, y);
}
#endif

static void int8_rest(float *y, float *spare, float *logits) /*@mlp@*/
static void int8_rest(int m, float *y, float *spare, float *logits) /*@ensemble@*/
{
    int n;
    for (n = 1; n < LAYERS; n++) {
        float *other = y;
        int8_layer(&int8_layers[n], y, spare); /*@mlp@*/
        int8_layer(&int8_layers[m * LAYERS + n], y, spare); /*@ensemble@*/
        y = spare;
        spare = other;
    }
    memcpy(logits, y, GRAPHKD_CLASSES * sizeof(float)); /*@mlp@*/
    mix(m, y, logits); /*@ensemble@*/
}

void graphkd_int8_logits(const float *x, int64_t rows, float *logits) /*@mlp@*/
static void int8_member_logits(int m, const float *x, int64_t rows, float *logits) /*@ensemble@*/
{
    float y[GRAPHKD_HIDDEN] ALIGNED, spare[GRAPHKD_HIDDEN] ALIGNED;
    ROOM(1);
    int64_t i;
    for (i = 0; i < rows; i++) {
        int8_layer(&int8_layers[0], PREPARED(x + i * GRAPHKD_FEATURES, 1), y); /*@mlp@*/
        int8_layer(&int8_layers[m * LAYERS], PREPARED(x + i * GRAPHKD_FEATURES, 1), y); /*@ensemble@*/
        int8_rest(y, spare, logits + i * GRAPHKD_CLASSES); /*@mlp@*/
        int8_rest(m, y, spare, logits + i * GRAPHKD_CLASSES); /*@ensemble@*/
    }
}

void graphkd_int8_logits(const float *x, int64_t rows, float *logits) /*@ensemble@*/
{ /*@ensemble@*/
    int m; /*@ensemble@*/
    for (m = 0; m < GRAPHKD_MEMBERS; m++) /*@ensemble@*/
        int8_member_logits(m, x, rows, logits); /*@ensemble@*/
} /*@ensemble@*/
 /*@ensemble@*/
#if GRAPHKD_SCALES
void graphkd_int8_logits_sparse(const int32_t *column, const float *value, int32_t count, float *logits)
{
    float row[GRAPHKD_FEATURES];
    dense_row(column, value, count, row);
    graphkd_int8_logits(row, 1, logits);
}
#else
void graphkd_int8_logits_sparse(const int32_t *column, const float *value, int32_t count, float *logits)
{
    float y[GRAPHKD_HIDDEN] ALIGNED, spare[GRAPHKD_HIDDEN] ALIGNED;
    int8_sparse_layer(&int8_layers[0], column, value, count, y); /*@mlp@*/
    int8_rest(y, spare, logits); /*@mlp@*/
    int m; /*@ensemble@*/
    for (m = 0; m < GRAPHKD_MEMBERS; m++) { /*@ensemble@*/
        int8_sparse_layer(&int8_layers[m * LAYERS], column, value, count, y); /*@ensemble@*/
        int8_rest(m, y, spare, logits); /*@ensemble@*/
    } /*@ensemble@*/
}
#endif

void graphkd_int8_logits_csr(const int64_t *start, const int32_t *column, const float *value, int64_t rows,
                             float *logits)
{
    int64_t i;
    for (i = 0; i < rows; i++)
        graphkd_int8_logits_sparse(column + start[i], value + start[i], (int32_t)(start[i + 1] - start[i]),
                                   logits + i * GRAPHKD_CLASSES);
}

#endif /* GRAPHKD_HAS_INT8 */

#ifdef GRAPHKD_BENCH
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CALLS = 20000, WARM = 2000, ROWS = 64 };

static float dense_rows[ROWS][GRAPHKD_FEATURES];
static int32_t columns[ROWS][GRAPHKD_FEATURES];
static float row_values[ROWS][GRAPHKD_FEATURES];
static int32_t count_of;
static double times[CALLS];
static float answer[GRAPHKD_CLASSES];

static uint32_t draw(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void call_float(int i) { graphkd_logits(dense_rows[i], 1, answer); }
static void call_sparse(int i) { graphkd_logits_sparse(columns[i], row_values[i], count_of, answer); }
#if GRAPHKD_HAS_INT8
static void call_int8(int i) { graphkd_int8_logits(dense_rows[i], 1, answer); }
static void call_int8_sparse(int i) { graphkd_int8_logits_sparse(columns[i], row_values[i], count_of, answer); }
#endif

static void measure(const char *name, void (*call)(int))
{
    int i;
    for (i = 0; i < WARM; i++)
        call(i % ROWS);
    for (i = 0; i < CALLS; i++) {
        double start = now();
        call(i % ROWS);
        times[i] = now() - start;
    }
    qsort(times, CALLS, sizeof times[0], ascending);
    printf("%-12s p50 %.2f  p95 %.2f  p99 %.2f us\n", name, times[CALLS / 2], times[CALLS / 100 * 95],
           times[CALLS / 100 * 99]);
}

int main(int argc, char **argv)
{
    int i, k;
    count_of = argc > 1 ? atoi(argv[1]) : 18;
    if (count_of < 0 || count_of > GRAPHKD_FEATURES)
        count_of = GRAPHKD_FEATURES;
    for (i = 0; i < ROWS; i++)
        for (k = 0; k < GRAPHKD_FEATURES; k++) {
            dense_rows[i][k] = (float)(draw() % 2001) / 1000.0f - 1.0f;
            columns[i][k] = (int32_t)(draw() % GRAPHKD_FEATURES);
            row_values[i][k] = (float)(1 + draw() % 1000) / 1000.0f;
        }
    measure("fp32", call_float);
    measure("fp32 sparse", call_sparse);
#if GRAPHKD_HAS_INT8
    measure("int8", call_int8);
    measure("int8 sparse", call_int8_sparse);
#endif
    return 0;
}
#endif /* GRAPHKD_BENCH */
