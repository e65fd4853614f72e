/* SPDX-FileCopyrightText: Fanfare contributors
 * SPDX-License-Identifier: Apache-2.0
 *
 * c_interface_test DIR: the interface for C as C programs see it. Prints each check
 * that fails, and ends with 1 if one did. */

#include "fanfare/fanfare.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int failures = 0;

#define CHECK(what)                                                            \
  do {                                                                         \
    if (!(what)) {                                                             \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

static fanfare_error error = {sizeof error, 0, "", ""};

#define OK(call)                                                               \
  do {                                                                         \
    if ((call) != FANFARE_OK) {                                                \
      printf("%s:%d: %s: %s %s\n", __FILE__, __LINE__, #call, error.detail,    \
             error.field);                                                     \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

/* What callbacks have seen; the engine calls them on one thread. */
static volatile unsigned long told_count = 0;
static volatile unsigned long told_errors = 0;
static volatile unsigned long calls_seen = 0;

static void on_published(void *user, uint64_t first, size_t count,
                         const fanfare_error *failed) {
  (void)first;
  if (user != (void *)&failures || (failed == NULL && count == 0))
    return;
  if (failed == NULL)
    told_count += count;
  else
    ++told_errors;
}

static void on_call(void *user, const fanfare_call *call) {
  (void)user;
  if (call->size == sizeof *call && call->target_url[0] != '\0')
    ++calls_seen;
}

static void pause_ms(long ms) {
  struct timespec t;
  t.tv_sec = ms / 1000;
  t.tv_nsec = ms % 1000 * 1000000;
  nanosleep(&t, NULL);
}

/* Waits, at most 30 s, until `*what` has reached `wanted`. */
static int reaches(volatile unsigned long *what, unsigned long wanted) {
  int i;
  for (i = 0; i < 3000 && *what < wanted; ++i)
    pause_ms(10);
  return *what >= wanted;
}

static void check_names(void) {
  CHECK(strcmp(fanfare_code_name(FANFARE_STORE_FULL), "store_full") == 0);
  CHECK(strcmp(fanfare_code_name(FANFARE_OUT_OF_MEMORY), "out_of_memory") == 0);
  CHECK(strcmp(fanfare_code_name(-1), "unknown") == 0);
  CHECK(strcmp(fanfare_code_name(17), "unknown") == 0);
  CHECK(strchr(fanfare_version(), '.') != NULL);
  fanfare_free_text(NULL);
  fanfare_free(NULL);
  fanfare_stop(NULL, 0);
  fanfare_free_calls(NULL);
  fanfare_free_webhooks(NULL);
}

static void check_options(const char *dir) {
  fanfare_options options;
  fanfare_engine *engine = NULL;
  struct {
    fanfare_options known;
    uint64_t later;
  } newer;

  CHECK(fanfare_start(NULL, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  memset(&options, 0, sizeof options);
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "size") == 0);
  fanfare_options_init(&options, sizeof options);
  CHECK(options.max_in_flight == 8);
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "data") == 0);
  options.data = dir;
  options.allow_networks = "127.0.0.0/8,nonsense";
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "allow_networks") == 0);
  CHECK(fanfare_start(&options, NULL, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(fanfare_start(&options, NULL, NULL) == FANFARE_INVALID_ARGUMENT);

  /* A program of a later version says something that is not known here. */
  memset(&newer, 0, sizeof newer);
  fanfare_options_init(&newer.known, sizeof newer);
  newer.known.data = dir;
  newer.later = 1;
  CHECK(fanfare_start(&newer.known, &engine, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "size") == 0);
  newer.later = 0;
  OK(fanfare_start(&newer.known, &engine, &error));
  fanfare_free(engine);
  /* One of an earlier version knows the first members only. */
  fanfare_options_init(&options, offsetof(fanfare_options, allow_networks));
  options.data = dir;
  OK(fanfare_start(&options, &engine, &error));
  fanfare_free(engine);
}

static void check_tracing(const char *dir) {
  fanfare_options options;
  fanfare_engine *engine = NULL;

  fanfare_options_init(&options, sizeof options);
  CHECK(options.trace_endpoint == NULL && options.trace_sample == 1);
  options.data = dir;
  options.trace_endpoint = "collector:4318";
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "trace_endpoint") == 0);
  CHECK(strncmp(error.detail, "trace_endpoint is no", 20) == 0);
  options.trace_endpoint = "http://127.0.0.1:9"; /* nobody listens there */
  options.trace_headers = "a=b\nc";
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "trace_headers") == 0);
  options.trace_headers = "a=b\nc=d\n";
  options.trace_sample = 2;
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "trace_sample") == 0);
  options.trace_sample = 0.5;
  options.trace_service_name = "shop";
  OK(fanfare_start(&options, &engine, &error));
  fanfare_free(engine);
}

