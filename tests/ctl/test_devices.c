#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/scene.h"

#define CPU \
    "{'id':'cpu','name':'Some CPU','cores':4,'running':1,'limit':2," \
    "'load':0.25,'health':'ok','gpu':null}"

#define FULL_GPU \
    "{'id':'cuda:0','name':'Quadro P1000','cores':0,'running':2," \
    "'limit':null,'load':0.43,'health':'ok','gpu':{'uuid':'GPU-A'," \
    "'driver':'470.256.02','nvenc_api':'11.1','compute':61," \
    "'sessions':{'own':2,'foreign':1,'limit':3},'vram_total':4294967296," \
    "'vram_used':1288490188,'vram_free':3006477108,'encoder_load':0.8," \
    "'decoder_load':0.2,'temperature':66,'power':31.04,'power_limit':47," \
    "'clock':1303,'memory_clock':2505,'video_clock':1171," \
    "'throttle':['its power limit'],'processes':[{'pid':7," \
    "'vram':104857600,'name':'a\\u001bb'},{'pid':8,'vram':null,'name':''}," \
    "{'pid':0,'vram':1048576,'name':''}]," \
    "'sampled':1000,'marks':{'vram':'ok','load':'ok','encoder_load':'ok'," \
    "'decoder_load':'ok','temperature':'warn','power':'ok','clock':'ok'," \
    "'throttle':'info'},'notes':['above 65 °C under load for 4min']," \
    "'decoders':['h264','hevc'],'encoders':['h264'],'filters':[]," \
    "'problems':[]}}"

#define MUTE_GPU \
    "{'id':'cuda:1','name':'A card','cores':0,'running':0,'limit':null," \
    "'load':null,'health':'no NVENC','gpu':{'uuid':'GPU-B','driver':'1'," \
    "'nvenc_api':'','compute':61,'sessions':{'own':null,'foreign':null," \
    "'limit':null},'vram_total':null,'vram_used':null,'vram_free':null," \
    "'encoder_load':null,'decoder_load':null,'temperature':null," \
    "'power':null,'power_limit':null,'clock':null,'memory_clock':null," \
    "'video_clock':null,'throttle':null,'processes':[],'sampled':null," \
    "'marks':{'vram':'none','load':'none','encoder_load':'none'," \
    "'decoder_load':'none','temperature':'none','power':'none'," \
    "'clock':'none','throttle':'none'},'notes':[],'decoders':[]," \
    "'encoders':[],'filters':[],'problems':['no NVENC']}}"

/* Whose single quotes are double ones. The caller frees. */
static char *script_of(const char *text)
{
    char *script = xstrdup(text);

    for (char *c = script; (c = strchr(c, '\''));)
        *c = '"';
    return script;
}

static struct scene_result run(const char *text, const char *const *arguments)
{
    char *script = script_of(text);
    struct scene_result r = scene_run(script, arguments);

    free(script);
    return r;
}

static void devices__table__and_what_there_is_to_say_of_gpus(void **state)
{
    static const char *const arguments[] = {"devices", NULL};

    (void)state;
    struct scene_result r =
        run("call io.transcoded.Devices\nreply {'devices':[" CPU "," FULL_GPU
            "," MUTE_GPU "],'problem':'one card fell off'}\n",
            arguments);
    assert_string_equal(
        r.out, "DEVICE  JOBS  SESSIONS  LOAD  ENCODER  DECODER         MEMORY"
               "  TEMPERATURE   POWER  NAME\n"
               "cpu      1/2         -   25%        -        -              -"
               "            -       -  Some CPU\n"
               "cuda:0     2     2+1/3   43%      80%      20%  1229/4096 MiB"
               "        66 °C  31.0 W  Quadro P1000\n"
               "cuda:1     0         -     -        -        -              -"
               "            -       -  A card\n"
               "\n"
               "cuda:0\n"
               "  health      ok\n"
               "  driver      470.256.02, NVENC 11.1\n"
               "  clocks      1303 MHz, memory 2505 MHz, video 1171 MHz\n"
               "  power limit 47.0 W\n"
               "  slowed by   its power limit\n"
               "  decodes     h264, hevc\n"
               "  encodes     h264\n"
               "  used by     a\\x1bb (pid 7), 100.0M\n"
               "  used by     ? (pid 8), not known how much\n"
               "  used by     a program (which: not permitted), 1.0M\n"
               "  note        above 65 °C under load for 4min\n"
               "\n"
               "cuda:1\n"
               "  health      no NVENC\n"
               "  driver      1, without an encoder\n"
               "  readings    not available\n"
               "  problem     no NVENC\n"
               "\n"
               "one card fell off\n");
    assert_int_equal(r.status, 0);
    scene_result_fini(&r);
}

#define TWICE \
    "call io.transcoded.Devices\nreply {'devices':[" CPU "],'problem':''}\n" \
    "call io.transcoded.Devices\nreply {'devices':[],'problem':''}\n" \
    "call io.transcoded.Devices\nhangup\n"

static void devices_watch__no_terminal__is_a_block_a_second(void **state)
{
    static const char *const arguments[] = {"devices", "--watch", NULL};

    (void)state;
    struct scene_result r = run(TWICE, arguments);
    assert_int_equal(r.status, 3);
    assert_string_equal(r.err, "transcodectl: the service hung up\n");
    const char *table = strstr(r.out, "\n\nDEVICE");
    assert_non_null(table);
    assert_int_equal(table - r.out, strlen("2026-01-01 00:00:00"));
    assert_non_null(strstr(r.out, "Some CPU\n\n20"));
    assert_null(strchr(r.out, '\033'));
    scene_result_fini(&r);
}

static void devices_watch__json__is_an_object_a_line(void **state)
{
    static const char *const arguments[] = {"devices", "-w", "--json", NULL};

    (void)state;
    struct scene_result r = run(TWICE, arguments);
    char *expect = script_of("{'devices':[" CPU "],'problem':''}\n"
                             "{'devices':[],'problem':''}\n");
    assert_string_equal(r.out, expect);
    free(expect);
    scene_result_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices__table__and_what_there_is_to_say_of_gpus),
        cmocka_unit_test(devices_watch__no_terminal__is_a_block_a_second),
        cmocka_unit_test(devices_watch__json__is_an_object_a_line),
    };

    return cmocka_run_group_tests(tests, scene_open, scene_close);
}
