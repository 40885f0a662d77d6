#include "support/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include <libavformat/avformat.h>

#include "media/file_io.h"
#include "media/source.h"
#include "pipeline/item.h"
#include "pipeline/queue.h"
#include "pipeline/stage.h"
#include "support/folder.h"

#define ROOM 4096 // items

void stand_init(struct stand *s, struct stage *stage, enum stand_sends sends)
{
    *s = (struct stand){
        .stage = stage,
        .in = queue_create(ROOM, 1, item_destroy),
        .out = queue_create(ROOM, 1, item_destroy),
    };
    stage->in = s->in;
    if (sends == STAND_SENDS)
        assert_int_equal(stage_connect(stage, s->out), 0);
    else
        queue_finish(s->out, 0);
}

void stand_fini(struct stand *s)
{
    stage_destroy(s->stage);
    queue_destroy(s->in);
    queue_destroy(s->out);
}

void stand_feed(struct stand *s, struct item *item)
{
    assert_int_equal(queue_send(s->in, item), 0);
}

int stand_run(struct stand *s)
{
    queue_finish(s->in, 0);
    return stage_run(s->stage, &s->error);
}

struct item *stand_take(struct stand *s)
{
    void *item = NULL;

    return queue_receive(s->out, &item) > 0 ? item : NULL;
}

struct source *stand_open(const char *folder, const char *name)
{
    const struct source_request request = {.probe_size = 5000000,
                                           .analyze_duration = -1};
    struct source *source = NULL;
    struct file_io *io = NULL;
    struct error e = {0};
    int fd = open(folder_path(folder, name), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(file_io_open_input(&io, fd, &e), 0);
    assert_int_equal(source_open(&source, io, &request, &e), 0);
    return source;
}

int stand_feed_stream(struct stand *s, struct source *source, size_t stream)
{
    const AVStream *st = source_format(source)->streams[stream];
    struct error e = {0};
    int count = 0;

    for (;;) {
        AVPacket *packet = av_packet_alloc();
        assert_non_null(packet);
        int r = source_read(source, packet, &e);
        if (r == 0)
            av_packet_free(&packet);
        assert_in_range(r, 0, 1);
        if (r == 0)
            return count;
        if (packet->stream_index != (int)stream) {
            av_packet_free(&packet);
            continue;
        }
        stand_feed(s, item_packet(packet, st->time_base));
        count++;
    }
}