/* Whether the call of a test, to a port that refuses, was made through a proxy. */
static int goes_through_proxy(const fanfare_options *options, uint64_t *hook) {
  fanfare_engine *engine = NULL;
  fanfare_webhook wanted;
  fanfare_calls *list = NULL;
  fanfare_call call;
  uint32_t shop = 0;
  int found = 0;

  OK(fanfare_start(options, &engine, &error));
  OK(fanfare_ensure_organizer(engine, "shop", &shop, &error));
  if (*hook == 0) {
    fanfare_webhook_init(&wanted, sizeof wanted);
    wanted.target_url = "http://127.0.0.1:9/";
    OK(fanfare_ensure_action_type(engine, "shop.order.*", &error));
    wanted.action_types = "shop.order.*";
    OK(fanfare_add_webhook(engine, shop, &wanted, hook, &error));
  }
  OK(fanfare_test_webhook(engine, shop, *hook, &list, &error));
  call.size = sizeof call;
  OK(fanfare_get_call(list, 0, &call, &error));
  CHECK(call.status == 0 && strstr(call.reason, "refused") != NULL);
  found = strstr(call.reason, "proxy") != NULL;
  fanfare_free_calls(list);
  fanfare_free(engine);
  return found;
}

static void check_changed_options(fanfare_engine *engine, const char *dir) {
  fanfare_options options;

  fanfare_options_init(&options, sizeof options);
  CHECK(options.without_builtin_types == 0);
  options.data = dir;
  options.allow_networks = "127.0.0.0/8";
  options.retention = 1000;
  OK(fanfare_change_options(engine, &options, &error));
  options.allow_networks = "127.0.0.1/8";
  CHECK(fanfare_change_options(engine, &options, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "allow_networks") == 0);
}

static void check_proxies(const char *dir) {
  fanfare_options options;
  fanfare_engine *engine = NULL;
  uint64_t hook = 0;

  fanfare_options_init(&options, sizeof options);
  CHECK(options.no_proxy == NULL && options.proxy_resolves == 0);
  options.data = dir;
  options.allow_networks = "127.0.0.0/8";
  options.no_proxy = "127.0.0.0/8";
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "no_proxy") == 0);
  CHECK(strncmp(error.detail, "no_proxy means", 14) == 0);
  options.proxy = "http://127.0.0.1:9";
  options.no_proxy = "shop.example,127.0.0.1:9";
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "no_proxy") == 0);
  options.no_proxy = NULL;
  CHECK(goes_through_proxy(&options, &hook));
  options.no_proxy = "shop.example,127.0.0.0/8";
  CHECK(!goes_through_proxy(&options, &hook));
  /* An earlier version has no such member, and what is behind it is not read. */
  options.size = offsetof(fanfare_options, no_proxy);
  CHECK(goes_through_proxy(&options, &hook));

  fanfare_options_init(&options, sizeof options);
  options.data = dir;
  options.proxy = "socks5h://127.0.0.1:9";
  CHECK(fanfare_start(&options, &engine, &error) == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "proxy") == 0);
  options.proxy_resolves = 1;
  OK(fanfare_start(&options, &engine, &error));
  fanfare_free(engine);
}

