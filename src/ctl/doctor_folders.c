/*
 * doctor_folders: the store, the roots, and the room there is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "doctor.h"
#include "model/diagnosis.h"
#include "unit.h"

#define ROOM_LEAST (64LL << 20) // bytes; below that outputs fail any minute
#define ROOM_LOW   (2LL << 30)

static const char *words_of(const struct diagnosis_folder *f)
{
    return f->problem[0] ? f->problem : strerror(f->error);
}

static bool is_faulty(const struct diagnosis_folder *f)
{
    return f->problem[0] || f->error;
}

/* Is @path where ProtectHome=yes lets nobody in? */
static bool is_home(const char *path)
{
    static const char *const homes[] = {"/home/", "/root/", "/run/user/"};

    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
        if (strncmp(path, homes[i], strlen(homes[i])) == 0)
            return true;
    }
    return false;
}

/* Can the service, as a unit, not see or write what is there for others? Then
 * it is the unit's matter and not the folder's. */
static bool is_units(const struct patient *p, size_t i)
{
    const struct diagnosis_folder *f = &p->service->folders[i];
    const struct doctor_outlook *here = &p->here[i];

    if (f->role == DIAGNOSIS_STORE) // which has a line of its own
        return false;
    if (!here->exists)
        return false;
    return (f->error == EROFS && !here->is_read_only) || f->error == ENOENT ||
           (f->error == EACCES && p->service->is_service && is_home(f->path));
}

void doctor_store(const struct patient *p, struct finding *ret)
{
    for (size_t i = 0; i < p->service->folder_count; i++) {
        const struct diagnosis_folder *f = &p->service->folders[i];
        if (f->role != DIAGNOSIS_STORE)
            continue;
        if (is_faulty(f))
            finding_add(ret, FINDING_BAD,
                        "StateDirectory=transcoded in the unit, or --state-dir "
                        "with a folder that is the service's own",
                        "%s cannot be written: %s", f->path, words_of(f));
        else
            finding_add(ret, FINDING_GOOD, NULL, "%s can be written", f->path);
    }
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL, "the service does not tell");
}

/* What mends a root, by errno. */
static const struct {
    int error;
    const char *fix;
} root_fixes[] = {
    {ENOENT, "create it, or take it from 'roots' in the configuration"},
    {ENOTDIR, "'roots' in the configuration takes folders only"},
    {EACCES, "setfacl -m u:transcoded:rwX on it and its parents, or give the "
             "service its group"},
    {EROFS, "mount it for writing"},
    {ENOSPC, "make room"},
};

static const char *fix_of(int error)
{
    for (size_t i = 0; i < sizeof(root_fixes) / sizeof(root_fixes[0]); i++) {
        if (root_fixes[i].error == error)
            return root_fixes[i].fix;
    }
    return "see whether its file system answers: ls, mount, dmesg";
}

void doctor_roots(const struct patient *p, struct finding *ret)
{
    for (size_t i = 0; i < p->service->folder_count; i++) {
        const struct diagnosis_folder *f = &p->service->folders[i];
        const char *verb = f->role == DIAGNOSIS_READ ? "read" : "written";
        if (f->role == DIAGNOSIS_STORE)
            continue;
        if (!is_faulty(f) || is_units(p, i))
            finding_add(ret, FINDING_GOOD, NULL, "%s to be %s", f->path, verb);
        else
            finding_add(ret, FINDING_BAD, fix_of(f->problem[0] ? 0 : f->error),
                        "%s cannot be %s: %s", f->path, verb, words_of(f));
    }
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL,
                    "none: jobs come with their files open (transcodectl run)");
}

static void judge_unit(const struct diagnosis_folder *f, struct finding *ret)
{
    char fix[sizeof(f->path) + 64];

    if (f->error == EROFS) {
        (void)snprintf(fix, sizeof(fix), "ReadWritePaths=%s in the unit",
                       f->path);
        finding_add(ret, FINDING_BAD, fix,
                    "%s is read-only for the service, and for others it is not",
                    f->path);
    } else {
        (void)snprintf(fix, sizeof(fix), "%s%s=%s in the unit",
                       is_home(f->path) ? "ProtectHome=tmpfs and " : "",
                       f->role == DIAGNOSIS_READ ? "BindReadOnlyPaths"
                                                 : "BindPaths",
                       f->path);
        finding_add(ret, FINDING_BAD, fix,
                    "%s is hidden from the service (ProtectHome=, PrivateTmp=, "
                    "…)",
                    f->path);
    }
}

/* Is @path @above, or below it? */
static bool is_within(const char *path, const char *above)
{
    size_t length = strlen(above);

    while (length && above[length - 1] == '/')
        length--;
    return strncmp(path, above, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

/* Is it there for a folder that the service uses so, or a part of one? */
static bool is_used(const struct diagnosis *s, const struct unit_path *u)
{
    for (size_t i = 0; i < s->folder_count; i++) {
        const struct diagnosis_folder *f = &s->folders[i];
        if (u->access == UNIT_WRITE && f->role == DIAGNOSIS_READ)
            continue;
        if (is_within(f->path, u->path) || is_within(u->path, f->path))
            return true;
    }
    return false;
}

/* What programs on NVIDIA cards are given anyway. */
static bool is_librarys(const char *path)
{
    return is_within(path, "/run/opengl-driver") ||
           is_within(path, "/run/opengl-driver-32");
}

static void judge_path(const struct diagnosis *s, const struct unit_path *u,
                       struct finding *ret)
{
    char fix[128];

    if (is_used(s, u) || is_librarys(u->path))
        return;
    (void)snprintf(fix, sizeof(fix),
                   "add it to roots.%s in the configuration, or take it from "
                   "%s= in the unit",
                   u->access == UNIT_WRITE ? "write" : "read",
                   unit_property(u->access));
    finding_add(ret, FINDING_WARNING, fix,
                "%s is in the unit's %s=, and is no root: no job may use it",
                u->path, unit_property(u->access));
}

void doctor_unit(const struct patient *p, struct finding *ret)
{
    size_t roots = 0;

    for (size_t i = 0; i < p->service->folder_count; i++) {
        roots += p->service->folders[i].role != DIAGNOSIS_STORE;
        if (is_units(p, i))
            judge_unit(&p->service->folders[i], ret);
    }
    for (size_t i = 0; p->unit && i < p->unit->count; i++)
        judge_path(p->service, &p->unit->paths[i], ret);
    if (!ret->found)
        finding_add(ret, roots ? FINDING_GOOD : FINDING_NOTE, NULL,
                    roots ? "it leaves the service every root"
                          : "no roots that it could be at odds with");
}

void doctor_space(const struct patient *p, struct finding *ret)
{
    for (size_t i = 0; i < p->service->folder_count; i++) {
        const struct diagnosis_folder *f = &p->service->folders[i];
        char room[32];

        // a file system that has no size says 0
        if (f->role == DIAGNOSIS_READ || f->free == DIAGNOSIS_UNKNOWN ||
            f->total <= 0)
            continue;
        text_format_size(f->free, room, sizeof(room));
        finding_add(ret,
                    f->free < ROOM_LEAST ? FINDING_BAD
                    : f->free < ROOM_LOW ? FINDING_WARNING
                                         : FINDING_GOOD,
                    f->free < ROOM_LOW ? "make room" : NULL, "%s free at %s",
                    room, f->path);
    }
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL, "not known");
}
