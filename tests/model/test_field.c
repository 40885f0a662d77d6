#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/field.h"
#include "model/quote.h"

/* A struct with a member of each type. */
struct part {
    bool given;
    int64_t size;
};

enum colour { COLOUR_ANY, COLOUR_RED, COLOUR_BLUE, COLOUR_COUNT };

struct sample {
    bool on;
    int64_t count;
    int32_t small;
    double rate;
    int64_t wait;
    enum colour colour;
    char *name;
    char id[5];
    char **words;
    size_t word_count;
    struct part part;
    struct part *parts;
    size_t part_count;
    struct part fixed[2];
    size_t fixed_count;
    int32_t must;
};

static const char *const colours[COLOUR_COUNT] = {NULL, "red", "blue"};
static const char *const to_come[] = {"green", NULL};

static int refuse_bad(const char *text, struct error *e)
{
    return strcmp(text, "bad") ? 0 : error_set(e, -EINVAL, "is bad");
}

static int check_sample(const void *base, struct error *e)
{
    const struct sample *s = base;

    if (s->count == 14)
        return error_set_field(e, -EINVAL, "count", "is unlucky");
    return 0;
}

// clang-format off
static const struct field part_fields[] = {
    {.type = FIELD_GIVEN, .offset = OPTION_FIELD(struct part, given, bool)},
    {"size", ROW_INTEGER(struct part, size), .most = 100, .fallback = "7"},
};
static const struct record part_record = {RECORD(struct part, part_fields)};

#define S struct sample
static const struct field fields[] = {
    {"on", ROW_BOOL(S, on), .fallback = "true"},
    {"count", ROW_INTEGER(S, count), .least = 0, .most = 100,
     .flags = FIELD_NULLABLE | FIELD_EVEN, .fallback = "null"},
    {"small", ROW_INT32(S, small), .least = -5, .most = 5, .fallback = "1",
     .flags = FIELD_LENIENT},
    {"rate", ROW_NUMBER(S, rate), .least = 0, .most = 10, .fallback = "2.5"},
    {"wait", ROW_TIME(S, wait), .most = 3600, .flags = FIELD_NULLABLE,
     .fallback = "null"},
    {"colour", ROW_ENUM(S, colour, enum colour, colours),
     .flags = FIELD_NULLABLE, .reserved = to_come, .fallback = "null"},
    {"name", ROW_TEXT(S, name), .bytes = 8, .check = refuse_bad,
     .flags = FIELD_NULLABLE | FIELD_OWN, .fallback = "null"},
    {"id", ROW_CHARS(S, id), .flags = FIELD_LENIENT, .fallback = "\"\""},
    {"words", ROW_TEXTS(S, words, word_count), .most = 2, .bytes = 8,
     .check = refuse_bad, .fallback = "[]"},
    {"part", ROW_OBJECT(S, part, &part_record), .flags = FIELD_NULLABLE,
     .fallback = "null"},
    {"parts", ROW_LIST(S, parts, struct part *, part_count, &part_record),
     .most = 3, .flags = FIELD_NULLABLE, .fallback = "null"},
    {"fixed", ROW_ARRAY(S, fixed, fixed_count, &part_record), .most = 2,
     .fallback = "[]"},
    {"later", .type = FIELD_RESERVED, .fallback = "null"},
    {"must", ROW_INT32(S, must), .most = 9, .flags = FIELD_OWN},
};
#undef S
// clang-format on

static const struct record sample_record = {
    RECORD(struct sample, fields),
    .check = check_sample,
};

static int read(struct sample *ret, const char *text, enum record_mode mode,
                struct error *e)
{
    json_t *json = quote(text);
    int r = record_from_json(&sample_record, ret, json, mode, e);

    json_decref(json);
    return r;
}

static void record_from_json__nothing_given__takes_the_defaults(void **state)
{
    struct sample s;
    struct error e = {0};

    (void)state;
    assert_int_equal(read(&s, "{'must':3}", RECORD_WHOLE, &e), 0);
    assert_true(s.on);
    assert_int_equal(s.count, -1);
    assert_true(s.rate == 2.5);
    assert_int_equal(s.wait, -1);
    assert_int_equal(s.colour, COLOUR_ANY);
    assert_null(s.name);
    assert_string_equal(s.id, "");
    assert_int_equal(s.word_count, 0);
    assert_false(s.part.given);
    assert_int_equal(s.part.size, 7);
    assert_int_equal(s.part_count, 1); // one that was not given
    assert_false(s.parts[0].given);
    assert_int_equal(s.parts[0].size, 7);
    assert_int_equal(s.fixed_count, 0);
    record_fini(&sample_record, &s);
    assert_null(s.parts);
    record_fini(&sample_record, &s);
}

static const char all[] =
    "{'on':false,'count':10,'small':2,'rate':0.5,'wait':1.5,'colour':'blue',"
    "'name':'n','id':'abcd','words':['x','y'],'part':{'size':1},"
    "'parts':[{'size':2},{}],'fixed':[{'size':3}],'later':null,'must':2}";

