// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// outbox DIR URL: a shop that loses neither an order nor its notification,
// whenever the process ends.
//
// An order and what there is to tell about it (a row of the table "outbox") are
// written in one transaction of the shop's own database. A relay publishes the
// rows in their order and deletes each once the engine has it on disk. If the
// process ends between the two, the row is published again at the next start;
// the engine knows its key and does not take it a second time. It remembers
// keys for 24 h: only a shop that stays down for longer, after it died between
// the two, tells of that one order twice, with two notification_ids and one
// code.
//
// Each line of standard input is the code of an order; "taken CODE" is printed
// once the order is in the database. Who has not read that, as the process
// died, sends the code again: an order that is there is answered alike, and
// told once. Ends at the end of the input, when all is published and was tried
// at least once. With --die-after insert or --die-after publish the process
// kills itself at the first order, at the moments between.

#include <fanfare/engine.hpp>
#include <sqlite3.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

// -- the shop's database ------------------------------------------------------

class database {
public:
  explicit database(const std::string& file) {
    sqlite3* opened = nullptr;
    const auto code = sqlite3_open(file.c_str(), &opened);
    db_.reset(opened);
    check(code);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL"); // a commit survives a power cut
    run("CREATE TABLE IF NOT EXISTS orders (code TEXT PRIMARY KEY)");
    // AUTOINCREMENT: an id is never given twice, so that it can be a key.
    run("CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY "
        "AUTOINCREMENT, "
        "action TEXT NOT NULL, payload TEXT NOT NULL)");
  }

  /// Writes the order, and what is to be told about it, or neither; nothing if
  /// the order is there.
  void place_order(const std::string& code) {
    run("BEGIN IMMEDIATE");
    run("INSERT OR IGNORE INTO orders VALUES (?1)", code);
    if (sqlite3_changes(db_.get()) > 0)
      run("INSERT INTO outbox (action, payload) "
          "VALUES ('shop.order.placed', json_object('code', ?1))",
          code);
    run("COMMIT");
  }

  struct row {
    std::string id, action, payload;
  };
  /// The oldest that is not published; its id is empty if there is none.
  row next() {
    row found;
    const auto s = prepare("SELECT id, action, payload FROM outbox "
                           "ORDER BY id LIMIT 1");
    if (step(s))
      found = {text(s, 0), text(s, 1), text(s, 2)};
    return found;
  }
  void remove(const row& done) {
    run("DELETE FROM outbox WHERE id = ?1", done.id);
  }

private:
  using statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

  void check(int code) {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE)
      throw std::runtime_error{sqlite3_errmsg(db_.get())};
  }
  statement prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    check(sqlite3_prepare_v2(db_.get(), sql, -1, &made, nullptr));
    return {made, sqlite3_finalize};
  }
  bool step(const statement& s) {
    const auto code = sqlite3_step(s.get());
    check(code);
    return code == SQLITE_ROW;
  }
  void run(const char* sql, const std::string& value = {}) {
    const auto s = prepare(sql);
    if (sqlite3_bind_parameter_count(s.get()) > 0)
      check(sqlite3_bind_text(s.get(), 1, value.c_str(), -1, SQLITE_STATIC));
    step(s);
  }
  static std::string text(const statement& s, int column) {
    return reinterpret_cast<const char*>(sqlite3_column_text(s.get(), column));
  }

  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> db_{nullptr,
                                                         sqlite3_close};
};

// -- the shop -----------------------------------------------------------------

[[noreturn]] void die() {
  kill(getpid(), SIGKILL);
  for (;;)
    pause();
}

/// Publishes what is in the outbox.
void relay(database& db, fanfare::engine& engine, fanfare::organizer_id shop,
           const std::string& die_after) {
  for (auto row = db.next(); !row.id.empty(); row = db.next()) {
    // A row that cannot be published stays, and ends the program with the
    // reason: here that could only be a full disk or a defect.
    engine
      .publish_once(shop, "outbox " + row.id,
                    {.action = row.action, .payload = row.payload})
      .value();
    if (die_after == "publish")
      die(); // on disk with the engine, and still in the outbox
    db.remove(row);
  }
}

int run(const std::filesystem::path& dir, const std::string& url,
        const std::string& die_after) {
  std::filesystem::create_directories(dir);
  database db{dir / "shop.sqlite"};
  auto engine = fanfare::engine::start({.data = dir / "fanfare",
                                        .network = {.allow = {"127.0.0.0/8"}}})
                  .value();
  const auto shop = engine->ensure_organizer("shop").value().id;
  engine->ensure_action_type("shop.order.*").value();
  if (engine->count_webhooks(shop).value() == 0)
    engine
      ->add_webhook(shop, {.target_url = url, .action_types = {"shop.order.*"}})
      .value();
  relay(db, *engine, shop, {}); // what the last run has left

  for (std::string code; std::getline(std::cin, code);) {
    db.place_order(code);
    std::cout << "taken " << code << std::endl;
    if (die_after == "insert")
      die(); // with the order, and nothing told about it
    relay(db, *engine, shop, die_after);
  }
  while (engine->health(shop, 1).value().backlog > 0
         || engine->statistics().in_flight > 0)
    std::this_thread::sleep_for(10ms);
  engine->stop(10s);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const bool dies = argc == 5 && argv[3] == std::string{"--die-after"};
  if (argc != 3 && !dies) {
    std::cerr << "usage: outbox DIR URL [--die-after insert|publish]\n";
    return 2;
  }
  try {
    return run(argv[1], argv[2], dies ? argv[4] : "");
  } catch (const std::exception& e) {
    std::cerr << "outbox: " << e.what() << '\n';
    return 1;
  }
}
