#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"

static char *folder; // owned, by the test that runs

static int make_folder(void **state)
{
    (void)state;
    folder = folder_create();
    return setenv("TRANSCODED_SYSTEM_ROOT", folder, 1);
}

static int remove_folder(void **state)
{
    (void)state;
    folder_remove(folder);
    return unsetenv("TRANSCODED_SYSTEM_ROOT");
}

/* The folders above @name. */
static void make_parents(const char *name)
{
    char part[256];

    for (const char *slash = strchr(name, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        (void)snprintf(part, sizeof(part), "%.*s", (int)(slash - name), name);
        (void)mkdir(folder_path(folder, part), 0755);
    }
}

static void put(const char *name, const char *text)
{
    make_parents(name);
    folder_put(folder, name, text);
}

static void put_link(const char *name, const char *target)
{
    make_parents(name);
    assert_int_equal(symlink(target, folder_path(folder, name)), 0);
}

#define CARD  "sys/bus/pci/devices/0000:01:00.0/"
#define OTHER "sys/bus/pci/devices/0000:00:1f.3/"
#define DRM   "sys/class/drm/"

static void read__p1000__all_of_it(void **state)
{
    struct machine m;

    (void)state;
    put(CARD "class", "0x030000\n");
    put(CARD "vendor", "0x10de\n");
    put(CARD "device", "0x1cb1\n");
    put_link(CARD "driver", "../../../bus/pci/drivers/nvidia");
    put(OTHER "class", "0x040300\n"); // the sound of it is no display
    put(OTHER "vendor", "0x10de\n");
    put_link(DRM "card0/device", "../../../0000:01:00.0");
    put(DRM "card0-HDMI-A-1/status", "connected\n");
    put(DRM "card0-DP-1/status", "disconnected\n");
    put_link(DRM "renderD128/device", "../../../0000:01:00.0");
    put(DRM "version", "drm 1.1.0 20060810\n");
    put("proc/modules", "nvidia_uvm 1 0 - Live\nnvidia_drm 2 1\nsnd 1 0\n");
    put("proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May\n"
        "GCC version:  gcc version 12.2.0\n");
    put("dev/nvidia0", "");
    assert_int_equal(chmod(folder_path(folder, "dev/nvidia0"), 0640), 0);
    put("run/nvidia-persistenced/socket", "");

    machine_read(&m);
    assert_int_equal(m.card_count, 1);
    const struct machine_card *c = machine_nvidia(&m);
    assert_non_null(c);
    assert_string_equal(c->slot, "0000:01:00.0");
    assert_int_equal(c->device, 0x1cb1);
    assert_string_equal(c->driver, "nvidia");
    assert_int_equal(m.drm_count, 2);
    const struct machine_drm *d = machine_find_drm(&m, "card0");
    assert_non_null(d);
    assert_string_equal(d->slot, "0000:01:00.0");
    assert_true(d->is_lit);
    assert_false(machine_find_drm(&m, "renderD128")->is_lit);
    assert_null(machine_find_drm(&m, "card1"));
    assert_true(m.modules[MACHINE_NVIDIA_UVM]);
    assert_true(m.modules[MACHINE_NVIDIA_DRM]);
    assert_false(m.modules[MACHINE_NVIDIA_CORE]); // a part of other names
    assert_string_equal(m.driver, "470.256.02");
    assert_true(m.nodes[0].exists);
    assert_int_equal(m.nodes[0].mode & 0777, 0640);
    assert_false(m.nodes[1].exists);
    assert_true(m.has_persistence);
    assert_false(m.is_nixos);
}

static void read__nothing_there__is_empty(void **state)
{
    struct machine m;

    (void)state;
    machine_read(&m);
    assert_null(machine_nvidia(&m));
    assert_int_equal(m.card_count + m.drm_count, 0);
    assert_string_equal(m.driver, "");
    assert_false(m.has_persistence);
}

static void version__first_number_with_dots(void **state)
{
    static const struct {
        const char *line;
        const char *expect;
    } cases[] = {
        {"NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu",
         "470.256.02"},
        {"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  "
         "Release Build",
         "580.65.06"},
        {"NVRM version: 64 bits", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char version[32];
        print_message("%s\n", cases[i].line);
        machine_parse_version(cases[i].line, version, sizeof(version));
        assert_string_equal(version, cases[i].expect);
    }
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(read__p1000__all_of_it),
        IN_FOLDER(read__nothing_there__is_empty),
        cmocka_unit_test(version__first_number_with_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
