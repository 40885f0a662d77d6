#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CONTROL_MAX 16384

#define NUMBER(field) \
#field, SETTING_NUMBER, SETTING_KNOWN, offsetof(struct settings, field)
#define GUESS(field) \
#field, SETTING_NUMBER, SETTING_GUESS, offsetof(struct settings, field)
#define WORDS(field) \
#field, SETTING_WORDS, SETTING_KNOWN, offsetof(struct settings, field)

// clang-format off
const struct setting settings_table[] = {
    {WORDS(name), "Quadro P1000", "the card's name"},
    {WORDS(driver_version), "470.256.02", "the driver's version, for NVML"},
    {WORDS(nvenc_version), "11.1", "the newest NVENC API of the driver; 10.0 is a driver too old for headers 11.1"},
    {WORDS(uuid), "GPU-00000000-7667-7075-0000-000000000001", "the card's identity"},
    {NUMBER(cards), "1", "cards, at most 4; all alike, and each further one's uuid ends in a digit that is one higher"},
    {NUMBER(cuda_version), "11040", "CUDA version: 1000 * major + 10 * minor"},
    {NUMBER(compute_capability), "61", "compute capability: 10 * major + minor"},
    {NUMBER(vram), "4096", "memory of the card, MiB"},
    {NUMBER(sessions), "3", "NVENC sessions that the machine grants, 0 for no limit"},
    {NUMBER(session_error), "10", "what a session too many is answered with: 10, newer drivers 21"},
    {NUMBER(foreign_sessions), "0", "sessions that somebody else holds"},
    {NUMBER(foreign_vram), "0", "memory that somebody else holds, MiB"},
    {NUMBER(temperature), "48", "degrees Celsius, for NVML"},
    {NUMBER(power), "18500", "milliwatts, for NVML; 0 for not supported"},
    {NUMBER(power_limit), "47000", "milliwatts, for NVML; 0 for not supported"},
    {NUMBER(sm_clock), "1303", "MHz, for NVML; 0 for not supported"},
    {NUMBER(memory_clock), "2505", "the same for the memory"},
    {NUMBER(video_clock), "1171", "the same for encoder and decoder"},
    {NUMBER(throttle), "0", "reasons to clock lower, NVML's bits; -1 for not supported"},
    {NUMBER(nvml_lacks), "0", "what NVML does not support, a sum: 1 memory, 2 the list of sessions, 4 memory of processes, 8 UUIDs"},
    {NUMBER(decode_h264), "8", "greatest bit depth of H.264 that is decoded, 0 for none"},
    {NUMBER(decode_hevc), "12", "the same for HEVC"},
    {NUMBER(decode_vp9), "12", "the same for VP9"},
    {NUMBER(decode_mpeg2), "8", "the same for MPEG-2"},
    {NUMBER(decode_width), "8192", "greatest width that is decoded; H.264, MPEG-2 no more than 4096"},
    {NUMBER(decode_height), "8192", "greatest height that is decoded; H.264, MPEG-2 no more than 4096"},
    {NUMBER(h264_b_frames), "4", "B-frames in a row"},
    {NUMBER(hevc_b_frames), "0", "B-frames in a row"},
    {NUMBER(h264_10bit), "0", "whether H.264 is encoded with 10 bit"},
    {NUMBER(hevc_10bit), "1", "whether HEVC is encoded with 10 bit"},
    {NUMBER(h264_width), "4096", "greatest width of H.264"},
    {NUMBER(h264_height), "4096", "greatest height of H.264"},
    {NUMBER(hevc_width), "8192", "greatest width of HEVC"},
    {NUMBER(hevc_height), "8192", "greatest height of HEVC"},
    {NUMBER(h264_claims_b_frames), "0", "fault: B-frames that the capabilities claim, where they are more than the encoder takes"},
    {NUMBER(hevc_claims_b_frames), "0", "the same of HEVC"},
    {NUMBER(hevc_claims_10bit), "0", "fault: whether the capabilities claim 10 bit, also where the encoder refuses it"},
    {NUMBER(hevc_temporal_aq), "0", "whether HEVC has temporal AQ"},
    {GUESS(h264_min_width), "33", "smallest width of H.264"},
    {GUESS(h264_min_height), "17", "smallest height of H.264"},
    {GUESS(hevc_min_width), "65", "smallest width of HEVC"},
    {GUESS(hevc_min_height), "33", "smallest height of HEVC"},
    {GUESS(preset_b_frames), "0", "B-frames that the presets p1 to p7 ask for"},
    {GUESS(b_ref_mode), "0", "B-frames as references: 0 no, 1 each, 2 middle, 3 both"},
    {GUESS(multiple_refs), "0", "whether the encoder takes a number of references"},
    {GUESS(context_vram), "64", "memory of a CUDA context, MiB"},
    {GUESS(session_vram), "48", "memory of an NVENC session of 1920x1080, MiB"},
    {GUESS(session_fixed_vram), "16", "what of it sessions of every size take, the rest goes by their pixels, MiB"},
    {GUESS(map_error), "205", "CUDA error for mapping more frames than there are output surfaces"},
    {GUESS(surface_limit), "0", "decode surfaces that a decoder may have, 0 for no limit"},
    {GUESS(lost_error), "999", "CUDA error of every call once the device is lost"},
    {GUESS(init_socket), "0", "whether the first cuInit opens a socket, and answers 304 where it may not"},
    {NUMBER(hevc_rewrite), "0", "write every HEVC slice header anew, even where nothing asks for it"},
    {NUMBER(no_driver), "0", "fault: the kernel's part of the driver is missing"},
    {NUMBER(init_error), "0", "fault: CUDA error that cuInit answers; 803 where driver and library do not fit"},
    {NUMBER(nvml_error), "0", "fault: NVML status that its start answers; 18 where driver and library do not fit"},
    {NUMBER(open_nodes), "0", "whether cuInit opens the device nodes, and answers 100 where one is refused"},
    {NUMBER(no_encoder), "0", "fault: the card has no NVENC (as data centre cards)"},
    {NUMBER(open_error), "0", "fault: NVENC status that every session's opening answers"},
    {NUMBER(load_error), "0", "fault: CUDA error that every module's loading answers; 222 where the driver is too old for its PTX"},
    {NUMBER(fail_create), "0", "fault: the n-th decoder to create"},
    {NUMBER(fail_decode), "0", "fault: the n-th picture to decode"},
    {NUMBER(fail_map), "0", "fault: the n-th decoded frame to map"},
    {NUMBER(fail_launch), "0", "fault: the n-th kernel launch"},
    {NUMBER(fail_alloc), "0", "fault: the n-th allocation is out of memory"},
    {NUMBER(fail_encode), "0", "fault: the n-th picture to encode"},
    {NUMBER(fail_lock), "0", "fault: the n-th encoded picture to fetch"},
    {NUMBER(sticky), "0", "after one of these: 0 go on, 1 device lost for the process, 2 for the machine"},
    {NUMBER(hang_encode), "0", "fault: the n-th picture to encode never returns"},
    {NUMBER(crash_encode), "0", "fault: the n-th picture to encode kills the process"},
    {NUMBER(slow_encode), "0", "fault: each picture to encode takes so many ms more"},
    {NUMBER(jit_cache), "0", "whether a module that is loaded leaves a file in CUDA_CACHE_PATH, as where it must be compiled"},
    {NUMBER(large_copy), "4096", "copies of at least so many bytes are counted as large"},
    {NUMBER(verbose), "1", "0 silent, 1 what the client did wrong, 2 every fault too"},
};
// clang-format on
const size_t settings_count =
    sizeof(settings_table) / sizeof(settings_table[0]);

