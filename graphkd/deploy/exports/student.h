/* A student made by graphkd: rows of features in, logits out. Needs nothing but student.c and the library m:
 *     cc -O3 -march=native main.c student.c -lm
 * C99; C++ includes this header, and student.c is compiled as C. No function allocates, keeps state or fails; several threads may call them at once. The stack has to hold
 * GRAPHKD_STACK bytes. Rows: @rows@.
 * Logits are [rows, GRAPHKD_CLASSES]; a sparse row is its non-zeros: their columns, each once and in any order, and
 * their values. */ /*@mlp@*/
 * their values. Logits of GRAPHKD_MEMBERS members with outputs z are log(sum of alpha softmax(z)). */ /*@ensemble@*/
#ifndef GRAPHKD_STUDENT_H
#define GRAPHKD_STUDENT_H

#include <stdint.h>

/*@sizes@*/

#ifdef __cplusplus
extern "C" {
#endif

/* Names of the outputs, which are numbers where the data had none, and of the inputs; UTF-8. */
extern const char *const graphkd_class_names[GRAPHKD_CLASSES];
#if GRAPHKD_HAS_FEATURE_NAMES
extern const char *const graphkd_feature_names[GRAPHKD_FEATURES];
#endif
#if GRAPHKD_COLUMNS
/* The table's raw columns, what each holds (number, date, category, boolean, or presence: missing or not), and the
 * categories of training rows, each with the number of its column; UTF-8. */
extern const char *const graphkd_column_names[GRAPHKD_COLUMNS];
extern const char *const graphkd_column_kinds[GRAPHKD_COLUMNS];
#if GRAPHKD_CATEGORIES
extern const char *const graphkd_category_names[GRAPHKD_CATEGORIES];
extern const int32_t graphkd_category_columns[GRAPHKD_CATEGORIES];
#endif
#endif

/* Dense rows x [rows, GRAPHKD_FEATURES]. */
void graphkd_logits(const float *x, int64_t rows, float *logits);

/* One sparse row of count non-zeros; where GRAPHKD_SCALES is 1, it takes as long as a dense one. */
void graphkd_logits_sparse(const int32_t *column, const float *value, int32_t count, float *logits);

/* Sparse rows: those of row i stand at start[i] to start[i + 1] - 1; start has rows + 1 entries. */
void graphkd_logits_csr(const int64_t *start, const int32_t *column, const float *value, int64_t rows, float *logits);

#if GRAPHKD_HAS_INT8
/* The same with 8-bit weights (a scale per output) and 8-bit activations (a scale per row), summed in 32 bits. */
void graphkd_int8_logits(const float *x, int64_t rows, float *logits);
void graphkd_int8_logits_sparse(const int32_t *column, const float *value, int32_t count, float *logits);
void graphkd_int8_logits_csr(const int64_t *start, const int32_t *column, const float *value, int64_t rows,
                             float *logits);
#endif

/* Probabilities [rows, GRAPHKD_CLASSES] of logits; both may be the same memory. */
void graphkd_softmax(const float *logits, int64_t rows, float *probabilities);

/* The class of the largest of GRAPHKD_CLASSES logits, the first of equal ones. */
int32_t graphkd_argmax(const float *logits);

#ifdef __cplusplus
}
#endif

#endif
