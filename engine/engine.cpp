// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/engine.hpp"

#include "actors/admission.hpp"
#include "actors/batch_writer.hpp"
#include "actors/commit_queue.hpp"
#include "actors/committer.hpp"
#include "actors/janitor.hpp"
#include "actors/journal_reader.hpp"
#include "actors/lanes/lanes.hpp"
#include "actors/router.hpp"
#include "actors/supervisor.hpp"
#include "actors/webhook/backoff_timer.hpp"
#include "actors/webhook/order.hpp"
#include "actors/webhook/webhook.hpp"
#include "engine/counters.hpp"
#include "engine/directory.hpp"
#include "engine/explanation.hpp"
#include "engine/webhook_form.hpp"
#include "engine/webhook_health.hpp"
#include "engine/webhook_secrets.hpp"
#include "model/awaited.hpp"
#include "model/payload_filter.hpp"
#include "model/subscription.hpp"
#include "protocol/client/egress.hpp"
#include "protocol/client/http_client.hpp"
#include "protocol/dns/resolver.hpp"
#include "protocol/payload/json_text.hpp"
#include "protocol/payload/publication.hpp"
#include "protocol/payload/trace_context.hpp"
#include "protocol/rules/slug.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/security/vault.hpp"
#include "protocol/target/target.hpp"
#include "protocol/text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <string.h>
#include <sys/resource.h>

#include <algorithm>
#include <future>
#include <limits>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>

namespace fanfare {

namespace {

using namespace std::chrono_literals;

/// Longest wait for a commit before the engine is taken to be defective; a slow
/// disk answers sooner, a full one at once.
constexpr auto commit_patience = 60s;
/// How often the store is told which tokens were used: what a crash may lose.
constexpr auto token_uses_interval = 60s;
/// For logging the attempts that a stop cut short.
constexpr auto cancel_patience = 1s;
/// Reads that may wait for the disk at the same time.
constexpr std::size_t reader_threads = 2;
/// Beside these and the lanes, while it starts: its clock's, the committer's,
/// the one that makes it, CAF's, and some to spare.
constexpr std::size_t further_threads = 8;
/// Of the notifications that a replay would send, those that its preview names.
constexpr std::size_t preview_size = 10;
/// Notifications that a filter is tried on, and how far it looks for them.
constexpr std::size_t preview_notifications = 100;
constexpr std::size_t preview_scan = 100'000;
/// What a test says that happened.
constexpr std::string_view test_action = "fanfare.test";
/// Bytes that count against the commit queue for each publish, and for each of
/// its notifications besides what is sent.
constexpr std::size_t publish_overhead = 512;
constexpr std::size_t notification_overhead = 256;
/// Of an organizer's or event's name, in code points.
constexpr std::size_t name_limit = 200;

struct system_config : caf::actor_system_config {
  explicit system_config(std::size_t lanes) {
    set("scheduler.max-threads", lanes);
    load<lane_coordinator>();
  }
};

/// Connections a lane may have open: three quarters of the process's files
/// belong to the lanes, half of these to attempts, the others to connections
/// kept for later.
std::size_t files_per_lane(std::size_t lanes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::size_t>::max();
  return std::max<std::size_t>(16, limit.rlim_cur * 3 / 8 / lanes);
}

replay_progress show(const replay& r, std::size_t waiting) {
  return {.asked = r.asked,
          .state = r.state,
          .count = r.count,
          .skipped = r.skipped,
          .queued = r.queued,
          .waiting = waiting,
          .started = r.started,
          .ended = r.ended};
}

/// Calls what the program gave to the engine. What it throws must not end one
/// of the engine's threads.
template <class Call>
void call_program(const engine_options& options, std::string_view what,
                  Call&& call) {
  std::string thrown;
  try {
    call();
    return;
  } catch (const std::exception& e) {
    thrown = e.what();
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  if (options.log)
    options.log(log_level::error,
                std::string{what} + " of the program threw: " + thrown);
}

/// The program's edit of a stored value, which the committer runs while the
/// program waits. It may refer to what the program has on its stack, so it does
/// not run any more once the program has been answered.
template <class Value>
class lent_edit {
public:
  using function = std::function<result<void>(Value&)>;

  explicit lent_edit(function edit) : edit_(std::move(edit)) {}

  result<void> run(Value& value) {
    const std::lock_guard guard{mutex_};
    if (ended_)
      return error{ec::io_error, "Nobody waits for this change any more."};
    std::string thrown = "something that is no std::exception";
    try {
      return edit_(value);
    } catch (const std::exception& e) {
      thrown = e.what();
    } catch (...) {}
    return error{ec::invalid_argument,
                 "The edit threw, and nothing was changed: " + thrown + '.',
                 "edit"};
  }

  /// Waits for the one that runs.
  void end() {
    const std::lock_guard guard{mutex_};
    ended_ = true;
  }

private:
  std::mutex mutex_;
  function edit_;
  bool ended_ = false;
};

/// Tells a publisher the ids of what is on disk now.
struct answer_published {
  engine::published done;
  const engine_options* options;

  void operator()(storage::operation& op, const error* failure) const {
    if (done)
      call_program(*options, "The callback of a publish",
                   [&] { done(ids(op, failure)); });
  }

  static result<std::vector<position>> ids(storage::operation& op,
                                           const error* failure) {
    if (failure != nullptr)
      return *failure;
    auto& stored = std::get<storage::append_notifications>(op).done;
    if (!stored)
      return stored.error();
    std::vector<position> out;
    out.reserve(stored->size());
    for (const auto& n : *stored)
      out.push_back(n->id);
    return out;
  }
};

/// Tells a publisher under a key what is kept under it now.
struct answer_keyed {
  engine::answered done;
  publish_once once;
  const engine_options* options;

  void operator()(storage::operation& op, const error* failure) const {
    call_program(*options, "The callback of a publish",
                 [&] { done(outcome(op, failure)); });
  }

  [[nodiscard]] result<stored_answer> outcome(storage::operation& op,
                                              const error* failure) const {
    if (failure != nullptr)
      return *failure;
    auto& append = std::get<storage::append_notifications>(op);
    if (append.earlier)
      return *append.earlier;
    if (!append.done)
      return append.done.error();
    return stored_answer{publish_receipt{
      .first = append.done->empty() ? 0 : append.done->front()->id,
      .count = static_cast<std::uint32_t>(append.done->size()),
      .list = once.list,
      .indent = once.indent}};
  }
};

error cannot_start(const std::string& why) {
  return {ec::io_error, "Cannot start: " + why
                          + ". Raise the limits of this process (ulimit -n, -u "
                            "and -v; LimitNOFILE, TasksMax)."};
}

error cannot_wait() {
  return {
    ec::conflict,
    "A callback of the engine cannot wait for the engine, which waits for "
    "it. Use try_publish, or do it on another thread."};
}

error overloaded() {
  return {ec::overloaded,
          "Too much waits for the disk. Publish again in a moment."};
}

/// The name of an organizer, event or token.
result<void> check_name(std::string_view name) {
  if (name.empty() || protocol::count_code_points(name) > name_limit
      || !protocol::is_plain_text(name))
    return error{ec::invalid_argument,
                 "A name has 1 to " + std::to_string(name_limit)
                   + " characters of UTF-8, none of them NUL.",
                 "name"};
  return {};
}

/// The slug and name of an organizer or event.
result<void> check_names(std::string_view slug, std::string_view name) {
  if (!protocol::is_slug(slug))
    return error{ec::invalid_argument, std::string{protocol::slug_rule},
                 "slug"};
  return check_name(name);
}

result<std::vector<protocol::network>>
read_networks(const std::vector<std::string>& texts, std::string_view field) {
  std::vector<protocol::network> out;
  for (const auto& text : texts) {
    const auto parsed = protocol::network::parse(text);
    if (!parsed)
      return error{parsed.error().code, parsed.error().detail,
                   std::string{field}};
    out.push_back(*parsed);
  }
  return out;
}

/// What may be changed of an organizer.
result<void> check_organizer(const organizer& changed) {
  if (auto fine = check_name(changed.name); !fine)
    return fine;
  if (auto read = read_networks(changed.allow_networks, "allow_networks");
      !read)
    return read.error();
  if (auto read = read_networks(changed.deny_networks, "deny_networks"); !read)
    return read.error();
  return {};
}

error no_such_organizer(organizer_id id) {
  return {ec::not_found, "There is no organizer " + std::to_string(id) + ".",
          "organizer"};
}

/// With a clock, and with nothing to be called that throws.
engine_options completed(engine_options options) {
  if (!options.clock)
    options.clock = std::make_shared<const system_wall_clock>();
  // What these throw cannot be told to anybody.
  if (options.log)
    options.log = [to = std::move(options.log)](log_level level,
                                                const std::string& line) {
      try {
        to(level, line);
      } catch (...) {}
    };
  if (options.on_fatal)
    options.on_fatal =
      [to = std::move(options.on_fatal)](const std::string& why) {
        try {
          to(why);
        } catch (...) {}
      };
  return options;
}

class engine_implementation final : public engine {
public:
  explicit engine_implementation(engine_options options)
    : options_(completed(std::move(options))) {}

  ~engine_implementation() override {
    stop(0ms);
  }

  result<void> begin();

  // -- publishing -------------------------------------------------------------

  result<void> try_publish(organizer_id owner, std::vector<publication>&& items,
                           published&& done) override;
  result<void> publish_waiting(organizer_id owner,
                               std::vector<publication>&& items,
                               published&& done) override;
  result<std::vector<position>>
  publish_and_wait(organizer_id owner, std::vector<publication> items) override;
  void publish_keyed(organizer_id owner, std::vector<publication> items,
                     publish_once once, answered done) override;
  result<stored_answer> publish_keyed_and_wait(organizer_id owner,
                                               std::vector<publication> items,
                                               publish_once once) override;
  void remember_answer(const idempotency_key& key, plain_answer answer,
                       answered done) override;
  result<stored_answer_ptr> find_answer(const idempotency_key& key) override {
    return store_->find_answer(key, clock_.now());
  }
  result<notification_ptr> find_notification(organizer_id owner,
                                             position id) override;

  [[nodiscard]] std::optional<organizer>
  find_organizer(std::string_view slug) const override {
    return directory_.find_organizer(slug);
  }
  [[nodiscard]] std::vector<organizer> organizers() const override {
    return directory_.organizers();
  }
  result<organizer> add_organizer(std::string slug, std::string name) override {
    if (auto fine = check_names(slug, name); !fine)
      return fine.error();
    return change(
      storage::add_organizer{.slug = std::move(slug), .name = std::move(name)});
  }
  result<organizer>
  change_organizer(organizer_id id,
                   std::function<result<void>(organizer&)> edit) override {
    const auto lent = std::make_shared<lent_edit<organizer>>(std::move(edit));
    auto changed = change(storage::change_organizer{
      .id = id, .edit = [lent](organizer& o) -> result<void> {
        auto wanted = o;
        if (auto edited = lent->run(wanted); !edited)
          return edited;
        if (auto fine = check_organizer(wanted); !fine)
          return fine;
        o = std::move(wanted);
        return {};
      }});
    lent->end();
    return changed;
  }
  [[nodiscard]] std::optional<event>
  find_event(organizer_id owner, std::string_view slug) const override {
    return directory_.find_event(owner, slug);
  }
  [[nodiscard]] std::optional<event> find_event(event_id id) const override {
    return directory_.find_event(id);
  }
  [[nodiscard]] std::vector<event> events(organizer_id owner) const override {
    return directory_.events(owner);
  }
  result<event> add_event(organizer_id owner, std::string slug,
                          std::string name) override {
    if (auto fine = check_names(slug, name); !fine)
      return fine.error();
    if (auto known = check_owner(owner); !known)
      return known.error();
    return change(storage::add_event{
      .owner = owner, .slug = std::move(slug), .name = std::move(name)});
  }
  [[nodiscard]] std::optional<action_type>
  find_action_type(std::string_view name) const override {
    return directory_.find_action_type(name);
  }
  [[nodiscard]] std::vector<action_type> action_types() const override {
    return directory_.action_types();
  }
  result<action_type> add_action_type(std::string name) override {
    if (auto valid = protocol::check_action_type_name(name); !valid)
      return valid.error();
    if (protocol::is_own_action(name))
      return error{ec::invalid_argument,
                   "Names that begin with \"fanfare.\" are the engine's own.",
                   "name"};
    return change(storage::add_action_type{.name = std::move(name)});
  }

  [[nodiscard]] std::shared_ptr<const token>
  find_token(std::string_view key) const override {
    return directory_.find_token(protocol::hash_token_key(key), clock_.now());
  }
  [[nodiscard]] std::vector<token> tokens(organizer_id owner) const override {
    return directory_.tokens(owner);
  }
  result<issued_token> add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions) override;
  result<void> revoke_token(organizer_id owner, token_id id) override {
    auto revoked = change(storage::revoke_token{.owner = owner, .id = id});
    if (!revoked)
      return revoked.error();
    return {};
  }

  result<webhook> add_webhook(organizer_id owner, webhook value) override;
  result<webhook>
  change_webhook(organizer_id owner, webhook_id id,
                 std::function<result<void>(webhook&)> edit) override;
  [[nodiscard]] result<std::string>
  reveal(const secret_text& text) const override {
    return vault_.open(text);
  }
  result<secret_view> find_secret(organizer_id owner,
                                  webhook_id hook) override {
    const auto found = find_record(owner, hook);
    return found ? secrets_.show(*found, clock_.now()) : found.error();
  }
  result<secret_view> rotate_secret(organizer_id owner, webhook_id hook,
                                    secret_rotation how) override;
  result<filter_preview> preview_filter(organizer_id owner, webhook_id hook,
                                        std::string filter) override;
  result<webhook> find_webhook(organizer_id owner, webhook_id id) override {
    const auto found = find_record(owner, id);
    return found ? result<webhook>{form_.show(*found)} : found.error();
  }
  result<std::vector<webhook>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) override;
  result<std::size_t> count_webhooks(organizer_id owner,
                                     std::optional<bool> enabled) override {
    return store_->count_webhooks(owner, enabled);
  }

