#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "base/clock.h"
#include "base/error.h"
#include "media/file_io.h"
#include "media/plan.h"
#include "media/source.h"
#include "model/grant.h"
#include "model/job.h"
#include "pipeline/gate.h"
#include "pipeline/pipeline.h"
#include "support/clip.h"
#include "support/folder.h"

#define PICTURE      "-f lavfi -i testsrc2=size=160x90:rate=25:duration=2 "
#define SOUND        "-f lavfi -i sine=sample_rate=48000:duration=2 "
#define ENCODE       "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p "
#define OUTPUTS_MOST 3

static char *folder;

static int make_clips(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder, PICTURE SOUND ENCODE "-bf 2 -c:a aac", "a.mp4");
    return 0;
}

static int remove_clips(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* A job as the worker runs it, with its files in the test's folder. */
struct run {
    struct job job;
    struct plan plan;
    struct source *source;
    struct file_io *outputs[OUTPUTS_MOST];
    struct gate *gate;
    struct pipeline *pipeline;
    enum outcome blame;
    enum outcome_part part;
    struct error error;
};

static int open_in(const char *name, int flags)
{
    int fd = *name == '/'
                 ? open(name, flags | O_CLOEXEC)
                 : open(folder_path(folder, name), flags | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

/* @outputs is the JSON of the array; the file of output N is "outN". */
static void run_prepare(struct run *r, const char *input, const char *range,
                        const char *outputs)
{
    const struct source_request request = {.probe_size = 5000000,
                                           .analyze_duration = -1};
    const struct grant grant = {.device = "cpu", .threads = 1};
    char text[2048];
    struct file_io *io = NULL;

    *r = (struct run){.gate = gate_create()};
    int size = snprintf(text, sizeof(text),
                        "{\"input\":{\"path\":\"/in\"%s},\"outputs\":%s}",
                        range, outputs);
    assert_int_equal(job_from_text(&r->job, text, (size_t)size, &r->error), 0);
    assert_int_equal(
        file_io_open_input(&io, open_in(input, O_RDONLY), &r->error), 0);
    assert_int_equal(source_open(&r->source, io, &request, &r->error), 0);
    const struct plan_request plan_request = {
        .job = &r->job,
        .info = source_info(r->source),
        .grant = &grant,
        .available = plan_has_encoder,
    };
    assert_int_equal(plan_make(&r->plan, &plan_request, &r->error), 0);
}

static void run_open_outputs(struct run *r, const char *special)
{
    for (size_t i = 0; i < r->plan.output_count; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "out%zu", i);
        int fd = special ? open_in(special, O_WRONLY)
                         : open_in(name, O_RDWR | O_CREAT | O_TRUNC);
        assert_int_equal(file_io_open_output(&r->outputs[i], fd, &r->error), 0);
    }
}

/* Start it, and wait for its end. */
static int run_all(struct run *r)
{
    const struct pipeline_config config = {
        .plan = &r->plan,
        .source = r->source,
        .outputs = r->outputs,
        .gate = r->gate,
    };

    assert_int_equal(
        pipeline_create(&r->pipeline, &config, &r->blame, &r->error), 0);
    pipeline_start(r->pipeline);
    assert_int_equal(pipeline_wait(r->pipeline, 60 * SECOND), 1);
    return pipeline_result(r->pipeline, &r->blame, &r->part, &r->error);
}

static void run_fini(struct run *r)
{
    pipeline_destroy(r->pipeline);
    for (size_t i = 0; i < r->plan.output_count; i++)
        file_io_close(r->outputs[i]);
    gate_destroy(r->gate);
    plan_fini(&r->plan);
    source_close(r->source);
    job_fini(&r->job);
}

#define FRAMES_AND_CODEC \
    "-count_frames -show_entries stream=codec_name,nb_read_frames -of " \
    "csv=p=0:s=_ -i"

static void pipeline__jobs__write_what_was_planned(void **state)
{
    static const struct {
        const char *range;
        const char *output;
        const char *expect; // of ffprobe
    } cases[] = {
        {"",
         "\"path\":\"/a.mp4\",\"video\":{\"codec\":\"copy\"},\"audio\":"
         "[{\"codec\":\"copy\"}]",
         "h264_50\naac_94"},
        {"",
         "\"path\":\"/a.mkv\",\"video\":{\"codec\":\"h264\",\"preset\":"
         "\"fastest\",\"max_height\":60},\"audio\":[{\"codec\":\"flac\"}]",
         "h264_50\nflac_21"},
        {",\"start\":0.52,\"duration\":1",
         "\"path\":\"/a.mp4\",\"video\":{\"codec\":\"h264\",\"preset\":"
         "\"fastest\"},\"audio\":[]",
         "h264_25"},
        {"",
         "\"path\":\"/a.mkv\",\"video\":{\"codec\":\"h264\",\"preset\":"
         "\"fastest\",\"frame_rate\":10},\"audio\":[]",
         "h264_20"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run r;
        char outputs[512];
        print_message("%s\n", cases[i].output);
        (void)snprintf(outputs, sizeof(outputs), "[{%s}]", cases[i].output);
        run_prepare(&r, "a.mp4", cases[i].range, outputs);
        run_open_outputs(&r, NULL);
        assert_int_equal(run_all(&r), 0);
        run_fini(&r);
        assert_string_equal(clip_probe(folder, FRAMES_AND_CODEC, "out0"),
                            cases[i].expect);
    }
}

static void pipeline__ladder__one_decode_feeds_all(void **state)
{
    static const char outputs[] =
        "[{\"path\":\"/a.mp4\",\"video\":{\"codec\":\"h264\",\"preset\":"
        "\"fastest\"}},"
        "{\"path\":\"/b.mp4\",\"video\":{\"codec\":\"h264\",\"preset\":"
        "\"fastest\",\"max_height\":60}},"
        "{\"path\":\"/c.mkv\",\"video\":{\"codec\":\"copy\"}}]";
    struct pipeline_progress progress;
    struct run r;

    (void)state;
    run_prepare(&r, "a.mp4", "", outputs);
    run_open_outputs(&r, NULL);
    assert_int_equal(run_all(&r), 0);
    pipeline_progress(r.pipeline, &progress);
    assert_int_equal(progress.frames, 50);
    assert_int_equal(progress.position, 2 * SECOND);
    assert_int_equal(progress.errors, 0);
    for (size_t i = 0; i < 3; i++) {
        pipeline_output_progress(r.pipeline, i, &progress);
        assert_int_equal(progress.frames, 50);
        assert_true(progress.size > 1000);
    }
    run_fini(&r);
}

static atomic_int aac_encoders; // that have ended

/* libav's AAC encoder says one line when it is closed. */
static void count_encoders(void *object, int level, const char *format,
                           va_list ap)
{
    (void)object;
    (void)level;
    (void)ap;
    atomic_fetch_add(&aac_encoders, strncmp(format, "Qavg", 4) == 0);
}

/* Sound that outputs want alike is encoded once, and each has all of it. */
static void pipeline__same_sound__is_encoded_once(void **state)
{
    static const char outputs[] =
        "[{\"path\":\"/a.mp4\",\"audio\":[{\"codec\":\"aac\"}],\"video\":"
        "{\"codec\":\"none\"}},"
        "{\"path\":\"/b.mp4\",\"audio\":[{\"codec\":\"aac\"},"
        "{\"codec\":\"aac\",\"bitrate\":64000}],\"video\":"
        "{\"codec\":\"copy\"}},"
        "{\"path\":\"/c.mkv\",\"audio\":[{\"codec\":\"aac\"}],\"video\":"
        "{\"codec\":\"none\"}}]";
    static const char *const streams[] = {"1", "3", "1"};
    struct run r;

    (void)state;
    atomic_store(&aac_encoders, 0);
    run_prepare(&r, "a.mp4", "", outputs);
    run_open_outputs(&r, NULL);
    av_log_set_callback(count_encoders);
    assert_int_equal(run_all(&r), 0);
    run_fini(&r);
    av_log_set_callback(av_log_default_callback);
    assert_int_equal(atomic_load(&aac_encoders), 2);
    for (size_t i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "out%zu", i);
        assert_string_equal(
            clip_probe(folder, "-show_entries format=nb_streams -of csv=p=0 -i",
                       name),
            streams[i]);
        assert_string_equal(
            clip_probe(folder,
                       "-select_streams a:0 -count_packets -show_entries "
                       "stream=nb_read_packets -of csv=p=0 -i",
                       name),
            "95"); // of 1024 samples, and what is skipped before them
    }
}

static void pipeline__disk_full__is_the_outputs_fault(void **state)
{
    struct run r;

    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    run_prepare(&r, "a.mp4", "",
                "[{\"path\":\"/a.ts\",\"video\":{\"codec\":\"copy\"}}]");
    run_open_outputs(&r, "/dev/full");
    assert_int_equal(run_all(&r), -ENOSPC);
    assert_int_equal(r.blame, OUTCOME_OUTPUT_FAILED);
    assert_non_null(strstr(r.error.text, "No space left on device"));
    run_fini(&r);
}

static void pipeline__encoder_refuses__is_the_requests_fault(void **state)
{
    struct run r;

    (void)state;
    run_prepare(&r, "a.mp4", "",
                "[{\"path\":\"/a.mp4\",\"video\":{\"codec\":\"h264\","
                "\"preset\":\"fastest\",\"level\":\"4.1\"}}]");
    // what no parser would let through
    for (size_t i = 0; i < r.plan.outputs[0].tracks[0].options.count; i++)
        memcpy(r.plan.outputs[0].tracks[0].options.list[i].name, "no_such", 8);
    run_open_outputs(&r, NULL);
    assert_int_equal(run_all(&r), -EINVAL);
    assert_int_equal(r.blame, OUTCOME_BAD_REQUEST);
    assert_string_equal(r.error.text,
                        "libx264: encoder 'libx264' has no option 'no_such'");
    run_fini(&r);
}

static void pipeline__input_shrinks__is_the_inputs_fault(void **state)
{
    struct run r;

    (void)state;
    clip_make(folder, "-f lavfi -i sine=duration=60 -c:a pcm_s16le", "b.mkv");
    run_prepare(&r, "b.mkv", "",
                "[{\"path\":\"/a.mkv\",\"audio\":[{\"codec\":\"copy\"}]}]");
    assert_int_equal(truncate(folder_path(folder, "b.mkv"), 2000000), 0);
    run_open_outputs(&r, NULL);
    assert_int_equal(run_all(&r), -EBADMSG);
    assert_int_equal(r.blame, OUTCOME_BAD_INPUT);
    assert_string_equal(r.error.text,
                        "demuxer: the input became shorter while it was read");
    run_fini(&r);
}

static void pipeline__paused__waits_until_resumed(void **state)
{
    struct run r;

    (void)state;
    run_prepare(&r, "a.mp4", "",
                "[{\"path\":\"/a.mp4\",\"video\":{\"codec\":\"copy\"}}]");
    run_open_outputs(&r, NULL);
    const struct pipeline_config config = {
        .plan = &r.plan,
        .source = r.source,
        .outputs = r.outputs,
        .gate = r.gate,
    };
    assert_int_equal(pipeline_create(&r.pipeline, &config, &r.blame, &r.error),
                     0);
    gate_close(r.gate);
    pipeline_start(r.pipeline);
    assert_int_equal(pipeline_wait(r.pipeline, 50 * MILLISECOND), 0);
    gate_open(r.gate);
    assert_int_equal(pipeline_wait(r.pipeline, 60 * SECOND), 1);
    assert_int_equal(pipeline_result(r.pipeline, &r.blame, &r.part, &r.error),
                     0);
    run_fini(&r);
}

/* libav counts references with atomics that ThreadSanitizer does not see: the
 * last one to let go of a buffer seems to race with those before. */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "race:av_buffer_unref\n";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipeline__jobs__write_what_was_planned),
        cmocka_unit_test(pipeline__ladder__one_decode_feeds_all),
        cmocka_unit_test(pipeline__same_sound__is_encoded_once),
        cmocka_unit_test(pipeline__disk_full__is_the_outputs_fault),
        cmocka_unit_test(pipeline__encoder_refuses__is_the_requests_fault),
        cmocka_unit_test(pipeline__input_shrinks__is_the_inputs_fault),
        cmocka_unit_test(pipeline__paused__waits_until_resumed),
    };

    return cmocka_run_group_tests(tests, make_clips, remove_clips);
}
