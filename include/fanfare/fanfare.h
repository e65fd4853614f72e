/* SPDX-FileCopyrightText: Fanfare contributors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FANFARE_FANFARE_H
#define FANFARE_FANFARE_H

/* The engine for C, and for languages that bind to C. It wraps <fanfare/engine.hpp>,
 * which documents each function in more detail.
 *
 *     fanfare_options options;
 *     fanfare_options_init(&options, sizeof options);
 *     options.data = "data";
 *     fanfare_error error = {.size = sizeof error};
 *     fanfare_engine *engine = NULL;
 *     if (fanfare_start(&options, &engine, &error) != FANFARE_OK)
 *       fprintf(stderr, "%s\n", error.detail);
 *
 * Omitted, because they are for servers: tokens, kept answers, explanations, and
 * delivery settings beyond those of fanfare_webhook. Also omitted, and only in the C++
 * interface, <fanfare/engine.hpp>: lists of organizers, events and action types, single
 * calls, previews of filters and replays, the current state of a delivery, and the
 * program's own clock and metrics registry.
 *
 * Structs begin with their size, as the program was compiled with it: a program can be
 * older than the library (members that it lacks get their defaults) or newer (members
 * unknown to the library must be zero, else invalid_argument with field "size").
 * fanfare_..._init fills one with the defaults.
 *
 * Texts are UTF-8 and end with NUL. Those passed in are copied. Those of a list or a
 * callback belong to it. NULL is the same as "" where none is required. Times are
 * milliseconds since 1970 or for durations, unless a name says otherwise.
 *
 * Any thread may call any function, fanfare_free last. Those that say "blocks" can wait for
 * the disk: never call them from a callback. `error` may be NULL. Nothing is written to
 * stdout, no signal handler is installed, no C++ exception leaves. */

#include <stddef.h>
#include <stdint.h>

#define FANFARE_C_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* -- errors ------------------------------------------------------------------ */

/* The codes of fanfare::ec; new ones are added at the end. */
typedef enum fanfare_code {
  FANFARE_OK = 0,
  FANFARE_INVALID_ARGUMENT = 1,
  FANFARE_NOT_FOUND = 2,
  FANFARE_ALREADY_EXISTS = 3,
  FANFARE_FORBIDDEN = 4,
  FANFARE_CONFLICT = 5,
  FANFARE_TOO_LARGE = 6,
  FANFARE_STOPPING = 7,
  FANFARE_OVERLOADED = 8,
  FANFARE_STORE_FULL = 9,
  FANFARE_STORE_LOCKED = 10,
  FANFARE_STORE_FOREIGN = 11,
  FANFARE_STORE_NEWER = 12,
  FANFARE_STORE_DAMAGED = 13,
  FANFARE_IO_ERROR = 14,
  FANFARE_BIND_FAILED = 15,
  FANFARE_INTERNAL = 16,
  FANFARE_OUT_OF_MEMORY = 1000 /* only here: C++ throws std::bad_alloc */
} fanfare_code;

/* Set by functions that fail, untouched by those that succeed. */
typedef struct fanfare_error {
  size_t size;
  int32_t code;     /* a fanfare_code */
  char detail[512]; /* a sentence for people; truncated if longer */
  char field[64];   /* the input at fault, or "" */
} fanfare_error;

/* "store_full"; "unknown" for other numbers. */
FANFARE_C_API const char *fanfare_code_name(int32_t code);
/* "1.2.3". */
FANFARE_C_API const char *fanfare_version(void);

/* Frees a text that a function returned by `char **`. NULL is fine. */
FANFARE_C_API void fanfare_free_text(char *text);

/* -- the engine ---------------------------------------------------------------- */

typedef struct fanfare_engine fanfare_engine;

typedef enum fanfare_log_level {
  FANFARE_LOG_DEBUG = 0,
  FANFARE_LOG_INFO = 1,
  FANFARE_LOG_WARNING = 2,
  FANFARE_LOG_ERROR = 3
} fanfare_log_level;

typedef enum fanfare_outcome {
  FANFARE_DELIVERED = 0,
  FANFARE_RETRIED = 1,  /* failed, due again at retry_due */
  FANFARE_GIVEN_UP = 2, /* failed, and will not be retried */
  /* 410, or only failures for `disable_after`: the webhook is disabled, unless its
   * target changed meanwhile: then due again at retry_due. */
  FANFARE_GONE = 3
} fanfare_outcome;