static void record_from_json__everything_given__is_read(void **state)
{
    struct sample s;
    struct error e = {0};

    (void)state;
    assert_int_equal(read(&s, all, RECORD_WHOLE, &e), 0);
    assert_false(s.on);
    assert_int_equal(s.count, 10);
    assert_int_equal(s.small, 2);
    assert_true(s.rate == 0.5);
    assert_int_equal(s.wait, 1500 * MILLISECOND);
    assert_int_equal(s.colour, COLOUR_BLUE);
    assert_string_equal(s.name, "n");
    assert_string_equal(s.id, "abcd");
    assert_int_equal(s.word_count, 2);
    assert_string_equal(s.words[1], "y");
    assert_true(s.part.given);
    assert_int_equal(s.part.size, 1);
    assert_int_equal(s.part_count, 2);
    assert_true(s.parts[1].given);
    assert_int_equal(s.parts[1].size, 7);
    assert_int_equal(s.fixed_count, 1);
    assert_int_equal(s.fixed[0].size, 3);
    record_fini(&sample_record, &s);
}

static void record_to_json__record__is_read_back_the_same(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {all, "{'on':false,'count':10,'small':2,'rate':0.5,'wait':1.5,"
              "'colour':'blue','name':'n','id':'abcd','words':['x','y'],"
              "'part':{'size':1},'parts':[{'size':2},{'size':7}],"
              "'fixed':[{'size':3}],'later':null,'must':2}"},
        {"{'must':0,'wait':60,'rate':3.0,'parts':[]}",
         "{'on':true,'count':null,'small':1,'rate':3,'wait':60,"
         "'colour':null,'name':null,'id':'','words':[],'part':null,"
         "'parts':[],'fixed':[],'later':null,'must':0}"},
        {"{'must':0,'part':{}}",
         "{'on':true,'count':null,'small':1,'rate':2.5,'wait':null,"
         "'colour':null,'name':null,'id':'','words':[],'part':{'size':7},"
         "'parts':null,'fixed':[],'later':null,'must':0}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample s, again;
        struct error e = {0};
        assert_int_equal(read(&s, cases[i].in, RECORD_WHOLE, &e), 0);
        json_t *json = record_to_json(&sample_record, &s);
        assert_int_equal(
            record_from_json(&sample_record, &again, json, RECORD_WHOLE, &e),
            0);
        assert_json(json, cases[i].out);
        assert_json(record_to_json(&sample_record, &again), cases[i].out);
        record_fini(&sample_record, &s);
        record_fini(&sample_record, &again);
    }
}

