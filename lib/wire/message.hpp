// Every message between the tools, as plain structs: no ZeroMQ, no MessagePack (codec.hpp turns them into
// frames, FORMAT.md describes those). `header()` lists what travels in the header, `arrays()` what travels in
// the binary frame; the codec is generic over the two.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/error_class.hpp"
#include "base/ids.hpp"
#include "base/resource_usage.hpp"
#include "base/shape.hpp"
#include "base/time.hpp"
#include "wire/snapshot.hpp"

namespace dp {

/// `top` only looks on: it owns keys and speaks on no link.
enum class Role : std::uint8_t { stream, route, infer, collect, top };
constexpr const char* name_of(Role role) {
  constexpr const char* names[] = {"dp-stream", "dp-route", "dp-infer", "dp-collect", "dp-top"};
  return names[static_cast<int>(role)];
}

/// How pixels reach the worker: in the message, or by sample id from its own copy of the data set.
enum class PayloadMode : std::uint8_t { inline_pixels, reference };

/// Bytes owned by whoever made them, shared by reference count and never copied on the way through.
struct Payload {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

/// (router session, batch, attempt): what a worker holds while it serves a batch.
struct Lease {
  Session router{};
  BatchId batch{};
  std::uint32_t attempt = 0;
  bool operator==(const Lease&) const = default;
  auto operator<=>(const Lease&) const = default;
};

/// Stations of a batch on its way to the worker, each on the clock of the stage that passed it.
struct OutboundTimes {
  Time scheduled{}, released{}, sent{}, routed{};
};
/// Stations at the worker, on its clock.
struct WorkerTimes {
  Time received{}, started{}, done{};
};

/// What the stream will send: everyone downstream prepares for it.
struct DataShape {
  Shape shape;
  std::uint32_t max_batch = 0;
  PayloadMode payload = PayloadMode::inline_pixels;
  std::string dataset;  ///< digest
};

/// First message of each session, from the side that connects.
struct Hello {
  Role role{};
  std::string name;
  std::string boot_id;                       ///< same boot id: same clock
  RunId run{};                               ///< 0: not known yet
  bool started = false;                      ///< stream: t0 is fixed, this is a resumption
  Time t1{};                                 ///< when it was sent
  DataShape data;                            ///< stream
  std::vector<std::string> datasets;         ///< worker: digests it can serve by reference
  std::vector<std::uint64_t> shard_weights;  ///< stream: samples per shard
  std::vector<std::uint64_t> held;           ///< worker: batches it computes or has waiting
  std::vector<std::uint64_t> unacked;        ///< worker: batches done, result not acknowledged