/* One entry of the call log. */
typedef struct fanfare_call {
  size_t size;
  uint64_t id;
  uint64_t webhook;
  uint64_t notification;
  int64_t time;
  int64_t retry_due;         /* 0: none */
  int64_t duration_us;       /* microseconds */
  int32_t outcome;           /* a fanfare_outcome */
  uint32_t attempt;          /* 1 is the first */
  uint32_t status;           /* of HTTP; 0: no answer, and `reason` says why */
  int32_t resent;            /* 1: sent again on request */
  const char *target_url;    /* with its password masked */
  const char *reason;        /* "" for a success */
  const char *response_head; /* whole header fields, at most 8 KiB; maybe not UTF-8 */
  /* The first 16 KiB; can hold any bytes: see response_body_size. */
  const char *response_body;
  size_t response_body_size;
} fanfare_call;

typedef struct fanfare_options {
  size_t size;
  const char *data; /* directory of the store; required */
  uint32_t threads; /* 0: one per core */
  /* Lists are separated by commas. */
  const char *allow_networks; /* "127.0.0.0/8,10.0.0.0/8" */
  const char *deny_networks;
  const char *dns_servers;
  const char *proxy;
  const char *ca_file;
  const char *secret_keys;
  const char *secret_key_file;
  const int64_t *schedule; /* delays between the attempts; NULL: the default */
  size_t schedule_count;
  int64_t max_age;
  int64_t retention;
  uint32_t max_in_flight;
  uint32_t max_per_destination;
  uint32_t max_per_organizer;
  uint32_t breaker_failures; /* 0: no circuit breaker */
  int64_t breaker_pause;
  int64_t disable_after; /* 0: never */
  uint32_t window;
  int64_t dns_timeout;
  int64_t connect_timeout;
  int64_t tls_timeout;
  int64_t first_byte_timeout;
  int64_t total_timeout;
  uint64_t max_store_size;
  int64_t publish_patience;
  /* Messages for the operator. Any thread, several at once; must not block or call the
   * engine. NULL: nothing is logged. */
  void (*log)(void *user, int32_t level, const char *text);
  void *log_user;
  /* The engine cannot continue: have a thread other than this one stop it. Any thread.
   * Must not block. */
  void (*on_fatal)(void *user, const char *text);
  void *on_fatal_user;
  /* Each call once it is on disk, one at a time and in order, on the engine's committer
   * thread: must not block, and may publish by fanfare_try_publish only. The call is
   * valid until it returns. */
  void (*on_call)(void *user, const fanfare_call *call);
  void *on_call_user;
  /* Hosts that are called without `proxy`, separated by commas: "internal.example" and
   * all below it, ".internal.example" for those below only, networks. */
  const char *no_proxy;
  /* 1: `proxy`, and socks5h:// proxies of webhooks, look up names, and where a name
   * leads is not checked: the proxy has to refuse what must not be reached. */
  int32_t proxy_resolves;
  /* 1: the action types of pretix are not registered. Those of an earlier start stay. */
  int32_t without_builtin_types;
  /* "http://HOST:4318": the OpenTelemetry collector that gets a span for each
   * notification and each request. NULL: nothing is traced. */
  const char *trace_endpoint;
  const char *trace_headers; /* of its requests: "NAME=VALUE", one per line */
  double trace_sample;       /* of traces that begin here, 0 to 1 */
  const char *trace_service_name;
} fanfare_options;

FANFARE_C_API void fanfare_options_init(fanfare_options *options, size_t size);

/* Opens the store, recovers, and starts delivery. Blocks. The options are no longer
 * needed once it returns; the callbacks and their users are, until fanfare_free
 * returns. */
FANFARE_C_API fanfare_code fanfare_start(const fanfare_options *options,
                                         fanfare_engine **engine,
                                         fanfare_error *error);
/* Refuses publishes at once, waits up to `deadline` for attempts in flight, and saves.
 * Blocks, at most a few seconds longer than that, unless the disk hangs: a thread that
 * waits for it cannot be ended. Queries still work. */
FANFARE_C_API void fanfare_stop(fanfare_engine *engine, int64_t deadline);
/* fanfare_stop with 0, unless stopped, then frees all. NULL is fine. */
FANFARE_C_API void fanfare_free(fanfare_engine *engine);
/* 1 while the engine runs and the disk takes writes. Publishes can still be refused
 * with FANFARE_OVERLOADED or FANFARE_STORE_FULL. */
FANFARE_C_API int fanfare_ready(const fanfare_engine *engine);
/* Makes all webhooks re-read the clock, after the machine's was set. */
FANFARE_C_API void fanfare_wake(fanfare_engine *engine);
/* Applies those of the options that can change while the engine runs, for whatever
 * starts from now on: schedule, max_age, the breaker's, disable_after, max_in_flight, the
 * timeouts, allow_networks, deny_networks and retention. The others are not looked at.
 * All of it or, with FANFARE_INVALID_ARGUMENT, nothing. */
