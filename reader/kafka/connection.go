package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"rtfm/reader/export"
)

// How long brokers may take to answer what is no row, and how often they are asked again.
const (
	requestTimeout = 10 * time.Second
	requestRetries = 3
)

// missingOften is how often in a row a topic may not be there, according to brokers that
// perhaps have just started.
const missingOften = 5

// connected calls do with a client, which it closes if that fails.
func (p *producer) connected(ctx context.Context, do func() error) error {
	err := p.connect(ctx)
	if err == nil {
		err = do()
	}
	if err != nil {
		p.disconnect()
	}
	return err
}

// connect makes a client, unless that was done, and looks for the topics.
func (p *producer) connect(ctx context.Context) error {
	if p.client != nil {
		return nil
	}
	client, err := kgo.NewClient(append(slices.Clone(p.options), kgo.ProducerBatchMaxBytes(int32(p.batch)))...)
	if err != nil {
		return export.Refuse(err)
	}
	p.client = client
	err = p.findTopics(ctx)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		if p.missing++; p.missing < missingOften {
			return err
		}
		return export.Refuse(err)
	}
	p.missing = 0
	return p.outcome(err)
}

func (p *producer) disconnect() {
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
}

// findTopics asks for the topics. They are not made.
func (p *producer) findTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range []string{p.flows, p.collections} {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(ctx, p.client)
	if err != nil {
		return p.slow(err)
	}
	for _, topic := range resp.Topics {
		name := ""
		if topic.Topic != nil {
			name = *topic.Topic
		}
		switch err := kerr.ErrorForCode(topic.ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			return fmt.Errorf("there is no topic %s: %w", name, err)
		case err != nil:
			return fmt.Errorf("topic %s: %w", name, err)
		}
		for _, partition := range topic.Partitions {
			if len(partition.Replicas) < 2 {
				p.note("topic %s has one replica: what was acknowledged is lost with its broker", name)
			}
		}
	}
	return nil
}

// Check implements export.Exporter.
func (p *producer) Check(ctx context.Context) error {
	defer p.disconnect()
	p.missing = missingOften
	return p.connect(ctx)
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (p *producer) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	p.mu.Lock()
	p.away = err
	p.mu.Unlock()
}

// slow returns why there was no answer: that no broker was there, if that is known.
func (p *producer) slow(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away != nil && !errors.Is(p.away, context.Canceled) && !errors.Is(p.away, kgo.ErrClientClosed) {
		err = p.away
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("a broker has closed the connection (does it want TLS, or another password?): %w", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no broker has answered in %v", requestTimeout)
	}
	return err
}

// final are the brokers' errors that a person has to look into.
var final = []error{
	kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism,
	kerr.InvalidTopicException, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.UnsupportedCompressionType,
	kerr.UnsupportedForMessageFormat, kerr.PolicyViolation, kerr.MessageTooLarge, kerr.RecordListTooLarge,
}

// outcome returns what an error means: a Refusal if the brokers will not have what we
// send.
func (p *producer) outcome(err error) error {
	for _, f := range final {
		if errors.Is(err, f) {
			return export.Refuse(err)
		}
	}
	return err
}
