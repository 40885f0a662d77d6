#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "media/plan.h"
#include "media/plan_need.h"
#include "model/grant.h"
#include "model/job.h"
#include "model/need.h"
#include "support/card.h"

static struct media_stream picture = {
    .kind = MEDIA_VIDEO,
    .codec = AV_CODEC_ID_H264,
    .decodable = true,
    .width = 1920,
    .height = 1080,
    .frame_rate = {25, 1},
    .average_rate = {25, 1},
    .depth = 8,
    .format = AV_PIX_FMT_YUV420P,
};

static const struct media_info film = {
    .streams = &picture,
    .stream_count = 1,
    .duration = 60000000,
};

// clang-format off
#define OUTPUT(name, more) "{\"path\":\"/" name ".mp4\",\"audio\":[]" more "}"
#define LADDER \
    OUTPUT("a", "") "," \
    OUTPUT("b", ",\"video\":{\"max_height\":720}") "," \
    OUTPUT("c", ",\"video\":{\"codec\":\"hevc\",\"max_height\":480}")
#define BEYOND_THE_CARD \
    OUTPUT("a", "") "," \
    OUTPUT("b", ",\"video\":{\"codec\":\"av1\"}") "," \
    OUTPUT("c", ",\"video\":{\"profile\":\"high10\"}")
// clang-format on

static bool everything(const char *encoder)
{
    (void)encoder;
    return true;
}

/* From the tenth second on. */
static void make(struct job *job, struct plan *plan, const char *outputs,
                 const struct grant *grant)
{
    char text[1024];
    struct error e = {0};

    int size = snprintf(
        text, sizeof(text),
        "{\"input\":{\"path\":\"/in.mkv\",\"start\":10},\"outputs\":[%s]}",
        outputs);
    assert_int_equal(job_from_text(job, text, (size_t)size, &e), 0);
    const struct plan_request request = {
        .job = job,
        .info = &film,
        .grant = grant,
        .device = card_p1000(),
        .available = everything,
    };
    assert_int_equal(plan_make(plan, &request, &e), 0);
}

static void plan_need__ladder__counts_its_renditions(void **state)
{
    const struct grant grant = {.device = "cpu"};
    struct job job;
    struct plan plan;
    struct need need;

    (void)state;
    make(&job, &plan,
         "{\"path\":\"/a.mp4\"},{\"path\":\"/b.mp4\",\"video\":{"
         "\"codec\":\"hevc\",\"max_height\":720}},"
         "{\"path\":\"/c.mkv\",\"video\":{\"codec\":\"copy\"}}",
         &grant);
    plan_need(&plan, &film, &need);
    assert_true(need.decodes_video);
    assert_string_equal(need.codec, "h264");
    assert_int_equal(need.height, 1080);
    assert_int_equal(need.rendition_count, 2);
    assert_int_equal(need.renditions[1].height, 720);
    assert_true(need.duration > 49.9 && need.duration < 50.1);
    plan_fini(&plan);
    job_fini(&job);
}

static void plan_need_device__ladder__counts_sessions_and_surfaces(void **state)
{
    const struct grant grant = {"cuda:0", NEED_RENDITIONS_MOST, true, 0, 1};
    struct need need;
    struct plan plan;
    struct job job;

    (void)state;
    make(&job, &plan, LADDER, &grant);
    plan_need(&plan, &film, &need);
    plan_need_device(&plan, &film, &need);
    assert_int_equal(need.rendition_count, 3);
    assert_int_equal(need.device_count, 1);
    assert_string_equal(need.devices[0].id, "cuda:0");
    assert_int_equal(need.devices[0].sessions, 3);
    assert_true(need.devices[0].decodes);
    assert_int_equal(need.devices[0].surfaces, 6);
    assert_string_equal(need.devices[0].why, "");
    plan_fini(&plan);
    job_fini(&job);
}

static void plan_need_device__what_it_cannot__is_said_of_all_parts(void **state)
{
    const struct grant grant = {"cuda:0", NEED_RENDITIONS_MOST, true, 0, 1};
    struct need need = {0};
    struct plan plan;
    struct job job;

    (void)state;
    make(&job, &plan, BEYOND_THE_CARD, &grant);
    plan_need_device(&plan, &film, &need);
    assert_string_equal(need.devices[0].why,
                        "cuda:0 does not encode av1; "
                        "cuda:0 has no profile 'high10' of h264");
    plan_fini(&plan);
    job_fini(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_need__ladder__counts_its_renditions),
        cmocka_unit_test(
            plan_need_device__ladder__counts_sessions_and_surfaces),
        cmocka_unit_test(
            plan_need_device__what_it_cannot__is_said_of_all_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
