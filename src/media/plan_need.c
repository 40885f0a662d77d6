#include "media/plan_need.h"

#include <stdbool.h>
#include <stdio.h>

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>

#include "base/clock.h"
#include "media/plan.h"
#include "media/plan_video.h"
#include "media/surfaces.h"
#include "model/need.h"

static bool is_rendition(const struct plan_track *track)
{
    return track->kind == MEDIA_VIDEO && !track->copied;
}

static void need_rendition(struct need *need, const struct plan_track *track,
                           const struct media_stream *st)
{
    struct need_rendition *r = &need->renditions[need->rendition_count];
    const AVCodec *encoder = avcodec_find_encoder_by_name(track->encoder);

    if (!need->decodes_video) {
        need->decodes_video = true;
        (void)snprintf(need->codec, sizeof(need->codec), "%s",
                       avcodec_get_name(st->codec));
        need->width = st->width;
        need->height = st->height;
        need->depth = st->depth;
    }
    if (need->rendition_count == NEED_RENDITIONS_MOST)
        return;
    need->rendition_count++;
    (void)snprintf(r->codec, sizeof(r->codec), "%s",
                   encoder ? avcodec_get_name(encoder->id) : track->encoder);
    r->width = track->video.width;
    r->height = track->video.height;
    r->depth = av_pix_fmt_desc_get(track->video.format)->comp[0].depth;
}

void plan_need(const struct plan *plan, const struct media_info *info,
               struct need *ret)
{
    int64_t left = info->duration < 0 ? -1 : info->duration - plan->start;

    *ret = (struct need){.input_passes = info->passes, .duration = -1};
    if (plan->duration != JOB_UNSET && (left < 0 || plan->duration < left))
        left = plan->duration;
    if (left >= 0)
        ret->duration = (double)left / (double)SECOND;
    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++) {
            const struct plan_track *track = &plan->outputs[o].tracks[t];
            if (is_rendition(track))
                need_rendition(ret, track, &info->streams[track->stream]);
        }
    }
}

static void need_there(struct need_device *need, const struct plan *plan,
                       const struct plan_track *track,
                       const struct media_stream *st)
{
    need->sessions += plan_video_is_on_device(track);
    if (need->decodes || track->video.by[OP_DECODE]->memory == MEMORY_SYSTEM)
        return;
    need->decodes = true;
    need->surfaces =
        surfaces_expected(st->codec, surfaces_kept(plan, track->stream));
}

static void need_words(struct need_device *need, const struct plan_notes *notes)
{
    size_t used = 0;

    for (size_t i = 0; i < notes->why_count && used < sizeof(need->why); i++)
        used += (size_t)snprintf(need->why + used, sizeof(need->why) - used,
                                 "%s%s", used ? "; " : "", notes->why[i]);
}

void plan_need_device(const struct plan *plan, const struct media_info *info,
                      struct need *need)
{
    if (need->device_count == NEED_DEVICES_MOST)
        return;
    struct need_device *device = &need->devices[need->device_count++];

    *device = (struct need_device){0};
    (void)snprintf(device->id, sizeof(device->id), "%s", plan->device);
    need_words(device, &plan->notes);
    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++) {
            const struct plan_track *track = &plan->outputs[o].tracks[t];
            if (is_rendition(track))
                need_there(device, plan, track, &info->streams[track->stream]);
        }
    }
}
