// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/connection_pool.hpp"

#include <algorithm>

namespace fanfare::protocol {

namespace {

using namespace std::chrono_literals;

// How long a TLS session is kept for a destination that is not called.
constexpr auto sessions_live = 10min;
constexpr auto sweep_every = 5s;
// Two ticks: whoever finds a destination crowded says so at each.
constexpr auto crowded_for = 50ms;

bool contains(const std::vector<boost::asio::ip::address>& all,
              const boost::asio::ip::address& one) {
  return std::ranges::find(all, one) != all.end();
}

/// Whether its address still is one of its name's, as far as is known.
bool is_where_it_should_be(const client_connection& connection,
                           const destination& to) {
  return to.addresses.empty() || contains(to.addresses, connection.address())
      || contains(to.untold, connection.address());
}

} // namespace

boost::intrusive_ptr<destination> connection_pool::find(const pool_key& key,
                                                        time_point now) {
  auto& slot = destinations_[key];
  if (!slot)
    slot = new destination;
  slot->last_used = now;
  return slot;
}

boost::intrusive_ptr<client_connection> connection_pool::take(destination& to,
                                                              time_point now) {
  while (!to.idle.empty()) {
    auto& latest = to.idle.back();
    if (latest.opened() + limits_.age > now)
      return unlink(latest);
    drop(latest);
  }
  return {};
}

boost::intrusive_ptr<client_connection>
connection_pool::take(destination& to, time_point now,
                      const boost::asio::ip::address& at) {
  for (auto i = to.idle.rbegin(); i != to.idle.rend(); ++i)
    if (i->address() == at && i->opened() + limits_.age > now)
      return unlink(*i);
  return {};
}

void connection_pool::release(client_connection& connection, time_point now) {
  auto& to = connection.to();
  if (limits_.idle == 0 || to.idle.size() >= limits_.idle_per_destination
      || connection.opened() + limits_.age <= now || now < to.crowded_until
      || to.is_gone || !is_where_it_should_be(connection, to)) {
    connection.close();
    return;
  }
  if (idle_count_ >= limits_.idle)
    drop(idle_.front());
  connection.wait();
  intrusive_ptr_add_ref(&connection);
  idle_.push_back(connection);
  to.idle.push_back(connection);
  ++idle_count_;
  if (shown_ != nullptr)
    shown_->add();
  connection.idle_since = now;
}

void connection_pool::found(destination& to, const resolution& answer) {
  if (answer.is_partial && !answer.addresses.empty()) {
    const bool told = answer.addresses.front().is_v6();
    to.untold.insert(to.untold.end(), to.addresses.begin(), to.addresses.end());
    std::erase_if(to.untold,
                  [told](const auto& each) { return each.is_v6() == told; });
  } else {
    to.untold.clear();
  }
  to.addresses = answer.addresses;
  to.known_until = answer.until;
  to.is_gone = false;
  std::erase_if(to.useless, [&](const auto& each) {
    return !contains(to.addresses, each.at);
  });
  for (auto i = to.idle.begin(); i != to.idle.end();)
    if (auto& each = *i++; !is_where_it_should_be(each, to))
      drop(each);
}

void connection_pool::crowded(destination& to, time_point now) {
  to.crowded_until = now + crowded_for;
  drop_all(to);
}

void connection_pool::gone(destination& to) {
  to.is_gone = true;
  drop_all(to);
}

void connection_pool::drop_all(destination& to) {
  while (!to.idle.empty())
    drop(to.idle.front());
}

void connection_pool::drop(client_connection& connection) {
  unlink(connection)->close();
}

bool connection_pool::shrink() {
  if (idle_.empty())
    return false;
  for (auto n = idle_count_ / 2 + 1; n > 0 && !idle_.empty(); --n)
    drop(idle_.front());
  return true;
}

void connection_pool::expire(time_point now) {
  while (!idle_.empty() && idle_.front().idle_since + limits_.idle_time <= now)
    drop(idle_.front());
  if (swept_ + sweep_every > now)
    return;
  swept_ = now;
  std::erase_if(destinations_, [&](const auto& each) {
    const auto& to = *each.second;
    return to.use_count() == 1
        && (to.sessions.empty() || to.last_used + sessions_live <= now);
  });
}

void connection_pool::clear() {
  while (!idle_.empty())
    drop(idle_.front());
  destinations_.clear();
}

boost::intrusive_ptr<client_connection>
connection_pool::unlink(client_connection& connection) {
  idle_.erase(idle_.iterator_to(connection));
  connection.to().idle.erase(connection.to().idle.iterator_to(connection));
  --idle_count_;
  if (shown_ != nullptr)
    shown_->subtract();
  return {&connection, false};
}

} // namespace fanfare::protocol
