// Flink's own Kinesis connector in a local Flink cluster, by SQL alone.
//
//   ENDPOINT SOURCE SINK polling|EFO
//
// Reads JSON from the stream SOURCE and writes what it doubled into the stream SINK.

import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

public class SqlJob {
    public static void main(String[] args) throws Exception {
        String access = "'aws.region' = 'us-east-1', 'aws.endpoint' = '" + args[0] + "', "
                + "'aws.credentials.provider' = 'BASIC', "
                + "'aws.credentials.basic.accesskeyid' = 'any', "
                + "'aws.credentials.basic.secretkey' = 'key', "
                + "'aws.trust.all.certificates' = 'true', 'format' = 'json'";
        String consumer = args[3].equals("EFO")
                ? "'scan.stream.recordpublisher' = 'EFO', 'scan.stream.efo.consumername' = 'flink', "
                : "'scan.shard.getrecords.intervalmillis' = '200', ";
        StreamExecutionEnvironment local = StreamExecutionEnvironment.createLocalEnvironment(2, new Configuration());
        local.enableCheckpointing(500);
        StreamTableEnvironment sql = StreamTableEnvironment.create(local);
        sql.executeSql("CREATE TABLE source (k STRING, n INT, shard STRING NOT NULL METADATA FROM 'shard-id' VIRTUAL) WITH ("
                + "'connector' = 'kinesis', 'stream' = '" + args[1] + "', 'scan.stream.initpos' = 'TRIM_HORIZON', "
                + "'scan.shard.discovery.intervalmillis' = '1000', " + consumer + access + ")");
        sql.executeSql("CREATE TABLE sink (k STRING, n INT, doubled INT, shard STRING) PARTITIONED BY (k) WITH ("
                + "'connector' = 'kinesis', 'stream' = '" + args[2] + "', " + access + ")");
        TableResult job = sql.executeSql("INSERT INTO sink SELECT k, n, n * 2, shard FROM source");
        System.out.println("running");
        System.out.flush();
        while (System.in.read() >= 0) {
            // Told nothing but the end.
        }
        job.getJobClient().get().cancel().get();
        System.exit(0);
    }
}