static void check_webhooks(fanfare_engine *engine, uint32_t shop,
                           uint64_t *id) {
  fanfare_webhook hook;
  fanfare_webhook found;
  fanfare_webhook shorter;
  fanfare_error small;
  fanfare_webhooks *list = NULL;
  char *secret = NULL;
  char *rotated = NULL;

  fanfare_webhook_init(&hook, sizeof hook);
  CHECK(fanfare_add_webhook(engine, shop, &hook, id, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "target_url") == 0);
  hook.target_url = "http://127.0.0.1:9/"; /* refuses connections */
  hook.action_types = "shop.order.*";
  hook.headers = "X-Key: secret\nX-Other: 1";
  hook.comment = "orders";
  hook.max_in_flight = 3;
  hook.rate_count = 100;
  hook.rate_period = 1000;
  hook.name = "orders";
  OK(fanfare_add_webhook(engine, shop, &hook, id, &error));
  CHECK(fanfare_add_webhook(engine, shop, &hook, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "delivery.name") == 0);
  hook.headers = "no header";
  CHECK(fanfare_add_webhook(engine, shop, &hook, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "delivery.headers") == 0);

  OK(fanfare_find_webhook(engine, shop, *id, &list, &error));
  CHECK(fanfare_count_webhooks(list) == 1);
  found.size = sizeof found;
  OK(fanfare_get_webhook(list, 0, &found, &error));
  CHECK(fanfare_get_webhook(list, 1, &found, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(found.id == *id && found.organizer == shop && found.enabled == 1);
  CHECK(strcmp(found.action_types, "shop.order.*") == 0);
  CHECK(strcmp(found.headers, "X-Key: ***\nX-Other: ***") == 0);
  CHECK(strcmp(found.name, "orders") == 0);
  CHECK(found.max_in_flight == 3 && found.rate_period == 1000);
  /* What was read may be handed back: hidden values stay. */
  found.comment = "changed";
  OK(fanfare_change_webhook(engine, shop, *id, &found, &error));
  fanfare_free_webhooks(list);
  OK(fanfare_list_webhooks(engine, shop, 0, 10, &list, &error));
  CHECK(fanfare_count_webhooks(list) == 1);
  OK(fanfare_get_webhook(list, 0, &found, &error));
  CHECK(strcmp(found.comment, "changed") == 0);
  CHECK(strcmp(found.headers, "X-Key: ***\nX-Other: ***") == 0);
  fanfare_free_webhooks(list);
  CHECK(fanfare_find_webhook(engine, shop, 99, &list, &error)
        == FANFARE_NOT_FOUND);
  /* A program of an earlier version leaves alone what it does not know of. */
  shorter.size = offsetof(fanfare_webhook, signing);
  OK(fanfare_find_webhook(engine, shop, *id, &list, &error));
  OK(fanfare_get_webhook(list, 0, &shorter, &error));
  shorter.comment = "by an earlier one";
  OK(fanfare_change_webhook(engine, shop, *id, &shorter, &error));
  fanfare_free_webhooks(list);
  OK(fanfare_find_webhook(engine, shop, *id, &list, &error));
  OK(fanfare_get_webhook(list, 0, &found, &error));
  CHECK(strcmp(found.comment, "by an earlier one") == 0);
  CHECK(strcmp(found.name, "orders") == 0);
  CHECK(found.max_in_flight == 3 && found.rate_period == 1000);
  CHECK(strcmp(found.headers, "X-Key: ***\nX-Other: ***") == 0);
  fanfare_free_webhooks(list);
  /* The same for errors. */
  small.size = offsetof(fanfare_error, detail);
  small.code = 0;
  small.detail[0] = '-';
  CHECK(fanfare_find_webhook(engine, shop, 99, &list, &small)
        == FANFARE_NOT_FOUND);
  CHECK(small.code == FANFARE_NOT_FOUND && small.detail[0] == '-');
  CHECK(fanfare_rotate_secret(engine, shop, *id, NULL, -1, NULL, &error)
          == FANFARE_INVALID_ARGUMENT
        && strcmp(error.field, "overlap") == 0);
  OK(fanfare_enable_webhook(engine, shop, *id, 0, &error));
  OK(fanfare_enable_webhook(engine, shop, *id, 1, &error));

  OK(fanfare_get_secret(engine, shop, *id, &secret, &error));
  CHECK(secret != NULL && strncmp(secret, "whsec_", 6) == 0);
  OK(fanfare_rotate_secret(engine, shop, *id, NULL, 1000, &rotated, &error));
  CHECK(rotated != NULL && strcmp(rotated, secret) != 0);
  fanfare_free_text(secret);
  fanfare_free_text(rotated);
}

static void check_publishing(fanfare_engine *engine, uint32_t shop) {
  fanfare_publication items[2];
  uint64_t first = 0;
  uint64_t again = 0;
  char *body = NULL;

  memset(items, 0, sizeof items);
  items[0].size = items[1].size = sizeof items[0];
  items[0].action = items[1].action = "shop.order.placed";
  items[0].payload = "{\"code\": \"A1\"}";
  OK(fanfare_publish(engine, shop, items, 2, &first, &error));
  CHECK(first == 1);
  OK(fanfare_get_body(engine, shop, 1, &body, &error));
  CHECK(body != NULL && strstr(body, "\"code\": \"A1\"") != NULL);
  fanfare_free_text(body);
  OK(fanfare_get_body(engine, shop, 2, &body, &error));
  CHECK(body != NULL && strstr(body, "code") == NULL);
  fanfare_free_text(body);
  OK(fanfare_try_publish(engine, shop, items, 2, on_published, &failures,
                         &error));
  OK(fanfare_try_publish(engine, shop, items, 1, on_published, &failures,
                         &error));
  CHECK(reaches(&told_count, 3));
  OK(fanfare_publish_once(engine, shop, "order 7", 7, items, 2, &first,
                          &error));
  OK(fanfare_publish_once(engine, shop, "order 7", 7, items, 2, &again,
                          &error));
  CHECK(first == again && first == 6);

  items[1].payload = "[]";
  CHECK(fanfare_publish(engine, shop, items, 2, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "payload") == 0);
  CHECK(strncmp(error.detail, "items[1]: ", 10) == 0);
  CHECK(fanfare_try_publish(engine, shop, items, 2, on_published, &failures,
                            &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(fanfare_publish(engine, shop, items, 0, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(fanfare_publish(engine, shop, NULL, 1, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(fanfare_publish(NULL, shop, items, 1, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(fanfare_try_publish(engine, shop, items, 1, NULL, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  items[0].action = "unknown";
  CHECK(fanfare_publish(engine, shop, items, 1, NULL, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "action") == 0);
}

static void check_calls(fanfare_engine *engine, uint32_t shop, uint64_t hook) {
  fanfare_calls *list = NULL;
  fanfare_call call;
  fanfare_retry retries[2];
  fanfare_health health;
  fanfare_replay replay;
  size_t count = 0;

  CHECK(reaches(&calls_seen, 6)); /* each notification once, refused */
  OK(fanfare_list_calls(engine, shop, hook, 0, 100, &list, &error));
  CHECK(fanfare_count_calls(list) >= 6);
  call.size = sizeof call;
  OK(fanfare_get_call(list, 0, &call, &error));
  CHECK(call.webhook == hook && call.outcome == FANFARE_RETRIED);
  CHECK(call.status == 0 && strstr(call.reason, "refused") != NULL);
  OK(fanfare_resend(engine, shop, hook, call.id, &error));
  fanfare_free_calls(list);

  retries[0].size = sizeof retries[0];
  OK(fanfare_list_retries(engine, shop, hook, retries, 2, &count, &error));
  CHECK(count >= 5);
  CHECK(retries[0].notification > 0 && retries[1].notification > 0);
  OK(fanfare_expedite_retries(engine, shop, hook, NULL, &error));
  health.size = sizeof health;
  OK(fanfare_get_health(engine, shop, hook, &health, &error));
  CHECK(health.verdict == FANFARE_FAILING && health.successes == 0);
  OK(fanfare_test_webhook(engine, shop, hook, &list, &error));
  CHECK(fanfare_count_calls(list) == 1);
  fanfare_free_calls(list);
  CHECK(fanfare_test_webhook(engine, shop + 1, hook, &list, &error)
        == FANFARE_NOT_FOUND);

  replay.size = sizeof replay;
  CHECK(fanfare_find_replay(engine, shop, hook, &replay, &error)
        == FANFARE_NOT_FOUND);
  CHECK(fanfare_start_replay(engine, shop, hook, 5, 5, 0, 0, &replay, &error)
        == FANFARE_INVALID_ARGUMENT);
  OK(fanfare_start_replay(engine, shop, hook, 0, INT64_C(4102444800000), 0, 1,
                          &replay, &error));
  OK(fanfare_find_replay(engine, shop, hook, &replay, &error));
  CHECK(replay.count + replay.skipped >= 6);
  if (replay.state == FANFARE_REPLAY_RUNNING)
    fanfare_cancel_replay(engine, shop, hook, &error);
  CHECK(fanfare_drop_retries_of(engine, shop, hook, "shop.cart", &count, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "action_type") == 0);
  CHECK(strstr(error.detail, "\"shop.cart\"") != NULL);
  CHECK(fanfare_drop_retries_of(engine, shop, hook, NULL, &count, &error)
        == FANFARE_INVALID_ARGUMENT);
  OK(fanfare_drop_retries_of(engine, shop, hook, "shop.order.paid", &count,
                             &error));
  CHECK(count == 0); /* they were of shop.order.placed */
  OK(fanfare_drop_retries_of(engine, shop, hook, "shop.order.*", &count,
                             &error));
  CHECK(count > 0);
  OK(fanfare_drop_retries_of(engine, shop, hook, "shop.order.placed", NULL,
                             &error));
  OK(fanfare_drop_retries(engine, shop, hook, &count, &error));
}

int main(int argc, char **argv) {
  fanfare_options options;
  fanfare_engine *engine = NULL;
  fanfare_engine *second = NULL;
  fanfare_statistics statistics;
  uint32_t shop = 0;
  uint64_t hook = 0;
  char *metrics = NULL;
  char other[1024];

  if (argc != 2 || strlen(argv[1]) > 1000)
    return 2;
  check_names();
  check_options(argv[1]);
  strcpy(other, argv[1]);
  strcat(other, "-3");
  check_proxies(other);
  check_tracing(other);

  fanfare_options_init(&options, sizeof options);
  options.data = argv[1];
  options.allow_networks = "127.0.0.0/8";
  options.on_call = on_call;
  OK(fanfare_start(&options, &engine, &error));
  if (engine == NULL)
    return 1;
  CHECK(fanfare_start(&options, &second, &error) == FANFARE_STORE_LOCKED);
  strcpy(other, argv[1]);
  strcat(other, "-2");
  options.data = other;
  OK(fanfare_start(&options, &second, &error)); /* beside the first one */
  fanfare_free(second);

  CHECK(fanfare_ready(engine) == 1);
  OK(fanfare_ensure_organizer(engine, "shop", &shop, &error));
  CHECK(fanfare_ensure_organizer(engine, "no slug", &shop, &error)
        == FANFARE_INVALID_ARGUMENT);
  CHECK(fanfare_ensure_organizer(engine, NULL, &shop, &error)
        == FANFARE_INVALID_ARGUMENT);
  OK(fanfare_ensure_action_type(engine, "shop.order.*", &error));
  OK(fanfare_ensure_event(engine, shop, "autumn", "Autumn", &error));
  OK(fanfare_ensure_event(engine, shop, "autumn", NULL, &error));
  check_webhooks(engine, shop, &hook);
  check_publishing(engine, shop);
  check_calls(engine, shop, hook);

  statistics.size = sizeof statistics;
  OK(fanfare_get_statistics(engine, &statistics, &error));
  CHECK(statistics.newest_notification >= 6);
  OK(fanfare_get_metrics(engine, &metrics, &error));
  CHECK(metrics != NULL && strstr(metrics, "fanfare_calls_total") != NULL);
  fanfare_free_text(metrics);
  fanfare_wake(engine);
  check_changed_options(engine, argv[1]);
  fanfare_stop(engine, 1000);
  CHECK(fanfare_ready(engine) == 0);
  CHECK(fanfare_ensure_action_type(engine, "shop.cart.*", &error)
        == FANFARE_STOPPING);
  fanfare_free(engine);
  CHECK(told_errors == 0);
  return failures == 0 ? 0 : 1;
}
