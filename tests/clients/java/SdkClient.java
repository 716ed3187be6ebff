// The AWS SDK for Java 2 with its defaults: CBOR, Apache's client for calls, Netty and HTTP/2 for
// SubscribeToShard. Endpoint, region and keys come from the environment (AWS_ENDPOINT_URL ...).
//
//   write STREAM COUNT        PutRecords; the answers' sequence numbers
//   read STREAM               GetRecords of every shard, from its beginning to its tip
//   subscribe STREAM COUNT    SubscribeToShard of every shard until COUNT records have come
//   errors                    a missing stream, told by its own exception

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.StartingPosition;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEventStream;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardRequest;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

public class SdkClient {
    static final int BATCH = 100;
    static final int KEYS = 7;

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "write" -> write(args[1], Integer.parseInt(args[2]));
            case "read" -> read(args[1]);
            case "subscribe" -> subscribe(args[1], Integer.parseInt(args[2]));
            case "errors" -> errors();
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.exit(0);
    }

    static void write(String stream, int count) {
        try (KinesisClient kinesis = KinesisClient.create()) {
            List<PutRecordsRequestEntry> batch = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                batch.add(PutRecordsRequestEntry.builder()
                        .partitionKey("key" + i % KEYS)
                        .data(SdkBytes.fromUtf8String("value " + i + " é"))
                        .build());
                if (batch.size() == BATCH || i == count - 1) {
                    PutRecordsResponse answer = kinesis.putRecords(b -> b.streamName(stream).records(batch));
                    if (answer.failedRecordCount() != 0) {
                        throw new IllegalStateException(answer.toString());
                    }
                    answer.records().forEach(r -> say(r.shardId(), r.sequenceNumber()));
                    batch.clear();
                }
            }
        }
    }

    static void read(String stream) {
        try (KinesisClient kinesis = KinesisClient.create()) {
            for (Shard shard : kinesis.listShards(b -> b.streamName(stream)).shards()) {
                String iterator = kinesis.getShardIterator(b -> b.streamName(stream)
                        .shardId(shard.shardId())
                        .shardIteratorType(ShardIteratorType.TRIM_HORIZON)).shardIterator();
                while (iterator != null) {
                    String from = iterator;
                    GetRecordsResponse page = kinesis.getRecords(b -> b.shardIterator(from));
                    page.records().forEach(r -> say(shard.shardId(), r));
                    iterator = page.millisBehindLatest() == 0 ? null : page.nextShardIterator();
                }
            }
        }
    }

    static void subscribe(String stream, int count) throws Exception {
        try (KinesisAsyncClient kinesis = KinesisAsyncClient.create()) {
            String arn = kinesis.describeStreamSummary(b -> b.streamName(stream)).join()
                    .streamDescriptionSummary().streamARN();
            String consumer = kinesis.registerStreamConsumer(b -> b.streamARN(arn).consumerName("java"))
                    .join().consumer().consumerARN();
            while (kinesis.describeStreamConsumer(b -> b.consumerARN(consumer)).join()
                    .consumerDescription().consumerStatus() != ConsumerStatus.ACTIVE) {
                Thread.sleep(50);
            }
            CountDownLatch left = new CountDownLatch(count);
            List<CompletableFuture<Void>> running = new ArrayList<>();
            for (Shard shard : kinesis.listShards(b -> b.streamName(stream)).join().shards()) {
                running.add(subscribe(kinesis, consumer, shard.shardId(), left));
            }
            if (!left.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException(left.getCount() + " records have not come");
            }
            running.forEach(f -> f.cancel(true));
            kinesis.deregisterStreamConsumer(b -> b.consumerARN(consumer)).join();
        }
    }

    static CompletableFuture<Void> subscribe(
            KinesisAsyncClient kinesis, String consumer, String shard, CountDownLatch left) {
        SubscribeToShardRequest request = SubscribeToShardRequest.builder()
                .consumerARN(consumer)
                .shardId(shard)
                .startingPosition(StartingPosition.builder().type(ShardIteratorType.TRIM_HORIZON).build())
                .build();
        SubscribeToShardResponseHandler handler = SubscribeToShardResponseHandler.builder()
                .onResponse(r -> say("subscribed", shard))
                .onError(e -> System.err.println("subscription of " + shard + " ended: " + e))
                .subscriber((SubscribeToShardEventStream event) -> {
                    if (event instanceof SubscribeToShardEvent records) {
                        records.records().forEach(r -> {
                            say(shard, r);
                            left.countDown();
                        });
                    }
                })
                .build();
        return kinesis.subscribeToShard(request, handler);
    }

    static void errors() {
        try (KinesisClient kinesis = KinesisClient.create()) {
            kinesis.describeStreamSummary(b -> b.streamName("not-there"));
        } catch (ResourceNotFoundException e) {
            say(e.awsErrorDetails().errorCode(), String.valueOf(e.requestId() != null));
        }
    }

    static void say(String shard, Record r) {
        say(shard, r.sequenceNumber(), r.partitionKey(), r.data().asUtf8String());
    }

    static synchronized void say(String... fields) {
        System.out.println(String.join("\t", fields));
        System.out.flush();
    }
}