  result<std::vector<call>> calls(organizer_id owner, webhook_id hook,
                                  call_id before, std::size_t limit) override {
    if (auto own = find_record(owner, hook); !own)
      return own.error();
    return store_->calls(hook, before, limit);
  }
  result<call> find_call(organizer_id owner, webhook_id hook,
                         call_id id) override {
    if (auto own = find_record(owner, hook); !own)
      return own.error();
    return store_->find_call(hook, id);
  }
  result<std::vector<retry>> retries(organizer_id owner,
                                     webhook_id hook) override {
    if (auto own = find_record(owner, hook); !own)
      return own.error();
    return store_->retries(hook);
  }

  result<retry> resend(organizer_id owner, webhook_id hook,
                       call_id id) override;
  result<std::size_t> expedite_retries(organizer_id owner,
                                       webhook_id hook) override {
    return order<expedite_order, std::size_t>(owner, hook);
  }
  result<std::size_t> drop_retries(organizer_id owner,
                                   webhook_id hook) override {
    return order<drop_order, std::size_t>(owner, hook);
  }
  void test_webhook(const organizer& owner, webhook_id hook,
                    tested done) override;

  result<replay_preview> preview_replay(organizer_id owner, webhook_id hook,
                                        replay_request asked) override;
  result<replay_progress> start_replay(organizer_id owner, webhook_id hook,
                                       replay_request asked) override;
  result<replay_progress> find_replay(organizer_id owner,
                                      webhook_id hook) override;
  result<void> cancel_replay(organizer_id owner, webhook_id hook) override {
    const auto ended = order<cancel_order, replay>(owner, hook);
    return ended ? result<void>{} : ended.error();
  }

  result<delivery_state> inspect(organizer_id owner, webhook_id hook) override {
    return order<inspect_order, delivery_state>(owner, hook);
  }
  result<webhook_health> health(organizer_id owner, webhook_id hook) override {
    const auto found = find_record(owner, hook);
    if (!found)
      return found.error();
    return measure_health(*store_, *found, clock_.now());
  }
  result<std::vector<explanation>> explain(const notification& what,
                                           std::size_t offset,
                                           std::size_t limit) override;
  result<explanation> explain(const notification& what,
                              webhook_id hook) override {
    const auto found = find_record(what.owner, hook);
    if (!found)
      return found.error();
    return explain_now(*found, what);
  }

  [[nodiscard]] bool ready() const override {
    return state_.load() == state::running && !commits_.failing();
  }

  [[nodiscard]] std::vector<metric> metrics() const override;
  void wake() override;
  void stop(std::chrono::milliseconds deadline) override;
  [[nodiscard]] engine_statistics statistics() const override;

private:
  enum class state { starting, running, stopping, stopped };

