// The AWS SDK for Go 2 with its defaults. Endpoint, region and keys come from the environment
// (AWS_ENDPOINT_URL ...).
//
//	write STREAM COUNT        PutRecords
//	read STREAM               GetRecords of every shard, from its beginning to its tip
//	subscribe STREAM COUNT    SubscribeToShard of every shard until COUNT records have come
//	errors                    a missing stream, told by its own exception
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const (
	keys  = 7
	batch = 100
)

var (
	ctx    = context.Background()
	client *kinesis.Client
	out    sync.Mutex
)

func main() {
	loaded := must(config.LoadDefaultConfig(ctx))
	client = kinesis.NewFromConfig(loaded)
	switch os.Args[1] {
	case "write":
		write(os.Args[2], must(strconv.Atoi(os.Args[3])))
	case "read":
		read(os.Args[2])
	case "subscribe":
		subscribe(os.Args[2], must(strconv.Atoi(os.Args[3])))
	case "errors":
		missing()
	default:
		log.Fatalf("no such verb: %s", os.Args[1])
	}
}

func write(stream string, count int) {
	for from := 0; from < count; from += batch {
		var entries []types.PutRecordsRequestEntry
		for i := from; i < min(from+batch, count); i++ {
			entries = append(entries, types.PutRecordsRequestEntry{
				PartitionKey: aws.String(fmt.Sprintf("key%d", i%keys)),
				Data:         fmt.Appendf(nil, "value %d é", i),
			})
		}
		answer := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &stream, Records: entries}))
		if *answer.FailedRecordCount != 0 {
			log.Fatalf("%d records failed", *answer.FailedRecordCount)
		}
		for _, r := range answer.Records {
			say(*r.ShardId, *r.SequenceNumber)
		}
	}
}

func shards(stream string) []types.Shard {
	return must(client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})).Shards
}

func read(stream string) {
	for _, shard := range shards(stream) {
		iterator := must(client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
			StreamName:        &stream,
			ShardId:           shard.ShardId,
			ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})).ShardIterator
		for iterator != nil {
			page := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator}))
			for _, r := range page.Records {
				sayRecord(*shard.ShardId, r)
			}
			iterator = page.NextShardIterator
			if *page.MillisBehindLatest == 0 {
				iterator = nil
			}
		}
	}
}

func subscribe(stream string, count int) {
	summary := must(client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream}))
	consumer := must(client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{
		StreamARN:    summary.StreamDescriptionSummary.StreamARN,
		ConsumerName: aws.String("go"),
	})).Consumer.ConsumerARN
	for {
		found := must(client.DescribeStreamConsumer(ctx, &kinesis.DescribeStreamConsumerInput{ConsumerARN: consumer}))
		if found.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	records := make(chan string)
	for _, shard := range shards(stream) {
		go follow(*consumer, *shard.ShardId, records)
	}
	for range count {
		select {
		case line := <-records:
			say(line)
		case <-time.After(60 * time.Second):
			log.Fatal("no record for a minute")
		}
	}
	must(client.DeregisterStreamConsumer(ctx, &kinesis.DeregisterStreamConsumerInput{ConsumerARN: consumer}))
}

func follow(consumer, shard string, records chan<- string) {
	events := must(client.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN:      &consumer,
		ShardId:          &shard,
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon},
	})).GetStream()
	say("subscribed", shard)
	for event := range events.Events() {
		if e, ok := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent); ok {
			for _, r := range e.Value.Records {
				records <- line(shard, r)
			}
		}
	}
}

func missing() {
	_, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("not-there")})
	var gone *types.ResourceNotFoundException
	if !errors.As(err, &gone) {
		log.Fatal(err)
	}
	say(gone.ErrorCode(), "true")
}

func line(shard string, r types.Record) string {
	return strings.Join([]string{shard, *r.SequenceNumber, *r.PartitionKey, string(r.Data)}, "\t")
}

func sayRecord(shard string, r types.Record) { say(line(shard, r)) }

func say(fields ...string) {
	out.Lock()
	defer out.Unlock()
	fmt.Println(strings.Join(fields, "\t"))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