FANFARE_C_API fanfare_code fanfare_change_options(fanfare_engine *engine,
                                                  const fanfare_options *options,
                                                  fanfare_error *error);

typedef struct fanfare_statistics {
  size_t size;
  uint64_t registered_webhooks;
  uint64_t active_webhooks;
  uint64_t in_flight;
  uint64_t newest_notification;
  uint64_t routed_notification; /* the newest that was fanned out */
  uint64_t newest_call;
  uint64_t store_bytes;
} fanfare_statistics;

FANFARE_C_API fanfare_code fanfare_get_statistics(const fanfare_engine *engine,
                                                  fanfare_statistics *out,
                                                  fanfare_error *error);
/* All figures, as Prometheus scrapes them. */
FANFARE_C_API fanfare_code fanfare_get_metrics(const fanfare_engine *engine,
                                               char **text,
                                               fanfare_error *error);

/* -- registry -------------------------------------------------------------------- */

/* Each adds what is missing. Block. */
FANFARE_C_API fanfare_code fanfare_ensure_organizer(fanfare_engine *engine,
                                                    const char *slug,
                                                    uint32_t *id,
                                                    fanfare_error *error);
FANFARE_C_API fanfare_code fanfare_ensure_action_type(fanfare_engine *engine,
                                                      const char *name,
                                                      fanfare_error *error);
FANFARE_C_API fanfare_code fanfare_ensure_event(fanfare_engine *engine,
                                                uint32_t organizer,
                                                const char *slug,
                                                const char *name,
                                                fanfare_error *error);

typedef enum fanfare_signing {
  FANFARE_SIGN_NONE = 0,
  FANFARE_SIGN_HMAC_SHA256 = 1,
  FANFARE_SIGN_ED25519 = 2
} fanfare_signing;

typedef struct fanfare_webhook {
  size_t size;
  uint64_t id;        /* given by the engine */
  uint32_t organizer; /* given by the engine */
  int32_t enabled;
  int32_t all_events;
  const char *target_url;
  const char *action_types; /* separated by commas */
  const char *events;       /* slugs, separated by commas; needs all_events 0 */
  const char *filter;       /* JSON, or "" */
  const char *comment;
  /* Delivery settings; 0: the engine's, except for `signing`: with 0 calls are not
   * signed. fanfare_webhook_init sets FANFARE_SIGN_HMAC_SHA256. */
  int32_t signing; /* a fanfare_signing */
  int32_t ordered;
  int32_t paused;
  int32_t put;
  int32_t thin;
  uint32_t max_in_flight;
  int64_t total_timeout;
  int64_t max_age;
  uint32_t rate_count; /* requests per rate_period; 0: no limit */
  int64_t rate_period;
  uint32_t batch_count; /* notifications per request; 0: no batches */
  int64_t batch_wait;
  /* "Name: value" lines, separated by "\n". When read, their values are "***"; one
   * passed back so stays unchanged. */
  const char *headers;
  const char *name; /* under which it is found again, or "" */
} fanfare_webhook;

FANFARE_C_API void fanfare_webhook_init(fanfare_webhook *webhook, size_t size);
/* Blocks. invalid_argument names the field as in <fanfare/engine.hpp>. */
FANFARE_C_API fanfare_code fanfare_add_webhook(fanfare_engine *engine,
                                               uint32_t organizer,
                                               const fanfare_webhook *webhook,
                                               uint64_t *id,
                                               fanfare_error *error);
/* Blocks. Writes everything in the struct; other delivery settings stay. */
FANFARE_C_API fanfare_code fanfare_change_webhook(
  fanfare_engine *engine, uint32_t organizer, uint64_t id,
  const fanfare_webhook *webhook, fanfare_error *error);
/* Blocks. Disabling ends everything pending for the webhook. */
FANFARE_C_API fanfare_code fanfare_enable_webhook(fanfare_engine *engine,
                                                  uint32_t organizer,
                                                  uint64_t id, int enabled,
                                                  fanfare_error *error);

typedef struct fanfare_webhooks fanfare_webhooks;

/* Blocks. By id, `limit` from place `offset` on. Free it with
 * fanfare_free_webhooks. */
FANFARE_C_API fanfare_code fanfare_list_webhooks(fanfare_engine *engine,
                                                 uint32_t organizer,
                                                 size_t offset, size_t limit,
                                                 fanfare_webhooks **list,
                                                 fanfare_error *error);