static const struct setting *find(const char *name, size_t length)
{
    for (size_t i = 0; i < settings_count; i++) {
        const char *known = settings_table[i].name;
        if (strlen(known) == length && !strncasecmp(known, name, length))
            return &settings_table[i];
    }
    return NULL;
}

/* A value that is no number leaves the setting as it was. */
static bool set(struct settings *s, const struct setting *row, const char *text)
{
    char *field = (char *)s + row->offset;

    if (row->type == SETTING_WORDS) {
        snprintf(field, SETTING_TEXT, "%s", text);
        return true;
    }

    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return false;
    *(int64_t *)(void *)field = value;
    return true;
}

static int complain(const char *what, const char *text)
{
    fprintf(stderr, "vgpu: %s: '%s'\n", what, text);
    return 1;
}

static int load_environment(struct settings *s)
{
    int bad = 0;

    for (size_t i = 0; i < settings_count; i++) {
        char variable[64] = "VGPU_";
        size_t n = strlen(variable);
        for (const char *c = settings_table[i].name; *c; c++)
            variable[n++] = (char)toupper((unsigned char)*c);

        const char *text = getenv(variable);
        if (text && !set(s, &settings_table[i], text))
            bad += complain("not a number", variable);
    }
    return bad;
}

/* One line of the control file: "name = value", a comment, or nothing. */
static int load_line(struct settings *s, char *line)
{
    line[strcspn(line, "#\r")] = '\0';
    char *name = line + strspn(line, " \t");
    if (!*name)
        return 0;

    char *value = strchr(name, '=');
    if (!value)
        return complain("not 'name = value' in the control file", name);
    size_t length = (size_t)(value - name);
    while (length && isspace((unsigned char)name[length - 1]))
        length--;
    value++;
    value += strspn(value, " \t");
    for (size_t n = strlen(value); n && isspace((unsigned char)value[n - 1]);)
        value[--n] = '\0';

    const struct setting *row = find(name, length);
    if (!row)
        return complain("no such setting in the control file", name);
    if (!set(s, row, value))
        return complain("not a number in the control file", name);
    return 0;
}

static int load_control(struct settings *s, const char *control)
{
    char text[CONTROL_MAX];
    char *rest = text;
    int bad = 0;

    snprintf(text, sizeof(text), "%s", control);
    for (char *line; (line = strsep(&rest, "\n"));)
        bad += load_line(s, line);
    return bad;
}

int settings_load(struct settings *s, const char *control)
{
    for (size_t i = 0; i < settings_count; i++)
        set(s, &settings_table[i], settings_table[i].fallback);
    int bad = load_environment(s);
    return bad + (control ? load_control(s, control) : 0);
}

const char *settings_machine(void)
{
    static char fallback[64];
    const char *path = getenv("VGPU_MACHINE");

    if (path && *path)
        return path;
    snprintf(fallback, sizeof(fallback), "/tmp/vgpu-%u", getuid());
    return fallback;
}

static struct settings values;

static void load_once(void)
{
    char path[4096];
    char control[CONTROL_MAX] = "";

    snprintf(path, sizeof(path), "%s/control", settings_machine());
    FILE *file = fopen(path, "re");
    if (file) {
        control[fread(control, 1, sizeof(control) - 1, file)] = '\0';
        fclose(file);
    }
    settings_load(&values, control);
}

const struct settings *settings(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load_once);
    return &values;
}
