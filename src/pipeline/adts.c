#include "pipeline/adts.h"

#include <errno.h>
#include <stdlib.h>

#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"

struct adts {
    AVBSFContext *filter; // owned
};

bool adts_is_in(const AVStream *st)
{
    return st->codecpar->codec_id == AV_CODEC_ID_AAC &&
           !st->codecpar->extradata_size;
}

int adts_create(struct adts **ret, const AVStream *st, struct error *e)
{
    const AVBitStreamFilter *kind = av_bsf_get_by_name("aac_adtstoasc");
    struct adts *a = xcalloc(1, sizeof(*a));

    int r = kind ? av_bsf_alloc(kind, &a->filter) : AVERROR_BSF_NOT_FOUND;
    if (r >= 0)
        r = avcodec_parameters_copy(a->filter->par_in, st->codecpar);
    if (r >= 0)
        r = av_bsf_init(a->filter);
    if (r < 0) {
        adts_destroy(a);
        return averror_set(e, r, "cannot take the headers off AAC");
    }
    *ret = a;
    return 0;
}

void adts_destroy(struct adts *a)
{
    if (!a)
        return;
    av_bsf_free(&a->filter);
    free(a);
}

int adts_strip(struct adts *a, AVPacket *packet)
{
    int r = av_bsf_send_packet(a->filter, packet);

    return r < 0 ? r : av_bsf_receive_packet(a->filter, packet);
}