  /// What one lane's actors share with its thread.
  struct station {
    std::unique_ptr<protocol::http_client> wire;
    std::shared_ptr<webhook_context> context;
  };

  result<void> check_options();
  /// What secrets are sealed with; erases it from the options.
  result<void> read_keys();
  /// Whether as many threads can be made as it needs.
  result<void> check_threads();
  result<void> add_builtin_types();
  /// Whether the secrets on disk can be read, and says how they are kept.
  result<void> check_secrets();
  void start_stations();
  result<void> start_actors();
  void arm_checkpoint();
  /// The organizer's networks, beside those of the options, as a fence.
  result<void> fence(const organizer& o);
  /// What happened to a webhook, for those that are subscribed to it. Any
  /// thread.
  void tell(const webhook_record& hook, std::string_view action,
            std::string members);
  result<explanation> explain_now(const webhook_record& hook,
                                  const notification& what);
  /// Has the store note which tokens were used since the last time. Any thread.
  void save_token_uses();
  /// Commits one change of the registry and returns what became of it. Blocks.
  template <class Operation>
  auto change(Operation op) -> decltype(op.done);
  /// Notifications on their way into the commit queue.
  struct drafted {
    storage::append_notifications append;
    std::size_t bytes = 0;
    std::vector<bool> was_rendered; ///< by the publisher
  };
  result<drafted> draft_all(organizer_id owner,
                            std::vector<publication>& items);
  /// What the publications of one call share.
  struct drafting {
    organizer_id owner = 0;
    std::string slug; ///< of the organizer
    /// Made for the first that has to be rendered: what came by REST is
    /// already.
    std::optional<protocol::publication_renderer> renderer = {};
    /// Of the one at hand, if they are known.
    std::optional<directory::names> names = {};
  };
  /// Checks one; with its `rest` if it has to be rendered.
  result<storage::draft> draft_one(drafting& shared, const publication& item);
  /// Publishes by `push`, which is given what push_publish takes and says
  /// whether it was taken. If not, `items` and `done` are as they were.
  template <class Push>
  result<void> publish_within(organizer_id owner,
                              std::vector<publication>& items, published& done,
                              Push push);
  template <class Push>
  void publish_keyed_within(organizer_id owner, std::vector<publication>& items,
                            const publish_once& once, answered done, Push push);
  /// Gives the publisher back what draft_all took.
  static void give_back(drafted& what, std::vector<publication>& items);
  /// False: too much waits for the disk, for a patient one a part of that;
  /// `what` and `done` are as they were.
  bool push_publish(drafted& what, commit_queue::completion& done,
                    bool patient = false);
  /// The same, after it has waited for room.
  bool push_patiently(drafted& what, commit_queue::completion& done);
  /// The same for a thread that will do nothing until they are on disk: it
  /// writes them itself if nobody else writes.
  bool write_or_wait(drafted& what, commit_queue::completion& done);
  template <class Hand>
  bool hand_over(drafted& what, commit_queue::completion& done, Hand hand);
  /// Ids are given in turn: what was made for one that does not exist would
  /// belong to whoever comes next.
  [[nodiscard]] result<void> check_owner(organizer_id id) const {
    if (directory_.find_slug(id).empty())
      return no_such_organizer(id);
    return {};
  }
  result<webhook_record> find_record(organizer_id owner, webhook_id id);
  /// Nothing, once it is stopped. Any thread.
  template <class... Message>
  void tell_router(Message&&... message) {
    const std::lock_guard guard{order_mutex_};
    if (router_)
      caf::anon_send(router_, std::forward<Message>(message)...);
  }
  /// Has the webhook's actor carry something out. False: the engine is
  /// stopping.
  bool send_order(webhook_id hook, webhook_order what);
  /// The same, and waits for what became of it. `known` are the order's members
  /// that are known.
  template <class Order, class Answer, class... Known>
  result<Answer> order(organizer_id owner, webhook_id hook, Known... known);
  /// The webhook, and all that a replay of it would send as of now.
  struct planned_replay {
    webhook_record hook;
    replay value;
    std::shared_ptr<const storage::selection> chosen;
  };
  result<planned_replay> plan_replay(organizer_id owner, webhook_id hook,
                                     replay_request asked);
  /// Ends all exchanges; those under way fail as cancelled.
  void close_wires(std::chrono::milliseconds patience);
  /// Waits until everything in the commit queue so far is on disk. False: not
  /// in time.
  bool flush(std::chrono::milliseconds patience);
  void log(log_level level, const std::string& text) const {
    if (options_.log)
      options_.log(level, text);
  }

