/*
 * diagnose_steps: the parts of a diagnosis, by noun. Each fills in what it is
 * about, and no more.
 */
#ifndef WORKER_DIAGNOSE_STEPS_H
#define WORKER_DIAGNOSE_STEPS_H

#include "model/diagnosis.h"

struct sandbox_config;

// diagnose_place.c
void diagnose_identity(struct diagnosis_process *p);
void diagnose_environment(struct diagnosis_process *p);
void diagnose_nodes(struct diagnosis_process *p);
// diagnose_confined.c; before a driver's threads are there, for it forks
void diagnose_confined(struct diagnosis_process *p,
                       const struct sandbox_config *config);
// diagnose_driver.c
void diagnose_libraries(struct diagnosis_process *p);
void diagnose_nvml(struct diagnosis_process *p);
void diagnose_nvenc(struct diagnosis_process *p);
void diagnose_cuda(struct diagnosis_process *p);

#endif