static void record_from_json__bad_values__name_field_and_reason(void **state)
{
    static const struct {
        const char *text, *field, *words;
    } cases[] = {
        {"[]", "", "must be an object"},
        {"null", "", "must be an object"},
        {"{}", "must", "is missing"},
        {"{'must':1,'mist':1}", "mist", "there is no such field"},
        {"{'must':1,'part':{'sise':1}}", "part.sise", "there is no such field"},
        {"{'must':1,'parts':[{},{'sise':1}]}", "parts[1].sise",
         "there is no such field"},
        {"{'must':1,'on':1}", "on", "must be true or false"},
        {"{'must':1,'on':null}", "on", "must be true or false"},
        {"{'must':1,'count':'1'}", "count", "must be a number"},
        {"{'must':1,'count':true}", "count", "must be a number"},
        {"{'must':1,'count':-1}", "count", "must be between 0 and 100"},
        {"{'must':1,'count':101}", "count", "must be between 0 and 100"},
        {"{'must':1,'count':1e300}", "count", "must be between 0 and 100"},
        {"{'must':1,'count':1.5}", "count", "must be a whole number"},
        {"{'must':1,'count':3}", "count", "must be even"},
        {"{'must':1,'rate':null}", "rate", "must be a number"},
        {"{'must':1,'rate':10.1}", "rate", "must be between 0 and 10"},
        {"{'must':1,'wait':-0.5}", "wait", "must be between 0 and 3600"},
        {"{'must':1,'colour':'pink'}", "colour", "must be red or blue"},
        {"{'must':1,'colour':1}", "colour", "must be red or blue"},
        {"{'must':1,'colour':'green'}", "colour", "'green' is not built yet"},
        {"{'must':1,'name':1}", "name", "must be a string"},
        {"{'must':1,'name':'123456789'}", "name", "is longer than 8 bytes"},
        {"{'must':1,'name':'bad'}", "name", "is bad"},
        {"{'must':1,'id':null}", "id", "must be a string"},
        {"{'must':1,'words':'x'}", "words", "must be a list"},
        {"{'must':1,'words':['x',1]}", "words[1]", "must be a string"},
        {"{'must':1,'words':['bad']}", "words[0]", "is bad"},
        {"{'must':1,'words':['x','y','z']}", "words",
         "has 3 elements, more than 2"},
        {"{'must':1,'part':[]}", "part", "must be an object"},
        {"{'must':1,'part':{'size':101}}", "part.size",
         "must be between 0 and 100"},
        {"{'must':1,'parts':[{'size':1},{'size':null}]}", "parts[1].size",
         "must be a number"},
        {"{'must':1,'parts':[1]}", "parts[0]", "must be an object"},
        {"{'must':1,'fixed':[{},{},{}]}", "fixed",
         "has 3 elements, more than 2"},
        {"{'must':1,'fixed':null}", "fixed", "must be a list"},
        {"{'must':1,'later':1}", "later", "is not built yet"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample s = {.count = 99};
        struct error e = {0};
        print_message("%s\n", cases[i].text);
        assert_int_equal(read(&s, cases[i].text, RECORD_WHOLE, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        assert_string_equal(e.text, cases[i].words);
        assert_int_equal(s.count, 99); // untouched
    }
}

static void record_from_json__check_refuses__owns_nothing(void **state)
{
    struct sample s;
    struct error e = {0};

    (void)state;
    assert_int_equal(
        read(&s, "{'must':1,'count':14,'name':'n'}", RECORD_WHOLE, &e),
        -EINVAL);
    assert_string_equal(e.field, "count");
    assert_string_equal(e.text, "is unlucky");
}

static void
record_from_json__whole_numbers__may_be_written_as_reals(void **state)
{
    struct sample s;
    struct error e = {0};

    (void)state;
    assert_int_equal(read(&s, "{'must':1,'count':1.2e1}", RECORD_WHOLE, &e), 0);
    assert_int_equal(s.count, 12);
    record_fini(&sample_record, &s);
}

static void
record_from_json__lenient_values__are_brought_into_range(void **state)
{
    struct sample s;
    struct error e = {0};

    (void)state;
    assert_int_equal(read(&s,
                          "{'small':-99,'id':'a\xc3\xa4\xe2\x82\xac',"
                          "'must':1}",
                          RECORD_WHOLE, &e),
                     0);
    // cut between characters: the third one does not fit
    assert_string_equal(s.id, "a\xc3\xa4");
    assert_int_equal(s.small, -5);
    record_fini(&sample_record, &s);
}

static void record_from_json__template__requires_and_owns_nothing(void **state)
{
    struct sample s;
    struct error e = {0};

    (void)state;
    assert_int_equal(read(&s, "{'count':8}", RECORD_TEMPLATE, &e), 0);
    assert_int_equal(s.count, 8);
    record_fini(&sample_record, &s);
    assert_int_equal(read(&s, "{'name':'x'}", RECORD_TEMPLATE, &e), -EINVAL);
    assert_string_equal(e.field, "name");
    assert_string_equal(e.text, "belongs to a job, not to a profile");
}

static void record_from_json__nul_in_a_text__is_refused(void **state)
{
    struct sample s;
    struct error e = {0};
    json_t *json =
        json_pack("{s:i, s:o}", "must", 1, "name", json_stringn("a\0b", 3));

    (void)state;
    assert_int_equal(
        record_from_json(&sample_record, &s, json, RECORD_WHOLE, &e), -EINVAL);
    assert_string_equal(e.field, "name");
    assert_string_equal(e.text, "contains a NUL character");
    json_decref(json);
}

static void record_to_json__what_is_no_number__is_the_least(void **state)
{
    struct sample s = {.rate = NAN, .name = NULL};
    json_t *json = record_to_json(&sample_record, &s);

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(json, "rate")), 0);
    json_decref(json);
}

static void record_find__names__are_found(void **state)
{
    (void)state;
    assert_ptr_equal(record_find(&sample_record, "count"), &fields[1]);
    assert_null(record_find(&sample_record, "counts"));
    assert_null(record_find(&part_record, "given"));
}

static void field_name_index__gaps_in_the_names__are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(field_name_index(colours, COLOUR_COUNT, "blue"), 2);
    assert_int_equal(field_name_index(colours, COLOUR_COUNT, "pink"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_from_json__nothing_given__takes_the_defaults),
        cmocka_unit_test(record_from_json__everything_given__is_read),
        cmocka_unit_test(record_to_json__record__is_read_back_the_same),
        cmocka_unit_test(record_from_json__bad_values__name_field_and_reason),
        cmocka_unit_test(record_from_json__check_refuses__owns_nothing),
        cmocka_unit_test(
            record_from_json__whole_numbers__may_be_written_as_reals),
        cmocka_unit_test(
            record_from_json__lenient_values__are_brought_into_range),
        cmocka_unit_test(record_from_json__template__requires_and_owns_nothing),
        cmocka_unit_test(record_from_json__nul_in_a_text__is_refused),
        cmocka_unit_test(record_to_json__what_is_no_number__is_the_least),
        cmocka_unit_test(record_find__names__are_found),
        cmocka_unit_test(field_name_index__gaps_in_the_names__are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