  engine_options options_;
  const wall_clock& clock_{*options_.clock};
  protocol::address_policy policy_;
  protocol::vault vault_;
  webhook_secrets secrets_{vault_};
  engine_counters counters_;
  bool measured_ = false; ///< the registry knows this engine
  std::shared_ptr<const protocol::proxy> proxy_;
  std::mutex fences_mutex_;
  std::unordered_map<organizer_id, delivery_defaults::fence> fences_;
  std::atomic<std::uint64_t> fence_changes_{0};
  std::shared_ptr<protocol::tls_settings> tls_;
  std::atomic<state> state_{state::starting};
  std::atomic<bool> draining_{false};
  std::atomic<position> routed_upto_{0};
  std::atomic<std::size_t> registered_webhooks_{0};
  std::atomic<std::size_t> active_webhooks_{0};
  std::atomic<std::size_t> in_flight_{0};
  std::mutex stop_mutex_;
  /// The earliest time that a caller of `stop` has given.
  std::atomic<std::chrono::steady_clock::time_point> stop_by_{
    std::chrono::steady_clock::time_point::max()};
  std::mutex order_mutex_; ///< for those who speak to router_
  directory directory_;
  webhook_form form_{directory_, vault_};
  // The order of destruction matters from here on: actors use what stands above
  // them.
  std::unique_ptr<storage::store> store_;
  commit_queue commits_;
  std::unique_ptr<batch_writer> writer_;
  std::unique_ptr<store_reader> reader_;
  std::unique_ptr<system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<station> stations_;
  std::unique_ptr<boost::asio::steady_timer> checkpoint_timer_;
  /// Of the checkpoint timer's thread.
  std::chrono::steady_clock::time_point token_uses_saved_;
  committer_actor committer_;
  router_actor router_;
  supervisor_actor supervisor_;
};

// -- start --------------------------------------------------------------------

/// Longest of all durations: no sum with a time overflows. It is for ever.
constexpr std::chrono::days longest{36'500};
/// Of what is counted in memory.
constexpr std::size_t most_in_memory = 1'000'000;
/// Delays of a schedule, as those of a webhook.
constexpr std::size_t longest_schedule = 100;
/// Of what a process can map.
constexpr std::size_t largest_store = std::size_t{1} << 46;

error out_of_range(std::string_view name, std::string_view rule) {
  return {ec::invalid_argument,
          std::string{name} + " must be " + std::string{rule},
          std::string{name}};
}

template <class Duration>
result<void> not_negative(std::string_view name, Duration value) {
  if (value < Duration::zero())
    return out_of_range(name, "zero or more");
  if (value > longest)
    return out_of_range(name, "at most 36500 days");
  return {};
}

template <class Duration>
result<void> positive(std::string_view name, Duration value) {
  if (value <= Duration::zero())
    return out_of_range(name, "greater than zero");
  return not_negative(name, value);
}

result<void>
positive(std::string_view name, std::size_t value,
         std::size_t most = std::numeric_limits<std::size_t>::max()) {
  if (value == 0)
    return out_of_range(name, "greater than zero");
  if (value > most)
    return out_of_range(name, "at most " + std::to_string(most));
  return {};
}

result<void> engine_implementation::check_options() {
  if (options_.data.empty()
      || options_.data.native().find('\0') != std::string::npos)
    return error{ec::invalid_argument, "data must be the path of a directory",
                 "data"};
  const auto& o = options_;
  for (auto checked :
       {positive("max_age", o.max_age), positive("retention", o.retention),
        positive("retention_interval", o.retention_interval),
        positive("max_in_flight", o.max_in_flight, most_in_memory),
        positive("window", o.window, most_in_memory),
        positive("max_per_destination", o.max_per_destination),
        positive("max_per_organizer", o.max_per_organizer),
        positive("breaker_pause", o.breaker_pause),
        positive("breaker_longest", o.breaker_longest),
        positive("dns_timeout", o.dns_timeout),
        positive("connect_timeout", o.connect_timeout),
        positive("tls_timeout", o.tls_timeout),
        positive("first_byte_timeout", o.first_byte_timeout),
        positive("total_timeout", o.total_timeout),
        positive("checkpoint_interval", o.checkpoint_interval),
        positive("max_store_size", o.max_store_size, largest_store),
        not_negative("disable_after", o.disable_after),
        not_negative("commit_linger", o.commit_linger),
        not_negative("publish_patience", o.publish_patience)})
    if (!checked)
      return checked;
  for (const auto& observer : options_.call_observers)
    if (!observer)
      return error{ec::invalid_argument, "a call observer is empty",
                   "call_observers"};
  if (options_.threads > 256)
    return error{ec::invalid_argument, "threads must be at most 256",
                 "threads"};
  if (options_.threads == 0)
    options_.threads = std::clamp(std::thread::hardware_concurrency(), 1U,
                                  256U);
  if (options_.schedule.size() > longest_schedule)
    return out_of_range(
      "schedule", "of at most " + std::to_string(longest_schedule) + " delays");
  for (auto delay : options_.schedule)
    if (auto checked = not_negative("schedule", delay); !checked)
      return checked;
  auto allowed = read_networks(options_.allow_networks, "allow_networks");
  if (!allowed)
    return allowed.error();
  auto denied = read_networks(options_.deny_networks, "deny_networks");
  if (!denied)
    return denied.error();
  policy_ = protocol::address_policy{std::move(*allowed), std::move(*denied)};
  if (auto read = read_keys(); !read)
    return read;
  for (const auto& text : options_.dns_servers)
    if (!protocol::is_name_server(text))
      return error{ec::invalid_argument,
                   "\"" + text
                     + "\" is no name server: give its address, with "
                       "a port if it is not 53",
                   "dns_servers"};
  if (!options_.proxy.empty()) {
    auto parsed = protocol::proxy::parse(options_.proxy);
    if (!parsed)
      return error{parsed.error().code, parsed.error().detail, "proxy"};
    parsed->fenced = false; // its operator knows where it is
    proxy_ = std::make_shared<const protocol::proxy>(std::move(*parsed));
  }
  auto tls = protocol::tls_settings::make(options_.ca_file);
  if (!tls)
    return error{tls.error().code, tls.error().detail, "ca_file"};
  tls_ = std::move(*tls);
  return {};
}

result<void> engine_implementation::read_keys() {
  auto& text = options_.secret_keys;
  const bool in_file = !options_.secret_key_file.empty();
  if (in_file && !text.empty())
    return error{ec::invalid_argument,
                 "Give secret_keys or secret_key_file, not both.",
                 "secret_key_file"};
  if (in_file || !text.empty()) {
    auto made = in_file ? protocol::vault::from_file(options_.secret_key_file)
                        : protocol::vault::from_text(text);
    ::explicit_bzero(text.data(), text.size());
    text.clear();
    if (!made)
      return error{made.error().code, made.error().detail,
                   in_file ? "secret_key_file" : "secret_keys"};
    vault_ = std::move(*made);
  }
  return {};
}

result<void> engine_implementation::begin() {
  if (auto valid = check_options(); !valid)
    return valid;
  auto opened = storage::open_embedded(options_.data,
                                       {.max_size = options_.max_store_size});
  if (!opened)
    return opened.error();
  store_ = std::move(*opened);
  if (auto added = add_builtin_types(); !added)
    return added;
  if (auto loaded = directory_.load(*store_); !loaded)
    return loaded;
  for (const auto& o : directory_.organizers())
    if (auto fenced = fence(o); !fenced)
      return fenced;
  if (auto readable = check_secrets(); !readable)
    return readable;
  if (auto enough = check_threads(); !enough)
    return enough;
  reader_ = std::make_unique<store_reader>(*store_, reader_threads);
  config_ = std::make_unique<system_config>(options_.threads);
  // On a thread that ends at once. Each thread that makes the system or spawns
  // keeps CAF's logger until its end, and the end of the system waits for that
  // of the logger: else only the thread that starts an engine could stop it.
  auto started = std::async(std::launch::async, [this] {
    system_ = std::make_unique<caf::actor_system>(*config_);
    // Actors are ended explicitly; one that still runs must not keep the
    // process.
    system_->await_actors_before_shutdown(false);
    start_stations();
    return start_actors();
  });
  if (auto done = started.get(); !done)
    return done;
  state_ = state::running;
  if (options_.metrics) {
    std::string thrown = "something that is no std::exception";
    try {
      options_.metrics->add(this, [this] { return metrics(); });
      measured_ = true;
    } catch (const std::exception& e) {
      thrown = e.what();
    } catch (...) {}
    if (!measured_)
      return error{ec::invalid_argument,
                   "The metrics registry threw: " + thrown, "metrics"};
  }
  return {};
}

result<void> engine_implementation::check_threads() {
  // CAF and Asio do not survive that one of theirs cannot be made, so as many
  // are made for a moment.
  const auto wanted = options_.threads + reader_threads + further_threads;
  std::vector<std::jthread> made;
  made.reserve(wanted);
  std::promise<void> over;
  const auto wait = [end = over.get_future().share()] { end.wait(); };
  std::string why;
  try {
    while (made.size() < wanted)
      made.emplace_back(wait);
  } catch (const std::system_error& e) {
    why = e.code().message();
  }
  over.set_value();
  if (why.empty())
    return {};
  return error{ec::io_error,
               "Cannot make more than " + std::to_string(made.size()) + " of "
                 + std::to_string(wanted) + " threads: " + why
                 + ". Raise the limits of this process (ulimit -u and -v, "
                   "TasksMax) or give fewer threads."};
}

result<void> engine_implementation::add_builtin_types() {
  const auto known = store_->action_types();
  if (!known)
    return known.error();
  std::vector<storage::operation> missing;
  for (const auto names :
       {protocol::builtin_action_types(), protocol::own_action_types()})
    for (const auto name : names)
      if (std::ranges::find(*known, name, &action_type::name) == known->end())
        missing.emplace_back(
          storage::add_action_type{.name = std::string{name}});
  if (missing.empty())
    return {};
  return store_->commit(missing);
}

void engine_implementation::start_stations() {
  auto& lanes = lane_coordinator::of(*system_).lanes();
  const auto seed = std::random_device{}();
  for (auto& l : lanes) {
    station s;
    protocol::http_client_options wire;
    wire.policy = policy_;
    wire.tls = tls_;
    wire.via = proxy_;
    if (!options_.dns_servers.empty())
      wire.names = protocol::make_system_resolver(
        l->io(), {.servers = options_.dns_servers});
    wire.max_idle = std::min(wire.max_idle, files_per_lane(lanes.size()));
    s.wire = std::make_unique<protocol::http_client>(l->io(), std::move(wire));
    s.context = std::make_shared<webhook_context>();
    auto& c = *s.context;
    auto& d = c.defaults;
    if (!options_.schedule.empty())
      d.backoff.schedule = options_.schedule;
    d.backoff.max_age = options_.max_age;
    d.limits.dns = options_.dns_timeout;
    d.limits.connect = options_.connect_timeout;
    d.limits.tls = options_.tls_timeout;
    d.limits.first_byte = options_.first_byte_timeout;
    d.limits.total = options_.total_timeout;
    d.pace.cap = options_.max_in_flight;
    d.pace.breaker_failures = options_.breaker_failures;
    d.pace.breaker_pause = options_.breaker_pause;
    d.pace.breaker_longest = options_.breaker_longest;
    d.vault = &vault_;
    d.fence_of = [this](organizer_id id) {
      const std::lock_guard guard{fences_mutex_};
      const auto found = fences_.find(id);
      return found == fences_.end() ? delivery_defaults::fence{}
                                    : found->second;
    };
    c.disable_after = options_.disable_after;
    c.fences = &fence_changes_;
    c.tell = [this](const webhook_record& hook, std::string_view action,
                    std::string members) {
      tell(hook, action, std::move(members));
    };
    c.window = options_.window;
    c.wire = s.wire.get();
    admission_limits bounds;
    bounds.hard_total = std::min(bounds.hard_total,
                                 files_per_lane(lanes.size()));
    bounds.total = std::min(bounds.total,
                            std::max<std::size_t>(1, bounds.hard_total / 4));
    // A webhook stays on its lane: the lane's share must do for one.
    const auto share = [&lanes, this](std::size_t all) {
      return std::max({std::size_t{1}, all / lanes.size(),
                       std::min(all, options_.max_in_flight)});
    };
    bounds.per_destination = share(options_.max_per_destination);
    bounds.per_organizer = std::min(share(options_.max_per_organizer),
                                    bounds.total);
    c.gate = admission::make(l->io(), bounds);
    c.make_timer = [&io = l->io(), this](const webhook_actor& who) {
      return std::make_unique<backoff_timer>(io, clock_, who);
    };
    c.commits = &commits_;
    c.reader = reader_.get();
    c.clock = &clock_;
    c.in_flight = &in_flight_;
    c.draining = &draining_;
    c.seed = seed;
    stations_.push_back(std::move(s));
  }
}

result<void> engine_implementation::start_actors() {
  auto& lanes = lane_coordinator::of(*system_).lanes();
  auto to_log = [this](log_level level, const std::string& text) {
    log(level, text);
  };

  batch_writer_config write;
  write.store = store_.get();
  write.observe = [this](const storage::operation& op) {
    directory_.observe(op);
    counters_.observe(op);
    if (const auto* call = std::get_if<storage::append_call>(&op))
      for (const auto& observer : options_.call_observers)
        call_program(options_, "A call observer",
                     [&] { observer(call->entry); });
    if (const auto* changed = std::get_if<storage::change_organizer>(&op);
        changed != nullptr && changed->done)
      (void)fence(*changed->done); // was checked before it was stored
  };
  write.publish = [this](committed_ptr news) {
    tell_router(atom::route_v, std::move(news));
  };
  write.routed_upto = &routed_upto_;
  writer_ = std::make_unique<batch_writer>(std::move(write));

  committer_config commit;
  commit.writer = writer_.get();
  commit.queue = &commits_;
  commit.log = to_log;
  commit.linger = options_.commit_linger;
  // The router and the supervisor are told of each other before either gets a
  // message.
  committer_ = system_->spawn<committer, caf::detached>(std::move(commit));
  commits_.attach(committer_);

  std::promise<result<void>> begun;
  router_config route;
  route.store = store_.get();
  route.commits = &commits_;
  route.clock = &clock_;
  route.draining = &draining_;
  route.reader = reader_.get();
  route.log = to_log;
  route.start_webhook = [this, &lanes](std::shared_ptr<webhook_slot> slot,
                                       position read_upto) {
    const auto i = slot->id % lanes.size();
    return spawn_on<webhook_worker>(
      *lanes[i], std::shared_ptr<const webhook_context>{stations_[i].context},
      std::move(slot), read_upto);
  };
  route.watch = [this](webhook_id id, const webhook_actor& actor) {
    caf::anon_send(supervisor_, atom::watch_v, id,
                   caf::actor_cast<caf::strong_actor_ptr>(actor));
  };
  route.window = options_.window;
  route.idle_checkpoints = options_.idle_checkpoints;
  route.begun = [&begun](const error* failure) {
    begun.set_value(failure != nullptr ? result<void>{*failure}
                                       : result<void>{});
  };
  route.routed_upto = &routed_upto_;
  route.registered_webhooks = &registered_webhooks_;
  route.active_webhooks = &active_webhooks_;
  router_ = spawn_on<router>(*lanes[0], std::move(route));

  supervisor_config watch;
  watch.log = to_log;
  watch.vital = {
    {"committer", caf::actor_cast<caf::strong_actor_ptr>(committer_)},
    {"router", caf::actor_cast<caf::strong_actor_ptr>(router_)}};
  watch.escalate = [this](const std::string& why) {
    log(log_level::error, why);
    // What cannot be written or routed any more is refused, not kept waiting.
    draining_ = true;
    commits_.set_failing(true);
    commits_.close();
    if (options_.on_fatal)
      options_.on_fatal(why);
  };
  watch.revive = [this](webhook_id id) { tell_router(atom::revive_v, id); };
  watch.abandon = [this](webhook_id id) { tell_router(atom::abandon_v, id); };
  watch.start_janitor = [this, &lanes, to_log] {
    janitor_config clean;
    clean.commits = &commits_;
    clean.reader = reader_.get();
    clean.clock = &clock_;
    clean.log = to_log;
    clean.retention = options_.retention;
    clean.interval = options_.retention_interval;
    return spawn_on<janitor>(*lanes[0], std::move(clean),
                             std::ref(lanes[0]->io()));
  };
  supervisor_ = spawn_on<supervisor>(*lanes[0], std::move(watch),
                                     std::ref(lanes[0]->io()));

  caf::anon_send(router_, atom::begin_v);
  auto done = begun.get_future().get();
  if (!done)
    return done;
  token_uses_saved_ = std::chrono::steady_clock::now();
  checkpoint_timer_ = std::make_unique<boost::asio::steady_timer>(
    lanes[0]->io());
  arm_checkpoint();
  return {};
}

void engine_implementation::arm_checkpoint() {
  checkpoint_timer_->expires_after(options_.checkpoint_interval);
  checkpoint_timer_->async_wait(
    [this](const boost::system::error_code& failed) {
      if (failed)
        return;
      tell_router(atom::checkpoint_v);
      const auto now = std::chrono::steady_clock::now();
      if (now - token_uses_saved_ >= token_uses_interval) {
        token_uses_saved_ = now;
        save_token_uses();
      }
      arm_checkpoint();
    });
}

void engine_implementation::save_token_uses() {
  auto uses = directory_.take_token_uses();
  if (!uses.empty())
    commits_.push({.what = storage::touch_tokens{.uses = std::move(uses)}});
}

// -- stop ---------------------------------------------------------------------

void engine_implementation::stop(std::chrono::milliseconds deadline) {
  using clock = std::chrono::steady_clock;
  const auto until = clock::now()
                   + std::clamp<std::chrono::milliseconds>(deadline, 0ms,
                                                           longest);
  // Who stops it already must not take longer than this one may.
  auto before_this = stop_by_.load();
  while (until < before_this
         && !stop_by_.compare_exchange_weak(before_this, until)) {}
  std::lock_guard guard{stop_mutex_};
  draining_ = true; // before anybody is told so
  const auto before = state_.exchange(state::stopping);
  if (before == state::stopped || !system_) {
    state_ = state::stopped;
    return;
  }
  if (std::exchange(measured_, false))
    options_.metrics->remove(this);
  if (router_) {
    while (in_flight_ != 0 && clock::now() < stop_by_.load())
      std::this_thread::sleep_for(2ms);
    if (in_flight_ != 0) {
      log(log_level::warning,
          std::to_string(in_flight_.load())
            + " attempts did not end in time; they are logged as such and made "
              "again after the next start");
      close_wires(cancel_patience);
      const auto logged = clock::now() + cancel_patience;
      while (in_flight_ != 0 && clock::now() < logged)
        std::this_thread::sleep_for(2ms);
    }
    // The last checkpoint, behind everything that was logged.
    {
      caf::scoped_actor self{*system_};
      self->request(router_, std::chrono::seconds{1}, atom::checkpoint_v)
        .receive([] {},
                 [this](const caf::error&) {
                   log(log_level::warning,
                       "the last checkpoint was not taken in time");
                 });
    }
    save_token_uses();
    if (!flush(2s))
      log(log_level::warning, "the last commit did not end in time");
  }
  commits_.close();
  commits_.wait_for_others();
  // From the outside in: nobody is started again, no new work, then those who
  // do it.
  if (supervisor_)
    caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  if (router_)
    caf::anon_send_exit(router_, caf::exit_reason::user_shutdown);
  reader_->close();
  close_wires(1s);
  if (committer_)
    caf::anon_send_exit(committer_, caf::exit_reason::user_shutdown);
  commits_.attach({});
  committer_ = nullptr;
  {
    std::lock_guard no_order{order_mutex_};
    router_ = nullptr;
  }
  supervisor_ = nullptr;
  // Ends the lanes, which release what their queues still hold.
  lane_coordinator::of(*system_).halt();
  checkpoint_timer_.reset();
  stations_.clear();
  system_.reset();
  // The store stays open for those who still read; it is closed with the
  // engine.
  state_ = state::stopped;
}

void engine_implementation::close_wires(std::chrono::milliseconds patience) {
  auto& lanes = lane_coordinator::of(*system_).lanes();
  const auto until = std::chrono::steady_clock::now() + patience;
  std::vector<std::future<void>> closed;
  for (std::size_t i = 0; i < stations_.size(); ++i) {
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    boost::asio::post(lanes[i]->io(), [this, i, done] {
      if (i == 0 && checkpoint_timer_)
        checkpoint_timer_->cancel();
      stations_[i].context->gate->close();
      // Once more around, so that actors that were told to end are gone before
      // their attempts end.
      boost::asio::post(lane::current()->io(), [this, i, done] {
        stations_[i].wire->close();
        done->set_value();
      });
    });
  }
  for (auto& c : closed)
    c.wait_until(until);
}

bool engine_implementation::flush(std::chrono::milliseconds patience) {
  auto done = std::make_shared<std::promise<bool>>();
  auto flushed = done->get_future();
  commits_.push({.what = storage::load_webhook{},
                 .done = [done](storage::operation&, const error* failure) {
                   done->set_value(failure == nullptr);
                 }});
  return flushed.wait_for(patience) == std::future_status::ready
      && flushed.get();
}

engine_statistics engine_implementation::statistics() const {
  engine_statistics s;
  if (!store_)
    return s;
  const auto stored = store_->statistics();
  s.registered_webhooks = registered_webhooks_;
  s.active_webhooks = active_webhooks_;
  s.in_flight = in_flight_;
  s.tail = stored.tail;
  s.routed_upto = routed_upto_;
  s.last_call = stored.last_call;
  s.calls_replayed = store_->recovered().calls_replayed;
  s.store_bytes = stored.bytes_used;
  return s;
}

std::vector<metric> engine_implementation::metrics() const {
  return counters_.figures(statistics(), ready());
}

void engine_implementation::wake() {
  tell_router(atom::wake_v);
}

// -- publishing ---------------------------------------------------------------

result<engine_implementation::drafted>
engine_implementation::draft_all(organizer_id owner,
                                 std::vector<publication>& items) {
  if (state_ != state::running)
    return error{ec::stopping,
                 "The engine is stopping. Publish again once it is back."};
  const auto count = items.size();
  if (count == 0 || count > protocol::publications_limit)
    return error{ec::invalid_argument,
                 "Publish 1 to " + std::to_string(protocol::publications_limit)
                   + " notifications at once."};
  drafted out;
  out.bytes = publish_overhead;
  out.append.published = clock_.now();
  out.append.drafts.reserve(count);
  auto slug = directory_.find_slug(owner);
  if (slug.empty())
    return no_such_organizer(owner);
  out.was_rendered.reserve(count);
  drafting shared{.owner = owner, .slug = std::move(slug)};
  for (auto& item : items) {
    // Those of a list often name the same as the one before.
    if (shared.names) {
      const auto& before = out.append.drafts.back();
      const auto& its_event = before.new_event.empty() ? (&item - 1)->event
                                                       : before.new_event;
      if (before.action != item.action || its_event != item.event)
        shared.names.reset();
    }
    auto checked = draft_one(shared, item);
    if (!checked) {
      give_back(out, items);
      auto fault = checked.error();
      if (count > 1)
        fault.detail = "items[" + std::to_string(&item - items.data())
                     + "]: " + fault.detail;
      return fault;
    }
    auto& d = *checked;
    if (d.event == 0)
      d.new_event = std::move(item.event);
    d.action = std::move(item.action);
    d.trace = std::move(item.trace);
    out.was_rendered.push_back(d.rest.empty());
    if (d.rest.empty())
      d.rest = std::move(item.rest);
    out.bytes += d.rest.size() + notification_overhead;
    out.append.drafts.push_back(std::move(d));
  }
  if (out.bytes > commit_queue::publish_bytes_limit) {
    give_back(out, items);
    return error{ec::too_large, "Notifications that are published at once may "
                                "have 64 MiB together."};
  }
  return out;
}

result<storage::draft>
engine_implementation::draft_one(drafting& shared, const publication& item) {
  if (!shared.names) {
    if (protocol::is_own_action(item.action))
      return error{ec::invalid_argument,
                   "Actions that begin with \"fanfare.\" are published by the "
                   "engine alone.",
                   "action"};
    if (item.action.size() > protocol::action_type_limit
        || !protocol::is_action_name(item.action))
      return error{ec::invalid_argument,
                   "An action is made of labels of the characters a-z, 0-9, "
                   "\"_\" and \"-\", joined by dots; at most 255 characters.",
                   "action"};
    const auto found = directory_.find_names(shared.owner, item.action,
                                             item.event);
    if (!found.type)
      return error{ec::invalid_argument,
                   "Unknown action type \"" + item.action + "\".", "action"};
    if (!item.event.empty() && !protocol::is_slug(item.event))
      return error{ec::invalid_argument, std::string{protocol::slug_rule},
                   "event"};
    shared.names = found;
  }
  if (!item.trace.empty() && !protocol::is_trace(item.trace))
    return error{ec::invalid_argument,
                 "Give a traceparent as in W3C Trace Context, and a tracestate "
                 "in a second line if there is one.",
                 "trace"};
  storage::draft d;
  d.owner = shared.owner;
  d.event = shared.names->event;
  d.type = *shared.names->type;
  if (!item.rest.empty()) {
    if (item.rest.size() > protocol::notification_body_limit)
      return error{ec::too_large, "A notification may have 1 MiB.", "rest"};
    return d;
  }
  if (!shared.renderer)
    shared.renderer.emplace(shared.slug);
  auto rendered = shared.renderer->render(item);
  if (!rendered)
    return rendered.error();
  d.rest = std::move(*rendered);
  return d;
}

void engine_implementation::give_back(drafted& what,
                                      std::vector<publication>& items) {
  for (std::size_t i = 0; i < what.append.drafts.size(); ++i) {
    auto& from = what.append.drafts[i];
    auto& to = items[i];
    to.action = std::move(from.action);
    if (!from.new_event.empty())
      to.event = std::move(from.new_event);
    if (what.was_rendered[i])
      to.rest = std::move(from.rest);
    to.trace = std::move(from.trace);
  }
}

template <class Hand>
bool engine_implementation::hand_over(drafted& what,
                                      commit_queue::completion& done,
                                      Hand hand) {
  commit_queue::item item;
  item.what = std::move(what.append);
  item.done = std::move(done);
  if (hand(item))
    return true;
  what.append = std::move(std::get<storage::append_notifications>(item.what));
  done = std::move(item.done);
  return false;
}

bool engine_implementation::push_publish(drafted& what,
                                         commit_queue::completion& done,
                                         bool patient) {
  return hand_over(what, done, [&](auto& item) {
    return commits_.try_push_publish(item, what.bytes, patient);
  });
}

bool engine_implementation::push_patiently(drafted& what,
                                           commit_queue::completion& done) {
  if (commits_.is_written_by_caller())
    return push_publish(what, done); // it would wait for itself
  const auto until = std::chrono::steady_clock::now()
                   + options_.publish_patience;
  while (!push_publish(what, done, true)) {
    const bool room = commits_.wait_for_room(until);
    what.append.published = clock_.now();
    if (!room)
      return push_publish(what, done); // cannot wait any longer
  }
  return true;
}

bool engine_implementation::write_or_wait(drafted& what,
                                          commit_queue::completion& done) {
  const auto write = [&](auto& item) {
    return writer_->write_alone(commits_, item, what.bytes);
  };
  return hand_over(what, done, write) || push_patiently(what, done);
}

result<void> engine_implementation::try_publish(
  organizer_id owner, std::vector<publication>&& items, published&& done) {
  return publish_within(owner, items, done, [this](auto& what, auto& told) {
    return push_publish(what, told);
  });
}

result<void> engine_implementation::publish_waiting(
  organizer_id owner, std::vector<publication>&& items, published&& done) {
  return publish_within(owner, items, done, [this](auto& what, auto& told) {
    return push_patiently(what, told);
  });
}

result<std::vector<position>>
engine_implementation::publish_and_wait(organizer_id owner,
                                        std::vector<publication> items) {
  if (commits_.is_written_by_caller())
    return cannot_wait();
  auto [ids, set] = awaited<std::vector<position>>::make();
  published done = std::move(set);
  const auto taken = publish_within(
    owner, items, done,
    [this](auto& what, auto& told) { return write_or_wait(what, told); });
  if (!taken)
    return taken.error();
  return ids->get();
}

template <class Push>
result<void>
engine_implementation::publish_within(organizer_id owner,
                                      std::vector<publication>& items,
                                      published& done, Push push) {
  auto what = draft_all(owner, items);
  if (!what)
    return what.error();
  commit_queue::completion told = answer_published{std::move(done), &options_};
  if (push(*what, told))
    return {};
  counters_.refused();
  done = std::move(told.target<answer_published>()->done);
  give_back(*what, items);
  return overloaded();
}

template <class Push>
void engine_implementation::publish_keyed_within(
  organizer_id owner, std::vector<publication>& items, const publish_once& once,
  answered done, Push push) {
  commit_queue::completion told = answer_keyed{std::move(done), once,
                                               &options_};
  const auto refuse = [this, &told](const error& why) {
    const auto& answer = *told.target<answer_keyed>();
    call_program(options_, "The callback of a publish",
                 [&] { answer.done(why); });
  };
  auto what = draft_all(owner, items);
  if (!what)
    return refuse(what.error());
  what->append.once = once;
  if (!push(*what, told)) {
    counters_.refused();
    refuse(overloaded());
  }
}

void engine_implementation::publish_keyed(organizer_id owner,
                                          std::vector<publication> items,
                                          publish_once once, answered done) {
  publish_keyed_within(
    owner, items, once, std::move(done),
    [this](auto& what, auto& told) { return push_publish(what, told); });
}

result<stored_answer> engine_implementation::publish_keyed_and_wait(
  organizer_id owner, std::vector<publication> items, publish_once once) {
  if (commits_.is_written_by_caller())
    return cannot_wait();
  auto [answer, set] = awaited<stored_answer>::make();
  publish_keyed_within(
    owner, items, once, std::move(set),
    [this](auto& what, auto& told) { return write_or_wait(what, told); });
  return answer->get();
}

void engine_implementation::remember_answer(const idempotency_key& key,
                                            plain_answer answer,
                                            answered done) {
  commits_.push(
    {.what = storage::remember_answer{.key = key,
                                      .now = clock_.now(),
                                      .answer = std::move(answer)},
     .done = [this, done = std::move(done)](storage::operation& op,
                                            const error* failure) {
       call_program(options_, "The callback of remember_answer", [&] {
         if (failure != nullptr)
           done(*failure);
         else
           done(std::move(std::get<storage::remember_answer>(op).done));
       });
     }});
}

result<notification_ptr>
engine_implementation::find_notification(organizer_id owner, position id) {
  auto found = store_->find_notification(id);
  if (found && (*found)->owner != owner)
    return error{ec::not_found, "No notification matches the given query."};
  return found;
}

// -- registry -----------------------------------------------------------------

template <class Operation>
auto engine_implementation::change(Operation op) -> decltype(op.done) {
  if (state_ != state::running)
    return error{ec::stopping,
                 "The engine is stopping. Try again once it is back."};
  if (commits_.is_written_by_caller())
    return cannot_wait();
  auto done = std::make_shared<std::promise<decltype(op.done)>>();
  auto changed = done->get_future();
  commits_.push(
    {.what = std::move(op),
     .done = [done](storage::operation& what, const error* failure) {
       if (failure != nullptr)
         done->set_value(*failure);
       else
         done->set_value(std::move(std::get<Operation>(what).done));
     }});
  if (changed.wait_for(commit_patience) != std::future_status::ready)
    return error{ec::io_error, "The disk did not answer in time; the change "
                               "may yet be made. Look before you try it "
                               "again."};
  return changed.get();
}

result<webhook> engine_implementation::add_webhook(organizer_id owner,
                                                   webhook value) {
  if (auto known = check_owner(owner); !known)
    return known.error();
  webhook_record made;
  made.owner = owner;
  made.versions.push_back({.since = clock_.now(), .value = {}});
  if (auto written = form_.write(value, {}, made); !written)
    return written.error();
  secrets_.ensure(made, clock_.now());
  const auto stored = change(storage::add_webhook{.value = std::move(made)});
  return stored ? result<webhook>{form_.show(*stored)} : stored.error();
}

result<webhook> engine_implementation::change_webhook(
  organizer_id owner, webhook_id id,
  std::function<result<void>(webhook&)> edit) {
  const auto now = clock_.now();
  const auto lent = std::make_shared<lent_edit<webhook>>(std::move(edit));
  const auto stored = change(storage::change_webhook{
    .owner = owner,
    .id = id,
    .now = now,
    .edit = [this, now, lent](webhook_record& w) -> result<void> {
      const bool was_paused = w.delivery.paused;
      const auto before = form_.show(w);
      auto wanted = before;
      if (auto edited = lent->run(wanted); !edited)
        return edited;
      if (auto written = form_.write(wanted, before, w); !written)
        return written;
      if (was_paused && !w.delivery.paused)
        w.resumed = now;
      secrets_.ensure(w, now);
      return {};
    }});
  lent->end();
  return stored ? result<webhook>{form_.show(*stored)} : stored.error();
}

result<std::vector<webhook>>
engine_implementation::webhooks(organizer_id owner, std::optional<bool> enabled,
                                std::size_t offset, std::size_t limit) {
  const auto found = store_->webhooks(owner, enabled, offset, limit);
  if (!found)
    return found.error();
  std::vector<webhook> out;
  out.reserve(found->size());
  for (const auto& one : *found)
    out.push_back(form_.show(one));
  return out;
}

result<secret_view> engine_implementation::rotate_secret(organizer_id owner,
                                                         webhook_id hook,
                                                         secret_rotation how) {
  const auto now = clock_.now();
  const auto changed = change(storage::change_webhook{
    .owner = owner,
    .id = hook,
    .now = now,
    .edit = [this, now, how = std::move(how)](webhook_record& w) {
      return secrets_.rotate(w, how, now);
    }});
  if (!changed)
    return changed.error();
  auto shown = secrets_.show(*changed, now);
  if (shown)
    tell(*changed, "fanfare.webhook.secret_rotated",
         shown->previous_until ? R"(, "previous_until": )"
                                   + protocol::json_time(*shown->previous_until)
                               : std::string{});
  return shown;
}

result<filter_preview>
engine_implementation::preview_filter(organizer_id owner, webhook_id hook,
                                      std::string filter) {
  const auto found = find_record(owner, hook);
  if (!found)
    return found.error();
  filter_ref condition;
  if (!filter.empty()) {
    auto compiled = payload_filter::parse(filter);
    if (!compiled)
      return compiled.error();
    condition.value = std::move(*compiled);
  }
  auto sub = found->current();
  sub.enabled = true; // whether it gets them is another question
  sub.filter = std::move(condition);
  auto newest = store_->newest_matches(owner, sub, preview_notifications,
                                       preview_scan);
  if (!newest)
    return newest.error();
  filter_preview out{.looked_at = newest->size(), .passed = {}};
  for (auto& n : *newest)
    if (passes(sub, *n))
      out.passed.push_back(std::move(n));
  return out;
}

result<void> engine_implementation::check_secrets() {
  result<void> readable;
  // The first one stands for all: a key that does not fit is noticed here, not
  // by calls that fail.
  auto looked = store_->for_each_webhook([&](const webhook_record& hook) {
    if (hook.secrets.empty())
      return true;
    if (auto opened = vault_.open(hook.secrets.front().sealed, "secret");
        !opened)
      readable = error{opened.error().code,
                       "The secret of webhook " + std::to_string(hook.id)
                         + " cannot be read: " + opened.error().detail,
                       "secret_keys"};
    return false;
  });
  if (!looked)
    return looked;
  if (readable && !vault_.encrypts())
    log(log_level::warning,
        "signing secrets are kept unencrypted in the data directory: set "
        "secret_key_file (--secret-key-file) or secret_keys "
        "(FANFARE_SECRET_KEY)");
  return readable;
}

result<void> engine_implementation::fence(const organizer& o) {
  const auto allowed = read_networks(o.allow_networks, "allow_networks");
  if (!allowed)
    return allowed.error();
  const auto denied = read_networks(o.deny_networks, "deny_networks");
  if (!denied)
    return denied.error();
  const std::lock_guard guard{fences_mutex_};
  const auto generation = ++fence_changes_;
  if (allowed->empty() && denied->empty())
    fences_.erase(o.id);
  else
    fences_[o.id] = {.policy = std::make_shared<const protocol::address_policy>(
                       policy_.with(*allowed, *denied)),
                     .generation = generation};
  return {};
}

void engine_implementation::tell(const webhook_record& hook,
                                 std::string_view action, std::string members) {
  const auto type = directory_.find_action_type(action);
  const auto owner = directory_.find_organizer(hook.owner);
  if (!type || !owner)
    return;
  auto what = std::make_shared<notice>();
  what->owner = hook.owner;
  what->type = type->id;
  what->action = action;
  what->rest = R"(, "organizer": ")" + owner->slug + R"(", "action": ")"
             + what->action + R"(", "webhook": )" + std::to_string(hook.id)
             + R"(, "target_url": )"
             + protocol::json_quoted(protocol::mask_url(hook.target_url))
             + members + '}';
  tell_router(atom::tell_v, notice_ptr{std::move(what)});
}

