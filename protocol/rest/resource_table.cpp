// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resource_table.hpp"

#include "fanfare/types.hpp"
#include "protocol/rest/description/api_docs.hpp"
#include "protocol/rest/description/openapi.hpp"
#include "protocol/rest/description/start_page.hpp"
#include "protocol/rest/resources/backup.hpp"
#include "protocol/rest/resources/calls.hpp"
#include "protocol/rest/resources/filter_preview.hpp"
#include "protocol/rest/resources/health.hpp"
#include "protocol/rest/resources/idempotency_query.hpp"
#include "protocol/rest/resources/metrics.hpp"
#include "protocol/rest/resources/networks.hpp"
#include "protocol/rest/resources/notifications.hpp"
#include "protocol/rest/resources/probes.hpp"
#include "protocol/rest/resources/registry.hpp"
#include "protocol/rest/resources/replay.hpp"
#include "protocol/rest/resources/retries.hpp"
#include "protocol/rest/resources/secret.hpp"
#include "protocol/rest/resources/statistics.hpp"
#include "protocol/rest/resources/status.hpp"
#include "protocol/rest/resources/stream.hpp"
#include "protocol/rest/resources/tokens.hpp"
#include "protocol/rest/resources/webhooks.hpp"

namespace fanfare::protocol::rest {

namespace {

constexpr permissions hooks = permission_webhooks;
constexpr permissions publishers = permission_notifications;
constexpr permissions admins = permission_admin;
constexpr permissions log_readers = hooks | publishers;

constexpr std::string_view probe = "GET, HEAD";
constexpr std::string_view view = "GET, HEAD, OPTIONS";
constexpr std::string_view list = "GET, POST, HEAD, OPTIONS";
constexpr std::string_view settings = "GET, PATCH, HEAD, OPTIONS";
constexpr std::string_view one = "GET, PATCH, DELETE, HEAD, OPTIONS";
constexpr std::string_view action = "POST, OPTIONS";

constexpr bool unkeyed = false;
constexpr bool in_order = true;
constexpr bool as_text = true;

// path, title, methods, who reads, who writes, handler,
// what is answered from memory, whether it takes idempotency keys, metadata,
// whether posts keep their order, whether it answers with text
constexpr resource rows[] = {
  // The busiest first: the router takes them in this order.
  {"/api/v1/organizers/{organizer}/notifications/", "Notification List", list,
   log_readers, publishers, serve_notifications, from_memory::writes, true,
   nullptr, in_order},
  {"/api/v1/organizers/{organizer}/notifications/{id}/",
   "Notification Instance", view, log_readers, log_readers, serve_notification},

  // -- registry ---------------------------------------------------------------
  {"/api/v1/organizers/", "Organizer List", list, server_only, server_only,
   serve_organizers, from_memory::reads},
  {"/api/v1/organizers/{organizer}/", "Organizer Instance", one,
   log_readers | admins, server_only, serve_organizer, from_memory::reads},
  {"/api/v1/organizers/{organizer}/networks/", "Organizer Networks", settings,
   server_only, server_only, serve_networks},
  {"/api/v1/organizers/{organizer}/events/", "Event List", list, admins, admins,
   serve_events, from_memory::reads},
  {"/api/v1/organizers/{organizer}/events/{event}/", "Event Instance", one,
   admins, admins, serve_event, from_memory::reads},
  {"/api/v1/organizers/{organizer}/tokens/", "Token List", list, admins, admins,
   serve_tokens, from_memory::reads, unkeyed},
  {"/api/v1/organizers/{organizer}/tokens/{id}/", "Token Instance",
   "DELETE, OPTIONS", admins, admins, serve_token},
  {"/api/v1/action-types/", "Action Type List", list, any_token,
   permission_register_types, serve_action_types, from_memory::reads},

  // -- webhooks ---------------------------------------------------------------
  {"/api/v1/organizers/{organizer}/webhooks/", "Web Hook List", list, hooks,
   hooks, serve_webhooks, from_memory::options, true, describe_webhooks},
  // Its metadata says whether it exists, which is on disk.
  {"/api/v1/organizers/{organizer}/webhooks/{id}/", "Web Hook Instance",
   "GET, PUT, PATCH, DELETE, HEAD, OPTIONS", hooks, hooks, serve_webhook,
   from_memory::nothing, true, describe_webhook},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/delivery/", "Delivery",
   settings, hooks, hooks, serve_delivery},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/filter/preview/",
   "Filter Preview", action, hooks, hooks, serve_filter_preview},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/secret/", "Secret", view,
   hooks, hooks, serve_secret},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/secret/rotate/",
   "Secret Rotation", action, hooks, hooks, serve_secret_rotation,
   from_memory::options, unkeyed},

  // -- deliveries -------------------------------------------------------------
  {"/api/v1/organizers/{organizer}/calls/", "Call List of an Organizer", view,
   hooks, hooks, serve_calls_of_organizer},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/calls/", "Call List", view,
   hooks, hooks, serve_calls},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/calls/{call}/",
   "Call Instance", view, hooks, hooks, serve_call},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/calls/{call}/resend/",
   "Resend", action, hooks, hooks, serve_resend},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/retries/", "Retry List", view,
   hooks, hooks, serve_retries},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/retries/expedite/",
   "Expedite Retries", action, hooks, hooks, serve_expedite},
  {"/api/v1/organizers/{organizer}/retries/expedite/",
   "Expedite Retries of an Organizer", action, hooks, hooks,
   serve_expedite_all},
  {"/api/v1/retries/expedite/", "Expedite All Retries", action, server_only,
   server_only, serve_expedite_everywhere},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/retries/drop/", "Drop Retries",
   action, hooks, hooks, serve_drop},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/test/", "Test Call", action,
   hooks, hooks, serve_test},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/replay/", "Replay",
   "GET, POST, DELETE, HEAD, OPTIONS", hooks, hooks, serve_replay},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/health/", "Web Hook Health",
   view, hooks, hooks, serve_health},
  {"/api/v1/organizers/{organizer}/webhooks/{id}/statistics/",
   "Web Hook Statistics", view, hooks, hooks, serve_statistics},
  {"/api/v1/organizers/{organizer}/statistics/", "Statistics of an Organizer",
   view, hooks, hooks, serve_statistics_of_organizer},

  // What it shows without the permission for webhooks: notifications.
  {"/api/v1/organizers/{organizer}/stream/", "Stream", view, log_readers,
   log_readers, serve_stream, from_memory::options, true, nullptr, !in_order,
   as_text},

  // -- the server -------------------------------------------------------------
  {"/", "Start Page", probe, everybody, everybody, serve_start_page,
   from_memory::all},
  {"/api/v1/status/", "Status", view, server_only, server_only, serve_status},
  {"/api/v1/organizers/{organizer}/status/", "Status of an Organizer", view,
   hooks, hooks, serve_status},
  {"/api/v1/backup/", "Backup", action, server_only, server_only, serve_backup,
   from_memory::options, unkeyed},
  {"/healthz", "Health", probe, everybody, everybody, serve_healthz,
   from_memory::all},
  {"/readyz", "Readiness", probe, everybody, everybody, serve_readyz,
   from_memory::all},
  {"/metrics", "Metrics", probe, permission_metrics, server_only, serve_metrics,
   from_memory::nothing, unkeyed, nullptr, !in_order, as_text},
  {"/api/v1/idempotency_query", "Idempotency Query", probe, any_token,
   server_only, serve_idempotency_query, from_memory::all},
  {"/api/v1/openapi.json", "Description", probe, everybody, everybody,
   serve_openapi, from_memory::all},
  {"/api/docs/", "Description Page", probe, everybody, everybody,
   serve_api_docs, from_memory::all},
};

} // namespace

std::span<const resource> resource_table() {
  return rows;
}

} // namespace fanfare::protocol::rest
