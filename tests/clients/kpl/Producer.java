// The Kinesis Producer Library: its native daemon gathers user records and writes them aggregated.
//
//   HOST PORT STREAM COUNT
//
// It speaks HTTPS only. Region and keys come from the environment.

import com.google.common.util.concurrent.ListenableFuture;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

public class Producer {
    static final int KEYS = 7;

    public static void main(String[] args) throws Exception {
        KinesisProducer producer = new KinesisProducer(new KinesisProducerConfiguration()
                .setKinesisEndpoint(args[0])
                .setKinesisPort(Integer.parseInt(args[1]))
                .setRegion(System.getenv("AWS_REGION"))
                .setVerifyCertificate(false)
                .setMetricsLevel("none")
                .setLogLevel("info"));
        List<ListenableFuture<UserRecordResult>> sent = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            byte[] data = ("value " + i + " é").getBytes(StandardCharsets.UTF_8);
            if (i == 1) {
                // The daemon aggregates once it knows the shards; the first record makes it ask.
                producer.flushSync();
                Thread.sleep(2000);
            }
            sent.add(producer.addUserRecord(args[2], "key" + i % KEYS, ByteBuffer.wrap(data)));
        }
        producer.flushSync();
        for (ListenableFuture<UserRecordResult> f : sent) {
            UserRecordResult result = f.get();
            if (!result.isSuccessful()) {
                throw new IllegalStateException(result.toString());
            }
            System.out.println(result.getShardId() + "\t" + result.getSequenceNumber());
        }
        producer.destroy();
        System.exit(0);
    }
}