result<explanation>
engine_implementation::explain_now(const webhook_record& hook,
                                   const notification& what) {
  auto found = fanfare::explain(*store_, hook, what);
  if (found)
    found->hook = form_.show(hook);
  if (found
      && (found->state == explanation::fate::waiting
          || found->state == explanation::fate::retrying)
      && (!found->due || *found->due <= clock_.now())) // else it is the backoff
    if (const auto now = order<inspect_order, delivery_state>(hook.owner,
                                                              hook.id))
      found->held_by = now->held_by;
  return found;
}

// -- orders -------------------------------------------------------------------

bool engine_implementation::send_order(webhook_id hook, webhook_order what) {
  std::lock_guard guard{order_mutex_};
  if (state_ != state::running || !router_)
    return false;
  caf::anon_send(router_, atom::order_v, hook,
                 std::make_shared<const webhook_order>(std::move(what)));
  return true;
}

template <class Order, class Answer, class... Known>
result<Answer> engine_implementation::order(organizer_id owner, webhook_id hook,
                                            Known... known) {
  if (commits_.is_written_by_caller())
    return cannot_wait();
  if (auto own = find_record(owner, hook); !own)
    return own.error();
  auto done = std::make_shared<std::promise<result<Answer>>>();
  auto waited = done->get_future();
  // If it cannot be sent, the reply that nobody took is the answer.
  send_order(hook, Order{known..., reply<Answer>{[done](result<Answer> answer) {
                           done->set_value(std::move(answer));
                         }}});
  if (waited.wait_for(commit_patience) != std::future_status::ready)
    return error{ec::io_error,
                 "This was not answered in time, because the disk or the "
                 "engine has too much to do; it may yet be done. Look before "
                 "you try it again."};
  return waited.get();
}

