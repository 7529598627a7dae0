/*
 * The demo's company: its people, crew, stock, machines and their credentials. All made up, and marked so. Everything
 * that exists already stays as it is, except passwords, which are new at each start because nobody keeps the old ones.
 */
#ifndef APP_DEMO_COMPANY_H
#define APP_DEMO_COMPANY_H

#include "app/flow.h"
#include "model/recording.h"
#include "trust/device.h"

#define DEMO_COMPANY_NAME "Weft demo"
#define DEMO_COMPANY_PASSWORD_MAX 24

struct demo_login {
    const char *user, *what; /* "admin", "everything" */
    char password[DEMO_COMPANY_PASSWORD_MAX];
};
#define DEMO_COMPANY_LOGINS 3

struct demo_device {
    char user[DEVICE_SECRET_MAX], password[DEVICE_SECRET_MAX];
};

/* devices: [recording->n_machines]. Waits for many commits: about a tenth of a second in all. */
Err demo_company_make(struct flow *flow, const struct recording *recording,
                      struct demo_login logins[DEMO_COMPANY_LOGINS], struct demo_device *devices);

#endif
