/*
 * True doubles: the sign, the exponent and some leading bits take few values in a block and become codes of a short
 * list; the rest is as good as random and stands as it is. See kernel/codec_real.h for the form.
 */
#ifndef KERNEL_CODEC_FRONTS_H
#define KERNEL_CODEC_FRONTS_H

#include "kernel/codec_block.h"

/* Appends what follows the form's byte, which stands at out->ptr[form] and gets
 * its flag when there are exceptions. shift: low bits that are 0 in all. False: nothing to gain, `out` may have been
 * added to. */
bool codec_fronts_write(struct codec_work *work, const double *values, size_t n, unsigned shift, size_t form,
                        struct buf *out);
bool codec_fronts_read(struct codec_work *work, struct codec_in *in, bool exceptions, double *values, size_t n);

#endif