result<retry> engine_implementation::resend(organizer_id owner, webhook_id hook,
                                            call_id id) {
  const auto found = find_call(owner, hook, id);
  if (!found)
    return found.error();
  const auto kept = store_->find_notification(found->subject);
  if (!kept)
    return kept.error().code == ec::not_found
           ? error{ec::not_found, "The notification of this call is older than "
                                  "the retention and no longer kept."}
           : kept.error();
  if ((*kept)->action == test_action)
    return error{ec::conflict,
                 "A test is not sent again. Ask for another one."};
  return order<resend_order, retry>(owner, hook, found->subject);
}

void engine_implementation::test_webhook(const organizer& owner,
                                         webhook_id hook, tested done) {
  const auto tell = [this, done = std::move(done)](result<test_call> made) {
    call_program(options_, "The callback of a test",
                 [&] { done(std::move(made)); });
  };
  if (auto own = find_record(owner.id, hook); !own)
    return tell(own.error());
  storage::append_notifications append;
  append.published = clock_.now();
  // No registered type: it matches no subscription.
  append.drafts.push_back(
    {.owner = owner.id,
     .event = 0,
     .new_event = {},
     .type = 0,
     .action = std::string{test_action},
     .rest = R"(, "organizer": ")" + directory_.find_slug(owner.id)
           + R"(", "action": ")" + std::string{test_action}
           + R"(", "webhook": )" + std::to_string(hook) + '}'});
  const auto added = change(std::move(append));
  if (!added)
    return tell(added.error());
  const auto what = added->front();
  send_order(hook,
             test_order{what, reply<call>{[tell, what](result<call> made) {
                          if (made)
                            tell(test_call{std::move(*made), what});
                          else
                            tell(made.error());
                        }}});
}

