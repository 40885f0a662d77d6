#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct unit {
    const char *name;
    int64_t factor;
};

// clang-format off
static const struct unit durations[] = {
    {"", SECOND}, {"s", SECOND}, {"ms", MILLISECOND}, {"us", 1},
    {"min", 60 * SECOND}, {"m", 60 * SECOND}, {"h", 3600 * SECOND},
    {"d", 86400 * SECOND}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"", 1}, {"B", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30},
    {"T", INT64_C(1) << 40}, {NULL, 0},
};
// clang-format on

/* Bytes of the character that begins at @s, or 0 when none does; @ret gets the
 * code point. */
static size_t decode(const unsigned char *s, size_t left, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80             ? 1
               : (s[0] & 0xe0) == 0xc0 ? 2
               : (s[0] & 0xf0) == 0xe0 ? 3
               : (s[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    if (n == 0 || n > left)
        return 0;

    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return n;
}

bool text_is_utf8(const char *s, size_t size)
{
    uint32_t c;

    for (size_t i = 0; i < size;) {
        size_t n = decode((const unsigned char *)s + i, size - i, &c);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* Could it steer a terminal, or make a line read as what it is not? */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static size_t put_escaped(uint32_t c, char out[12])
{
    int n;

    if (c == '\n')
        n = snprintf(out, 12, "\\n");
    else if (c == '\t')
        n = snprintf(out, 12, "\\t");
    else if (c == '\r')
        n = snprintf(out, 12, "\\r");
    else
        n = snprintf(out, 12, c < 0x100 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, c);
    return (size_t)n;
}

void text_escape(const char *s, char *ret, size_t size)
{
    size_t length = strlen(s);
    size_t used = 0;

    for (size_t i = 0; i < length;) {
        const unsigned char *at = (const unsigned char *)s + i;
        char one[12];
        uint32_t c;
        size_t in = decode(at, length - i, &c);
        size_t out = in;

        if (in == 0) {
            in = 1;
            out = put_escaped(at[0], one);
        } else if (is_harmful(c)) {
            out = put_escaped(c, one);
        } else {
            memcpy(one, at, in);
        }
        if (used + out >= size)
            break;
        memcpy(ret + used, one, out);
        used += out;
        i += in;
    }
    if (size)
        ret[used] = '\0';
}

void text_repair(char *s)
{
    size_t left = strlen(s);
    uint32_t c;

    while (left) {
        size_t n = decode((const unsigned char *)s, left, &c);
        if (n == 0) {
            *s = '?';
            n = 1;
        }
        s += n;
        left -= n;
    }
}

static int parse_scaled(const char *s, const struct unit *units, int64_t *ret)
{
    char *end;

    // strtod also takes blanks, signs, hex, "inf" and "nan"
    if (s[0] < '0' || s[0] > '9' || s[1] == 'x' || s[1] == 'X')
        return -EINVAL;
    double number = strtod(s, &end);
    while (*end == ' ')
        end++;
    for (; units->name; units++) {
        if (strcmp(units->name, end) != 0)
            continue;
        number *= (double)units->factor;
        if (number > 9e18)
            return -ERANGE;
        *ret = (int64_t)llround(number);
        return 0;
    }
    return -EINVAL;
}

int text_parse_duration(const char *s, int64_t *ret_us)
{
    return parse_scaled(s, durations, ret_us);
}

int text_parse_size(const char *s, int64_t *ret_bytes)
{
    return parse_scaled(s, sizes, ret_bytes);
}

int text_parse_integer(const char *s, int64_t *ret)
{
    char *end;

    if (*s != '-' && (*s < '0' || *s > '9'))
        return -EINVAL;
    errno = 0;
    long long n = strtoll(s, &end, 10);
    if (end == s || *end)
        return -EINVAL;
    if (errno == ERANGE)
        return -ERANGE;
    *ret = n;
    return 0;
}

int text_parse_bool(const char *s, bool *ret)
{
    static const char *const words[2][4] = {{"no", "false", "off", "0"},
                                            {"yes", "true", "on", "1"}};

    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 4; i++) {
            if (strcmp(words[value][i], s) == 0) {
                *ret = value != 0;
                return 0;
            }
        }
    }
    return -EINVAL;
}

void text_format_duration(int64_t us, char *ret, size_t size)
{
    int64_t s = us / SECOND;

    if (s >= 3600)
        (void)snprintf(ret, size, "%" PRId64 "h %02" PRId64 "min", s / 3600,
                       s / 60 % 60);
    else if (s >= 60)
        (void)snprintf(ret, size, "%" PRId64 "min %02" PRId64 "s", s / 60,
                       s % 60);
    else if (s >= 10 || us % SECOND == 0)
        (void)snprintf(ret, size, "%" PRId64 "s", s);
    else if (us >= SECOND)
        (void)snprintf(ret, size, "%.1fs", (double)us / 1e6);
    else
        (void)snprintf(ret, size, "%" PRId64 "ms", us / MILLISECOND);
}

void text_format_size(int64_t bytes, char *ret, size_t size)
{
    static const char names[] = "BKMGT";
    double n = (double)bytes;
    size_t i = 0;

    for (; n >= 1024 && names[i + 1]; i++)
        n /= 1024;
    (void)snprintf(ret, size, i ? "%.1f%c" : "%.0f%c", n, names[i]);
}
