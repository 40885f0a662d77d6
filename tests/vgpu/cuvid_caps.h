/*
 * cuvid_caps: which bitstreams the decoder takes.
 */
#ifndef VGPU_CUVID_CAPS_H
#define VGPU_CUVID_CAPS_H

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/dynlink_cuviddec.h>

struct rebuilder;

/* NULL when the codec is not decoded. */
const struct rebuilder *cuvid_find(cudaVideoCodec codec);

/* Fill what is asked for by codec, chroma format and bit depth. */
void cuvid_caps(CUVIDDECODECAPS *c);

#endif
