// The AWS SDK for JavaScript 3 with its defaults (HTTP/2 for every call). Endpoint, region and keys
// come from the environment (AWS_ENDPOINT_URL ...).
//
//   write STREAM COUNT        PutRecords
//   read STREAM               GetRecords of every shard, from its beginning to its tip
//   subscribe STREAM COUNT    SubscribeToShard of every shard until COUNT records have come
//   errors                    a missing stream, told by its own exception

import {
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  ResourceNotFoundException,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";

const kinesis = new KinesisClient({});
const KEYS = 7;
const BATCH = 100;

const say = (...fields) => console.log(fields.join("\t"));
const sayRecord = (shard, r) =>
  say(shard, r.SequenceNumber, r.PartitionKey, new TextDecoder().decode(r.Data));

async function shardsOf(stream) {
  const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
  return Shards.map((s) => s.ShardId);
}

async function write(stream, count) {
  for (let from = 0; from < count; from += BATCH) {
    const Records = [];
    for (let i = from; i < Math.min(from + BATCH, count); i++) {
      Records.push({ PartitionKey: `key${i % KEYS}`, Data: new TextEncoder().encode(`value ${i} é`) });
    }
    const answer = await kinesis.send(new PutRecordsCommand({ StreamName: stream, Records }));
    if (answer.FailedRecordCount) throw new Error(JSON.stringify(answer));
    answer.Records.forEach((r) => say(r.ShardId, r.SequenceNumber));
  }
}

async function read(stream) {
  for (const ShardId of await shardsOf(stream)) {
    const first = { StreamName: stream, ShardId, ShardIteratorType: "TRIM_HORIZON" };
    let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(first));
    while (ShardIterator) {
      const page = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
      page.Records.forEach((r) => sayRecord(ShardId, r));
      ShardIterator = page.MillisBehindLatest === 0 ? undefined : page.NextShardIterator;
    }
  }
}

async function subscribe(stream, count) {
  const summary = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: stream }));
  const StreamARN = summary.StreamDescriptionSummary.StreamARN;
  const registered = await kinesis.send(
    new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "js" }),
  );
  const { ConsumerARN } = registered.Consumer;
  for (let status = ""; status !== "ACTIVE"; ) {
    const found = await kinesis.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
    status = found.ConsumerDescription.ConsumerStatus;
  }
  let left = count;
  const follow = async (ShardId) => {
    const StartingPosition = { Type: "TRIM_HORIZON" };
    const answer = await kinesis.send(
      new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition }),
    );
    say("subscribed", ShardId);
    for await (const event of answer.EventStream) {
      for (const r of event.SubscribeToShardEvent?.Records ?? []) {
        sayRecord(ShardId, r);
        left -= 1;
      }
      if (left === 0) return;
    }
  };
  await Promise.race((await shardsOf(stream)).map(follow));
  if (left) throw new Error(`a subscription ended before ${left} records had come`);
  await kinesis.send(new DeregisterStreamConsumerCommand({ ConsumerARN }));
}

async function errors() {
  try {
    await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: "not-there" }));
  } catch (e) {
    if (!(e instanceof ResourceNotFoundException)) throw e;
    say(e.name, Boolean(e.$metadata.requestId));
  }
}

const [verb, stream, count] = process.argv.slice(2);
await { write, read, subscribe, errors }[verb](stream, Number(count));
process.exit(0);