  auto header() {
    return std::tie(role, name, boot_id, run, started, t1, data.shape.channels, data.shape.height,
                    data.shape.width, data.max_batch, data.payload, data.dataset, datasets);
  }
  auto arrays() { return std::tie(shard_weights, held, unacked); }
};

/// Answer to HELLO: the session is up.
struct Welcome {
  RunId run{};
  std::string boot_id;
  DataShape data;         ///< to workers
  bool started = false;   ///< to the stream, from the ledger: this run goes on, do not begin it
  Time t0{};              ///< then, on the collector's clock
  Time t1{}, t2{}, t3{};  ///< as in PONG: the first estimate of the clocks' offset
  auto header() {
    return std::tie(run, boot_id, data.shape.channels, data.shape.height, data.shape.width, data.max_batch,
                    data.payload, data.dataset, started, t0, t1, t2, t3);
  }
};

/// Answer to anything that cannot be served.
struct Reject {
  bool hello_again = false;  ///< the session is unknown here: say HELLO; otherwise it is final
  std::string reason;
  auto header() { return std::tie(hello_again, reason); }
};

/// What is going to be run; with `t0` once it is fixed. Stored by the collector before the first batch goes
/// out.
struct Run {
  std::uint64_t batches = 0, samples = 0;
  std::string plan;               ///< digest of the plan
  bool started = false;           ///< t0 is fixed
  Time t0{};                      ///< on the stream's clock
  double rate = 0;                ///< samples/s; 0: as fast as possible or closed loop
  std::uint32_t concurrency = 0;  ///< > 0: closed loop
  std::string data_name;
  std::vector<std::string> options;  ///< name, value, name, value, …
  std::string data_digest;
  auto header() {
    return std::tie(batches, samples, plan, started, t0, rate, concurrency, data_name, data_digest);
  }
  auto arrays() { return std::tie(options); }
};

/// The wanted number of workers is connected and warm.
struct Start {
  std::uint32_t workers = 0;
  auto header() { return std::tie(workers); }
};

/// Batches about to be sent, many to a message, column by column.
struct Announce {
  std::vector<std::uint64_t> batches;
  std::vector<Time> scheduled, released;
  std::vector<std::uint32_t> counts;  ///< samples of each batch; the columns below hold them back to back
  std::vector<SampleId> ids;
  std::vector<Label> labels;
  std::vector<Time> arrivals;  ///< of each sample; empty: a sample arrives when its batch is released
  auto header() { return std::tie(); }
  auto arrays() { return std::tie(batches, scheduled, released, counts, ids, labels, arrivals); }
};

/// One batch of work.
struct Batch {
  Lease lease;
  std::uint64_t number = 0;  ///< position among those sent in this session, from 1: what credit is counted by
  ShardId shard = 0;
  PayloadMode mode = PayloadMode::inline_pixels;
  Shape shape;
  std::uint64_t checksum = 0;  ///< XXH3 of the payload
  OutboundTimes times;
  std::vector<SampleId> ids;
  Payload payload;  ///< N·C·H·W uint8, empty by reference
  auto header() {
    return std::tie(lease.router, lease.batch, lease.attempt, number, shard, mode, shape.channels,
                    shape.height, shape.width, checksum, times.scheduled, times.released, times.sent,
                    times.routed);
  }
  auto arrays() { return std::tie(ids); }
};

/// A worker has finished with a lease, well or badly.
struct Done {
  Lease lease;
  Duration service{};
  std::uint32_t samples = 0;
  ErrorClass error = ErrorClass::none;
  std::string message;
  std::uint64_t limit = 0;  ///< credit: batches it will take in this session, cumulative
  auto header() {
    return std::tie(lease.router, lease.batch, lease.attempt, service, samples, error, message, limit);
  }
};

/// A lease handed back unserved; no attempt is charged.
struct Return {
  Lease lease;
  auto header() { return std::tie(lease.router, lease.batch, lease.attempt); }
};

/// Batches the sender will take in this session, cumulative: a lost or repeated one does no harm.
struct Credit {
  std::uint64_t limit = 0;
  auto header() { return std::tie(limit); }
};

/// What a worker found.
struct Result {
  RunId run{};
  Lease lease;
  OutboundTimes outbound;
  WorkerTimes worker;
  std::vector<Label> predictions;
  auto header() {
    return std::tie(run, lease.router, lease.batch, lease.attempt, outbound.scheduled, outbound.released,
                    outbound.sent, outbound.routed, worker.received, worker.started, worker.done);
  }
  auto arrays() { return std::tie(predictions); }
};

/// The ledger has these, or has no use for them: forget them.
struct Ack {
  std::vector<std::uint64_t> batches;
  auto header() { return std::tie(); }
  auto arrays() { return std::tie(batches); }
};

/// The router gave a batch up; repeated until COMMIT.
struct Failed {
  BatchId batch{};
  std::uint32_t attempts = 0;
  ErrorClass error = ErrorClass::none;
  std::string message;
  auto header() { return std::tie(batch, attempts, error, message); }
};

/// What is settled: every batch below the watermark, and those whose bit is set from there on.
struct Commit {
  bool run_stored = false;  ///< RUN with t0 is in the ledger
  BatchId watermark{};
  std::vector<std::uint64_t> bitmap;
  auto header() { return std::tie(run_stored, watermark); }
  auto arrays() { return std::tie(bitmap); }
};

/// What the router did, for the record.
struct Report {
  std::string strategy;
  std::vector<std::string> options;  ///< name, value, …
  std::vector<std::string> slots;    ///< worker name by slot
  std::uint64_t decisions = 0, retries = 0;
  std::uint64_t full = 0;           ///< times the buffer was full: the stream had to wait
  std::vector<std::string> events;  ///< what happened, in words
  std::vector<Time> event_times;
  std::vector<std::uint32_t> shard_map;   ///< slot by shard
  std::vector<std::uint64_t> shard_load;  ///< samples by shard
  std::vector<std::string> failing;       ///< names of the workers that failed an attempt,
  std::vector<std::uint64_t> failures;    ///< and how many each did
  auto header() { return std::tie(strategy, decisions, retries, full); }
  auto arrays() {
    return std::tie(options, slots, events, event_times, shard_map, shard_load, failing, failures);
  }
};

/// Resource figures of the sender, about twice a second; `options` once, with the first.
struct Usage {
  ResourceUsage usage;
  std::string host, detail;          ///< detail: backend description and versions
  std::vector<std::string> options;  ///< name, value, …
  auto header() {
    return std::tie(usage.at, usage.cpu, usage.rss_bytes, usage.anonymous_bytes, usage.peak_rss_bytes, host,
                    detail);
  }
  auto arrays() { return std::tie(options); }
};

/// The stream has announced everything.
struct Eos {
  std::uint64_t batches = 0;
  auto header() { return std::tie(batches); }
};
/// Everything is settled.
struct Fin {
  auto header() { return std::tie(); }
};
/// To workers: the run is over.
struct Drain {
  auto header() { return std::tie(); }
};
/// The sender leaves on purpose.
struct Bye {
  bool interrupted = false;
  auto header() { return std::tie(interrupted); }
};

/// Heartbeat; a worker's names the leases it holds and its credit.
struct Ping {
  Time t1{};
  std::uint64_t limit = 0;
  Duration offset{}, bound{};  ///< estimate of (receiver's clock − sender's clock) and its error bound
  std::vector<std::uint64_t> held;
  auto header() { return std::tie(t1, limit, offset, bound); }
  auto arrays() { return std::tie(held); }
};
struct Pong {
  Time t1{}, t2{}, t3{};
  auto header() { return std::tie(t1, t2, t3); }
};

/// The order is the type number on the wire: append only.
using Message =
    std::variant<Hello, Welcome, Reject, Run, Start, Announce, Batch, Done, Return, Credit, Result, Ack,
                 Failed, Commit, Report, Usage, Eos, Fin, Drain, Bye, Ping, Pong, Snapshot>;

/// A message with both sides' session nonces.
struct Envelope {
  Session from{};
  Session to{};
  Message body;
};

}  // namespace dp