result<engine_implementation::planned_replay>
engine_implementation::plan_replay(organizer_id owner, webhook_id hook,
                                   replay_request asked) {
  auto found = find_record(owner, hook);
  if (!found)
    return found.error();
  if (asked.since >= asked.until)
    return error{ec::invalid_argument, "Must be later than since.", "until"};
  if (asked.rate != 0
      && !(asked.rate >= replay_request::least_rate
           && asked.rate <= replay_request::most_rate))
    return error{ec::invalid_argument,
                 "Must be a number of notifications per second from 0.001 to "
                 "10000, or 0 for as quickly as possible.",
                 "rate"};
  replay value;
  value.asked = asked;
  value.upto = store_->tail();
  value.selecting = found->current();
  value.selecting.enabled = true; // whether it may begin is another question
  value.started = clock_.now();
  auto chosen = store_->select(*found, value);
  if (!chosen)
    return chosen.error();
  value.count = chosen->count;
  value.skipped = chosen->skipped;
  return planned_replay{
    std::move(*found), std::move(value),
    std::make_shared<const storage::selection>(std::move(*chosen))};
}

result<replay_preview>
engine_implementation::preview_replay(organizer_id owner, webhook_id hook,
                                      replay_request asked) {
  const auto plan = plan_replay(owner, hook, asked);
  if (!plan)
    return plan.error();
  replay_preview preview{.asked = asked,
                         .count = plan->chosen->count,
                         .skipped = plan->chosen->skipped,
                         .first = {}};
  for (auto p = plan->chosen->chosen.next_after(0);
       p && preview.first.size() < preview_size;
       p = plan->chosen->chosen.next_after(*p))
    preview.first.push_back(*p);
  return preview;
}

