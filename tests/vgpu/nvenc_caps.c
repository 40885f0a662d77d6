/* libnvidia-encode: what the encoder can do. */
#include "nvenc.h"

#include <stddef.h>
#include <string.h>

#include "settings.h"

// clang-format off
static const struct {
    const GUID *guid;
    enum machine_codec codec;
} codecs[] = {
    {&NV_ENC_CODEC_H264_GUID, MACHINE_H264},
    {&NV_ENC_CODEC_HEVC_GUID, MACHINE_HEVC},
};

static const GUID *const presets[] = {
    &NV_ENC_PRESET_P1_GUID, &NV_ENC_PRESET_P2_GUID, &NV_ENC_PRESET_P3_GUID,
    &NV_ENC_PRESET_P4_GUID, &NV_ENC_PRESET_P5_GUID, &NV_ENC_PRESET_P6_GUID,
    &NV_ENC_PRESET_P7_GUID,
};

static const GUID *const profiles[][7] = {
    [MACHINE_H264] = {
        &NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID,
        &NV_ENC_H264_PROFILE_BASELINE_GUID, &NV_ENC_H264_PROFILE_MAIN_GUID,
        &NV_ENC_H264_PROFILE_HIGH_GUID, &NV_ENC_H264_PROFILE_HIGH_444_GUID,
        &NV_ENC_H264_PROFILE_PROGRESSIVE_HIGH_GUID,
        &NV_ENC_H264_PROFILE_CONSTRAINED_HIGH_GUID,
    },
    [MACHINE_HEVC] = {
        &NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID,
        &NV_ENC_HEVC_PROFILE_MAIN_GUID, &NV_ENC_HEVC_PROFILE_MAIN10_GUID,
        &NV_ENC_HEVC_PROFILE_FREXT_GUID,
    },
};

static const NV_ENC_BUFFER_FORMAT formats[] = {
    NV_ENC_BUFFER_FORMAT_NV12, NV_ENC_BUFFER_FORMAT_YV12,
    NV_ENC_BUFFER_FORMAT_IYUV, NV_ENC_BUFFER_FORMAT_YUV444,
    NV_ENC_BUFFER_FORMAT_YUV420_10BIT, NV_ENC_BUFFER_FORMAT_YUV444_10BIT,
};