/* Blocks. A list of one. */
FANFARE_C_API fanfare_code fanfare_find_webhook(fanfare_engine *engine,
                                                uint32_t organizer, uint64_t id,
                                                fanfare_webhooks **list,
                                                fanfare_error *error);
FANFARE_C_API size_t fanfare_count_webhooks(const fanfare_webhooks *list);
/* Fills `out`, whose size must be set. Its texts live as long as the list. */
FANFARE_C_API fanfare_code fanfare_get_webhook(const fanfare_webhooks *list,
                                               size_t at, fanfare_webhook *out,
                                               fanfare_error *error);
FANFARE_C_API void fanfare_free_webhooks(fanfare_webhooks *list);

/* Blocks. The signing secret: "whsec_…", or the public key "whpk_…". */
FANFARE_C_API fanfare_code fanfare_get_secret(fanfare_engine *engine,
                                              uint32_t organizer,
                                              uint64_t webhook, char **text,
                                              fanfare_error *error);
/* Blocks. `secret` NULL: makes a new one. For `overlap`, calls also carry a signature
 * by the previous one. */
FANFARE_C_API fanfare_code fanfare_rotate_secret(fanfare_engine *engine,
                                                 uint32_t organizer,
                                                 uint64_t webhook,
                                                 const char *secret,
                                                 int64_t overlap, char **text,
                                                 fanfare_error *error);

/* -- publishing -------------------------------------------------------------------- */

typedef struct fanfare_publication {
  size_t size;
  const char *action;
  const char *event;   /* slug, or "" */
  const char *payload; /* text of a JSON object, or "" */
  const char *trace;   /* W3C Trace Context, or "" */
} fanfare_publication;

/* Called once the publish is on disk (`error` NULL; the ids run from `first`, without
 * gaps) or was refused. On the engine's committer thread. Once the engine stops or has
 * failed, possibly on the thread that stops it, on one of its I/O threads, or on the
 * caller's before the function returns. Must not block, and may publish only by
 * fanfare_try_publish. */
typedef void (*fanfare_published)(void *user, uint64_t first, size_t count,
                                  const fanfare_error *error);

/* Blocks until they are on disk. All `count` (1 to 1,000) or none. */
FANFARE_C_API fanfare_code fanfare_publish(fanfare_engine *engine,
                                           uint32_t organizer,
                                           const fanfare_publication *items,
                                           size_t count, uint64_t *first,
                                           fanfare_error *error);
/* Never blocks: FANFARE_OVERLOADED if too much waits for the disk. Calls `done` if and
 * only if this succeeds. */
FANFARE_C_API fanfare_code fanfare_try_publish(fanfare_engine *engine,
                                               uint32_t organizer,
                                               const fanfare_publication *items,
                                               size_t count,
                                               fanfare_published done,
                                               void *user,
                                               fanfare_error *error);
/* Blocks. Like fanfare_publish, but once per key (1 to 27 bytes) and organizer within
 * 24 h; a repeat returns the original ids. */
FANFARE_C_API fanfare_code fanfare_publish_once(
  fanfare_engine *engine, uint32_t organizer, const void *key, size_t key_size,
  const fanfare_publication *items, size_t count, uint64_t *first,
  fanfare_error *error);
/* Blocks. The request body of a notification. */
FANFARE_C_API fanfare_code fanfare_get_body(fanfare_engine *engine,
                                            uint32_t organizer,
                                            uint64_t notification, char **text,
                                            fanfare_error *error);

/* -- what became of it --------------------------------------------------------------- */

typedef struct fanfare_calls fanfare_calls;

/* Blocks. Newest first, ids below `before` (0: from the newest). Free it with
 * fanfare_free_calls. */
FANFARE_C_API fanfare_code fanfare_list_calls(fanfare_engine *engine,
                                              uint32_t organizer,
                                              uint64_t webhook, uint64_t before,
                                              size_t limit,
                                              fanfare_calls **list,
                                              fanfare_error *error);
/* Blocks until a made-up notification is sent to the webhook; a list of that call. */
FANFARE_C_API fanfare_code fanfare_test_webhook(fanfare_engine *engine,
                                                uint32_t organizer,
                                                uint64_t webhook,
                                                fanfare_calls **list,
                                                fanfare_error *error);
FANFARE_C_API size_t fanfare_count_calls(const fanfare_calls *list);
/* Fills `out`, whose size must be set. Its texts live as long as the list. */
FANFARE_C_API fanfare_code fanfare_get_call(const fanfare_calls *list, size_t at,
                                            fanfare_call *out,
                                            fanfare_error *error);
