/*
 * plan_need: what a plan's work needs, for the scheduler. Pure.
 */
#ifndef MEDIA_PLAN_NEED_H
#define MEDIA_PLAN_NEED_H

struct media_info;
struct need;
struct plan;

/* Of the work itself, by a plan for any device. */
void plan_need(const struct plan *plan, const struct media_info *info,
               struct need *ret);

/* Add what it takes of the device that @plan was made for, as if all that it
 * can use there were granted. */
void plan_need_device(const struct plan *plan, const struct media_info *info,
                      struct need *need);

#endif
