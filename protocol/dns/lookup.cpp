// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/lookup.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::seconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr seconds table_lives = 5s; // an entry of the table of hosts

resolution not_found(const std::string& host) {
  return {{}, "dns: name not found: " + host};
}

resolution not_answered(const std::string& host) {
  return {{},
          "dns: temporary failure, no name server answered for " + host,
          answered_by::nobody};
}

resolution not_found_out(const std::string& host) {
  return {{},
          "dns: temporary failure, the name server failed (SERVFAIL) for "
            + host,
          answered_by::unable};
}

/// The name itself, or one below it.
bool is_in(std::string_view host, std::string_view domain) {
  return host.ends_with(domain)
      && (host.size() == domain.size()
          || host[host.size() - domain.size() - 1] == '.');
}

} // namespace

lookup::lookup(lookup_owner& owner, asio::io_context& context, std::string name)
  : host(std::move(name)),
    owner_(&owner),
    context_(context),
    timer_(context.get_executor()),
    v4_(*this, context, ip_family::v4),
    v6_(*this, context, ip_family::v6),
    life_(dns_life::longest_without) {}

void lookup::start(std::shared_ptr<const dns_configuration> by,
                   const patience& limits) {
  state_ = state::running;
  by_ = std::move(by);
  other_family_ = limits.other_family;
  std::optional<known> already;
  if (v4_.open(*by_, limits.server) && v6_.open(*by_, limits.server))
    already = known_already();
  else
    already = known{not_answered(host), dns_life::shortest};
  if (already) {
    asio::post(context_, [self = boost::intrusive_ptr<lookup>(this),
                          what = std::move(*already)]() mutable {
      if (!self->over())
        self->conclude(std::move(what.answer), what.life);
    });
    return;
  }
  names_ = by_->names(host);
  ask();
  if (v4_.answer().done || v6_.answer().done)
    asio::post(context_, [self = boost::intrusive_ptr<lookup>(this)] {
      if (!self->over())
        self->go_on();
    });
  else
    set_timer();
}

std::optional<lookup::known> lookup::known_already() {
  if (by_->table_first)
    if (auto found = v4_.look_in_table(host); !found.empty())
      return known{{std::move(found), {}, answered_by::machine}, table_lives};
  if (is_in(host, "localhost"))
    return known{
      {{asio::ip::address_v6::loopback(), asio::ip::address_v4::loopback()},
       {},
       answered_by::machine},
      table_lives};
  if (is_in(host, "invalid") || !by_->dns)
    return known{{{}, not_found(host).failure, answered_by::machine},
                 dns_life::shortest};
  if (by_->servers.empty())
    return known{not_answered(host), dns_life::shortest}; // c-ares would leak
  return {};
}

void lookup::give_way() {
  if (!v4_.answer().addresses.empty() || !v6_.answer().addresses.empty())
    succeed();
  else
    conclude(not_answered(host), dns_life::shortest);
}

void lookup::end() {
  if (std::exchange(state_, state::over) == state::over)
    return;
  timer_.cancel();
  v4_.close();
  v6_.close();
}

// -- questions and answers ----------------------------------------------------

void lookup::ask() {
  give_up_other_ = {};
  const auto& name = names_[next_name_++];
  v6_.ask(name);
  v4_.ask(name);
}

void lookup::go_on() {
  const auto& v4 = v4_.answer();
  const auto& v6 = v6_.answer();
  for (;;) {
    const bool found = !v4.addresses.empty() || !v6.addresses.empty();
    if (v4.done && v6.done) {
      if (found) {
        succeed();
        return;
      }
      unsure_ |= !v4.says_nothing() || !v6.says_nothing();
      unable_ |= v4_.was_failed() || v6_.was_failed();
      life_ = std::min({life_, v4.life, v6.life});
      if (next_name_ == names_.size()) {
        give_up();
        return;
      }
      ask();
      continue;
    }
    if (found) {
      const auto now = steady_clock::now();
      if (!give_up_other_)
        give_up_other_ = now + other_family_;
      if (*give_up_other_ <= now) {
        succeed();
        return;
      }
    }
    set_timer();
    return;
  }
}

void lookup::set_timer() {
  const auto now = steady_clock::now();
  std::optional<steady_clock::time_point> next;
  for (const auto* each : {&v4_, &v6_})
    if (const auto at = each->timeout(now))
      next = next ? std::min(*next, *at) : at;
  auto due = next.value_or(now + 1s); // c-ares owes an answer
  if (give_up_other_)
    due = std::min(due, *give_up_other_);
  timer_.expires_at(due);
  timer_.async_wait(
    [self = boost::intrusive_ptr<lookup>(this)](const error_code& code) {
      if (code || self->over())
        return;
      self->v4_.on_timeout();
      self->v6_.on_timeout();
      self->go_on();
    });
}

// -- endings ------------------------------------------------------------------

void lookup::succeed() {
  auto life = dns_life::longest;
  bool partial = false;
  for (const auto* each : {&v4_.answer(), &v6_.answer()}) {
    if (!each->addresses.empty()) {
      life = std::min(life, each->life);
    } else if (!each->done || !each->says_nothing()) {
      life = std::min(life, dns_life::longest_without);
      partial = true;
    }
  }
  resolution answer{v6_.answer().addresses, {}};
  answer.is_partial = partial;
  const auto& v4 = v4_.answer().addresses;
  answer.addresses.insert(answer.addresses.end(), v4.begin(), v4.end());
  conclude(std::move(answer), std::max(life, dns_life::shortest));
}

void lookup::give_up() {
  if (by_->table_last)
    if (auto found = v4_.look_in_table(host); !found.empty()) {
      conclude({std::move(found), {}, answered_by::machine}, table_lives);
      return;
    }
  if (unsure_)
    conclude(unable_ ? not_found_out(host) : not_answered(host),
             dns_life::shortest);
  else
    conclude(not_found(host), std::max(life_, dns_life::shortest));
}

void lookup::conclude(resolution&& answer, seconds life) {
  const boost::intrusive_ptr<lookup> alive{this};
  end();
  owner_->finish(*this, std::move(answer), life);
}

} // namespace fanfare::protocol