/* A value for each codec, or the setting that has it. */
#define SETTING(field) (offsetof(struct settings, field) + 1)
static const struct {
    NV_ENC_CAPS which;
    int value[2];
    size_t setting[2]; // 0 for none
} capabilities[] = {
    {NV_ENC_CAPS_NUM_MAX_BFRAMES, {0}, {SETTING(h264_b_frames), SETTING(hevc_b_frames)}},
    {NV_ENC_CAPS_SUPPORTED_RATECONTROL_MODES, {0x3f, 0x3f}, {0}},
    {NV_ENC_CAPS_SUPPORT_QPELMV, {1, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_CABAC, {1, 0}, {0}},
    {NV_ENC_CAPS_SUPPORT_ADAPTIVE_TRANSFORM, {1, 0}, {0}},
    {NV_ENC_CAPS_LEVEL_MAX, {51, 186}, {0}},
    {NV_ENC_CAPS_LEVEL_MIN, {10, 30}, {0}},
    {NV_ENC_CAPS_WIDTH_MAX, {0}, {SETTING(h264_width), SETTING(hevc_width)}},
    {NV_ENC_CAPS_HEIGHT_MAX, {0}, {SETTING(h264_height), SETTING(hevc_height)}},
    {NV_ENC_CAPS_WIDTH_MIN, {0}, {SETTING(h264_min_width), SETTING(hevc_min_width)}},
    {NV_ENC_CAPS_HEIGHT_MIN, {0}, {SETTING(h264_min_height), SETTING(hevc_min_height)}},
    {NV_ENC_CAPS_SUPPORT_DYN_BITRATE_CHANGE, {1, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_DYN_RCMODE_CHANGE, {1, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_CUSTOM_VBV_BUF_SIZE, {1, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_DYNAMIC_SLICE_MODE, {1, 1}, {0}},
    {NV_ENC_CAPS_MB_NUM_MAX, {65536, 262144}, {0}},
    {NV_ENC_CAPS_MB_PER_SEC_MAX, {983040, 983040}, {0}},
    {NV_ENC_CAPS_SUPPORT_YUV444_ENCODE, {1, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_LOSSLESS_ENCODE, {1, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_SAO, {0, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_LOOKAHEAD, {1, 1}, {0}},
    {NV_ENC_CAPS_SUPPORT_TEMPORAL_AQ, {1, 0}, {0, SETTING(hevc_temporal_aq)}},
    {NV_ENC_CAPS_SUPPORT_10BIT_ENCODE, {0}, {SETTING(h264_10bit), SETTING(hevc_10bit)}},
    {NV_ENC_CAPS_SUPPORT_WEIGHTED_PREDICTION, {1, 1}, {0}},
    {NV_ENC_CAPS_DYNAMIC_QUERY_ENCODER_CAPACITY, {100, 100}, {0}},
    {NV_ENC_CAPS_SUPPORT_BFRAME_REF_MODE, {0}, {SETTING(b_ref_mode), 0}},
    {NV_ENC_CAPS_SUPPORT_MULTIPLE_REF_FRAMES, {0}, {SETTING(multiple_refs), SETTING(multiple_refs)}},
    {NV_ENC_CAPS_NUM_ENCODER_ENGINES, {1, 1}, {0}},
};

static const struct {
    NV_ENC_CAPS which;
    size_t setting[2]; // 0 for none
} claims[] = {
    {NV_ENC_CAPS_NUM_MAX_BFRAMES, {SETTING(h264_claims_b_frames), SETTING(hevc_claims_b_frames)}},
    {NV_ENC_CAPS_SUPPORT_10BIT_ENCODE, {0, SETTING(hevc_claims_10bit)}},
};
// clang-format on

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool nvenc_same(const GUID *a, const GUID *b)
{
    return !memcmp(a, b, sizeof(*a));
}

bool nvenc_codec(const GUID *guid, enum machine_codec *ret)
{
    for (size_t i = 0; i < COUNT(codecs); i++) {
        if (nvenc_same(codecs[i].guid, guid)) {
            *ret = codecs[i].codec;
            return true;
        }
    }
    return false;
}

static int setting_at(size_t setting)
{
    const char *base = (const char *)settings();

    return (int)*(const int64_t *)(const void *)(base + setting - 1);
}

int nvenc_capability(enum machine_codec codec, NV_ENC_CAPS which)
{
    for (size_t i = 0; i < COUNT(capabilities); i++) {
        size_t setting = capabilities[i].setting[codec];
        if (capabilities[i].which != which)
            continue;
        if (!setting)
            return capabilities[i].value[codec];
        return setting_at(setting);
    }
    return 0;
}

/* What a client is told of it, which the encoder need not keep. */
static int claim(enum machine_codec codec, NV_ENC_CAPS which)
{
    int truth = nvenc_capability(codec, which);

    for (size_t i = 0; i < COUNT(claims); i++) {
        size_t setting = claims[i].setting[codec];
        if (claims[i].which == which && setting && setting_at(setting) > truth)
            return setting_at(setting);
    }
    return truth;
}

NVENCSTATUS NVENCAPI NvEncGetEncodeGUIDCount(void *handle, uint32_t *ret)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    *ret = COUNT(codecs);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

static uint32_t copy_guids(GUID *to, uint32_t room, const GUID *const *from,
                           size_t count)
{
    uint32_t n = 0;

    for (; n < count && n < room && from[n]; n++)
        to[n] = *from[n];
    return n;
}

NVENCSTATUS NVENCAPI NvEncGetEncodeGUIDs(void *handle, GUID *ret, uint32_t room,
                                         uint32_t *ret_count)
{
    struct session *s = nvenc_enter(handle);
    const GUID *list[] = {codecs[0].guid, codecs[1].guid};

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    *ret_count = copy_guids(ret, room, list, COUNT(list));
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncGetEncodeProfileGUIDs(void *handle, GUID codec_guid,
                                                GUID *ret, uint32_t room,
                                                uint32_t *ret_count)
{
    struct session *s = nvenc_enter(handle);
    enum machine_codec codec;

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (!nvenc_codec(&codec_guid, &codec))
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    *ret_count = copy_guids(ret, room, profiles[codec], COUNT(profiles[codec]));
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncGetEncodeProfileGUIDCount(void *handle, GUID codec,
                                                    uint32_t *ret)
{
    GUID unused[COUNT(profiles[0])];

    return NvEncGetEncodeProfileGUIDs(handle, codec, unused, COUNT(unused),
                                      ret);
}

NVENCSTATUS NVENCAPI NvEncGetEncodePresetGUIDs(void *handle, GUID codec_guid,
                                               GUID *ret, uint32_t room,
                                               uint32_t *ret_count)
{
    struct session *s = nvenc_enter(handle);
    enum machine_codec codec;

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (!nvenc_codec(&codec_guid, &codec))
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    *ret_count = copy_guids(ret, room, presets, COUNT(presets));
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncGetEncodePresetCount(void *handle, GUID codec,
                                               uint32_t *ret)
{
    GUID unused[COUNT(presets)];

    return NvEncGetEncodePresetGUIDs(handle, codec, unused, COUNT(unused), ret);
}

NVENCSTATUS NVENCAPI NvEncGetInputFormats(void *handle, GUID codec_guid,
                                          NV_ENC_BUFFER_FORMAT *ret,
                                          uint32_t room, uint32_t *ret_count)
{
    struct session *s = nvenc_enter(handle);
    enum machine_codec codec;
    uint32_t n = 0;

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (!nvenc_codec(&codec_guid, &codec))
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    for (size_t i = 0; i < COUNT(formats) && n < room; i++) {
        if (planar_depth(formats[i]) == 8 ||
            nvenc_capability(codec, NV_ENC_CAPS_SUPPORT_10BIT_ENCODE))
            ret[n++] = formats[i];
    }
    *ret_count = n;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncGetInputFormatCount(void *handle, GUID codec,
                                              uint32_t *ret)
{
    NV_ENC_BUFFER_FORMAT unused[COUNT(formats)];

    return NvEncGetInputFormats(handle, codec, unused, COUNT(unused), ret);
}

NVENCSTATUS NVENCAPI NvEncGetEncodeCaps(void *handle, GUID codec_guid,
                                        NV_ENC_CAPS_PARAM *p, int *ret)
{
    struct session *s = nvenc_enter(handle);
    enum machine_codec codec;

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (!nvenc_codec(&codec_guid, &codec))
        return nvenc_leave(
            s, nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM, "no such codec"));
    *ret = claim(codec, p->capsToQuery);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

static void fill_preset(NV_ENC_CONFIG *c, enum machine_codec codec)
{
    uint32_t version = c->version;
    bool has_b = nvenc_capability(codec, NV_ENC_CAPS_NUM_MAX_BFRAMES) > 0;

    *c = (NV_ENC_CONFIG){.version = version};
    c->profileGUID = NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID;
    c->gopLength = NVENC_INFINITE_GOPLENGTH;
    c->frameIntervalP = 1 + (has_b ? (int)settings()->preset_b_frames : 0);
    c->frameFieldMode = NV_ENC_PARAMS_FRAME_FIELD_MODE_FRAME;
    c->mvPrecision = NV_ENC_MV_PRECISION_QUARTER_PEL;
    c->rcParams.rateControlMode = NV_ENC_PARAMS_RC_VBR;
    c->rcParams.constQP = (NV_ENC_QP){28, 31, 25};
    if (codec == MACHINE_H264) {
        c->encodeCodecConfig.h264Config.idrPeriod = NVENC_INFINITE_GOPLENGTH;
        c->encodeCodecConfig.h264Config.chromaFormatIDC = 1;
        c->encodeCodecConfig.h264Config.entropyCodingMode =
            NV_ENC_H264_ENTROPY_CODING_MODE_CABAC;
    } else {
        c->encodeCodecConfig.hevcConfig.idrPeriod = NVENC_INFINITE_GOPLENGTH;
        c->encodeCodecConfig.hevcConfig.chromaFormatIDC = 1;
    }
}

NVENCSTATUS NVENCAPI NvEncGetEncodePresetConfigEx(void *handle, GUID codec_guid,
                                                  GUID preset,
                                                  NV_ENC_TUNING_INFO tuning,
                                                  NV_ENC_PRESET_CONFIG *ret)
{
    struct session *s = nvenc_enter(handle);
    enum machine_codec codec;

    (void)preset; // all presets are the same to x264 and x265 here
    (void)tuning;
    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (!nvenc_codec(&codec_guid, &codec))
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    fill_preset(&ret->presetCfg, codec);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncGetEncodePresetConfig(void *handle, GUID codec,
                                                GUID preset,
                                                NV_ENC_PRESET_CONFIG *ret)
{
    return NvEncGetEncodePresetConfigEx(handle, codec, preset,
                                        NV_ENC_TUNING_INFO_UNDEFINED, ret);
}
