// A worker of the Kinesis Client Library: it says every record, then checkpoints.
//
//   APPLICATION STREAM polling|fan-out
//
// Endpoints, region and keys come from the environment (AWS_ENDPOINT_URL_KINESIS,
// AWS_ENDPOINT_URL_DYNAMODB ...). It ends, gracefully, when its input is closed.

import java.net.URI;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public class Consumer {
    public static void main(String[] args) throws Exception {
        String application = args[0];
        String stream = args[1];
        KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(
                KinesisAsyncClient.builder().endpointOverride(at("KINESIS")));
        var start = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        ConfigsBuilder all = new ConfigsBuilder(
                new SingleStreamTracker(StreamIdentifier.singleStreamInstance(stream), start),
                application, kinesis,
                DynamoDbAsyncClient.builder().endpointOverride(at("DYNAMODB")).build(),
                CloudWatchAsyncClient.create(),
                UUID.randomUUID().toString(), Printer::new);
        var retrieval = all.retrievalConfig();
        if (args[2].equals("polling")) {
            retrieval.retrievalSpecificConfig(
                    new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(200));
        }
        // Quick on the trigger, for a test: the defaults look for new shards once a minute or two.
        var leases = all.leaseManagementConfig().failoverTimeMillis(2000).shardSyncIntervalMillis(1000);
        withoutWorkerMetrics(leases);
        Scheduler scheduler = new Scheduler(
                all.checkpointConfig(),
                all.coordinatorConfig().parentShardPollIntervalMillis(500)
                        .shardConsumerDispatchPollIntervalMillis(200),
                leases,
                all.lifecycleConfig(),
                all.metricsConfig().metricsFactory(new NullMetricsFactory()),
                all.processorConfig(),
                retrieval);
        Thread worker = new Thread(scheduler);
        worker.setDaemon(true);
        worker.start();
        while (System.in.read() >= 0) {
            // Told nothing but the end.
        }
        boolean clean = scheduler.startGracefulShutdown().get(60, TimeUnit.SECONDS);
        say("ended", String.valueOf(clean));
        System.exit(clean ? 0 : 1);
    }

    static class Printer implements ShardRecordProcessor {
        private String shard;

        public void initialize(InitializationInput input) {
            shard = input.shardId();
            say("began", shard);
        }

        public void processRecords(ProcessRecordsInput input) {
            for (KinesisClientRecord r : input.records()) {
                byte[] data = new byte[r.data().remaining()];
                r.data().get(data);
                say(shard, r.sequenceNumber() + "/" + r.subSequenceNumber(), r.partitionKey(),
                        new String(data, java.nio.charset.StandardCharsets.UTF_8));
            }
            checkpoint(input.checkpointer());
        }

        public void leaseLost(LeaseLostInput input) {
            say("lost", shard);
        }

        public void shardEnded(ShardEndedInput input) {
            checkpoint(input.checkpointer());
            say("completed", shard);
        }

        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(input.checkpointer());
        }

        private static void checkpoint(software.amazon.kinesis.processor.RecordProcessorCheckpointer at) {
            try {
                at.checkpoint();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** The SDK that version 2 brings does not look at the environment by itself. */
    static URI at(String service) {
        return URI.create(System.getenv("AWS_ENDPOINT_URL_" + service));
    }

    /** Version 3 looks at a worker's load before it gives it leases; version 2 does not. */
    static void withoutWorkerMetrics(Object leases) throws ReflectiveOperationException {
        try {
            Object config = leases.getClass().getMethod("workerUtilizationAwareAssignmentConfig").invoke(leases);
            config.getClass().getMethod("disableWorkerMetrics", boolean.class).invoke(config, true);
        } catch (NoSuchMethodException e) {
            // version 2
        }
    }

    static synchronized void say(String... fields) {
        System.out.println(String.join("\t", fields));
        System.out.flush();
    }
}