FANFARE_C_API void fanfare_free_calls(fanfare_calls *list);

typedef struct fanfare_retry {
  size_t size;
  uint64_t notification;
  int64_t due;
  uint32_t attempt; /* the number of the attempt to come */
  int32_t resent;
} fanfare_retry;

/* Blocks. Writes up to `capacity` retries, by due time, and how many there are. The size
 * of the first one must be set; it is that of all. */
FANFARE_C_API fanfare_code fanfare_list_retries(fanfare_engine *engine,
                                                uint32_t organizer,
                                                uint64_t webhook,
                                                fanfare_retry *out,
                                                size_t capacity, size_t *count,
                                                fanfare_error *error);
/* Block. Make all retries due now; end them; send a call's notification again. `count`
 * may be NULL. */
FANFARE_C_API fanfare_code fanfare_expedite_retries(fanfare_engine *engine,
                                                    uint32_t organizer,
                                                    uint64_t webhook,
                                                    size_t *count,
                                                    fanfare_error *error);
FANFARE_C_API fanfare_code fanfare_drop_retries(fanfare_engine *engine,
                                                uint32_t organizer,
                                                uint64_t webhook, size_t *count,
                                                fanfare_error *error);
/* The same, of one action only ("shop.order.paid"), or of what webhooks that are
 * subscribed to a wildcard get ("shop.order.*"). */
FANFARE_C_API fanfare_code fanfare_drop_retries_of(fanfare_engine *engine,
                                                   uint32_t organizer,
                                                   uint64_t webhook,
                                                   const char *action_type,
                                                   size_t *count,
                                                   fanfare_error *error);
FANFARE_C_API fanfare_code fanfare_resend(fanfare_engine *engine,
                                          uint32_t organizer, uint64_t webhook,
                                          uint64_t call, fanfare_error *error);

typedef enum fanfare_verdict {
  FANFARE_HEALTHY = 0,
  FANFARE_FAILING = 1,
  FANFARE_IDLE = 2,
  FANFARE_DISABLED = 3
} fanfare_verdict;

typedef struct fanfare_health {
  size_t size;
  int32_t verdict; /* a fanfare_verdict */
  int32_t backlog_complete;
  uint64_t calls; /* of the last 24 h, at most 1,000 */
  uint64_t successes;
  uint64_t retries;
  uint64_t backlog;     /* not attempted yet */
  int64_t next_retry;   /* 0: none */
  int64_t last_success; /* 0: none among the calls */
  uint64_t unclear;     /* of the calls: neither success nor failure */
} fanfare_health;

/* Blocks. */
FANFARE_C_API fanfare_code fanfare_get_health(fanfare_engine *engine,
                                              uint32_t organizer,
                                              uint64_t webhook,
                                              fanfare_health *out,
                                              fanfare_error *error);

typedef enum fanfare_replay_state {
  FANFARE_REPLAY_RUNNING = 0,
  FANFARE_REPLAY_DONE = 1,
  FANFARE_REPLAY_CANCELLED = 2
} fanfare_replay_state;

typedef struct fanfare_replay {
  size_t size;
  int32_t state; /* a fanfare_replay_state */
  uint64_t count;
  uint64_t skipped; /* because they wait anyway */
  uint64_t queued;  /* of `count`, handed over to delivery */
  uint64_t waiting; /* of those, neither delivered nor given up */
} fanfare_replay;

/* Blocks. Sends again all notifications published from `since` to before `until`, or
 * only those not delivered; `rate` per second, 0: as quickly as possible. `out` may be
 * NULL, else its size must be set. */
FANFARE_C_API fanfare_code fanfare_start_replay(
  fanfare_engine *engine, uint32_t organizer, uint64_t webhook, int64_t since,
  int64_t until, int only_failed, double rate, fanfare_replay *out,
  fanfare_error *error);
/* Blocks. The last one, even if it has ended. Fills `out`, which must not be NULL and
 * whose size must be set. not_found: there was none. */
FANFARE_C_API fanfare_code fanfare_find_replay(fanfare_engine *engine,
                                               uint32_t organizer,
                                               uint64_t webhook,
                                               fanfare_replay *out,
                                               fanfare_error *error);
/* Blocks. Cancels the running one. not_found: none runs. */
FANFARE_C_API fanfare_code fanfare_cancel_replay(fanfare_engine *engine,
                                                 uint32_t organizer,
                                                 uint64_t webhook,
                                                 fanfare_error *error);

#ifdef __cplusplus
}
#endif

#endif