result<replay_progress>
engine_implementation::start_replay(organizer_id owner, webhook_id hook,
                                    replay_request asked) {
  auto plan = plan_replay(owner, hook, asked);
  if (!plan)
    return plan.error();
  const auto started = change(
    storage::start_replay{.owner = owner, .hook = hook, .value = plan->value});
  if (!started)
    return started.error();
  // If this does not arrive, the webhook's actor finds it in the store when it
  // is started next.
  send_order(hook, replay_order{*started, std::move(plan->chosen)});
  return show(*started, 0);
}

result<replay_progress> engine_implementation::find_replay(organizer_id owner,
                                                           webhook_id hook) {
  if (auto own = find_record(owner, hook); !own)
    return own.error();
  const auto found = store_->find_replay(hook);
  if (!found)
    return found.error().code == ec::not_found
           ? error{ec::not_found, "There is no replay of this webhook."}
           : found.error();
  const auto retries = store_->retries(hook);
  if (!retries)
    return retries.error();
  return show(*found, static_cast<std::size_t>(
                        std::ranges::count_if(*retries, &retry::replay)));
}

result<std::vector<explanation>>
engine_implementation::explain(const notification& what, std::size_t offset,
                               std::size_t limit) {
  const auto hooks = store_->webhooks(what.owner, std::nullopt, offset, limit);
  if (!hooks)
    return hooks.error();
  std::vector<explanation> all;
  for (const auto& hook : *hooks) {
    auto one = explain_now(hook, what);
    if (!one)
      return one.error();
    all.push_back(std::move(*one));
  }
  return all;
}

result<issued_token>
engine_implementation::add_token(organizer_id owner, std::string name,
                                 std::uint8_t permissions) {
  if (auto known = check_owner(owner); !known)
    return known.error();
  if (auto fine = check_name(name); !fine)
    return fine.error();
  constexpr unsigned all = permission_webhooks | permission_notifications
                         | permission_admin;
  if (permissions == 0 || (permissions & ~all) != 0)
    return error{ec::invalid_argument,
                 "Give at least one permission, and none that does not exist.",
                 "permissions"};
  issued_token issued;
  issued.key = protocol::make_token_key();
  token value;
  value.owner = owner;
  value.name = std::move(name);
  value.permissions = permissions;
  value.hash = protocol::hash_token_key(issued.key);
  value.created = clock_.now();
  auto added = change(storage::add_token{.value = std::move(value)});
  if (!added)
    return added.error();
  issued.value = std::move(*added);
  return issued;
}

result<webhook_record> engine_implementation::find_record(organizer_id owner,
                                                          webhook_id id) {
  auto found = store_->find_webhook(id);
  if (found && found->owner != owner)
    return error{ec::not_found, "No WebHook matches the given query."};
  return found;
}

} // namespace

result<std::unique_ptr<engine>> engine::start(engine_options options) {
  auto made = std::make_unique<engine_implementation>(std::move(options));
  try {
    if (auto begun = made->begin(); !begun)
      return begun.error();
  } catch (const std::system_error& e) {
    return cannot_start(e.what());
  } catch (const boost::system::system_error& e) {
    return cannot_start(e.what());
  } catch (const std::runtime_error& e) { // OpenSSL's, with its own sentence
    return error{ec::internal, std::string{"Cannot start: "} + e.what()};
  }
  return std::unique_ptr<engine>{std::move(made)};
}

} // namespace fanfare
