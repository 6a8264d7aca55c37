package kafka

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"rtfm/reader/export"
	"rtfm/reader/record"
)

// Options are the names of those that URLs may have.
var Options = []string{"collections", "user", "password-file", "sasl", "tls", "ca", "compression", "timeout"}

// producer is an export.Exporter.
type producer struct {
	flows, collections string // topics
	options            []kgo.Opt
	timeout            time.Duration
	batch              int // most octets of a batch

	client  *kgo.Client // nil if there is none
	missing int         // how often in a row a topic was not there
	tell    func(note string)
	told    map[string]bool

	mu   sync.Mutex
	away error // why the last broker that was tried let nobody in; nil if one did
}

// New returns an exporter to a target, whose path is a topic.
func New(t *export.Target) (export.Exporter, error) {
	p := &producer{
		flows:       cmp.Or(t.Path, fmt.Sprintf("rtfm.flows.%d", record.Schema)),
		collections: cmp.Or(t.Options["collections"], fmt.Sprintf("rtfm.collections.%d", record.Schema)),
		batch:       mostBatch, told: make(map[string]bool),
	}
	for _, topic := range []string{p.flows, p.collections} {
		if !isTopic(topic) {
			return nil, fmt.Errorf("%s: %q is no name of a topic: want at most 249 letters, digits, periods, _ and -", t, topic)
		}
	}
	if p.flows == p.collections {
		return nil, fmt.Errorf("%s: want another topic for collections than for flows", t)
	}
	var err error
	if p.timeout, err = t.Duration("timeout", 60*time.Second); err != nil {
		return nil, err
	}
	codec, err := compression(t)
	if err != nil {
		return nil, err
	}
	p.options = []kgo.Opt{
		kgo.SeedBrokers(t.Hosts...), kgo.ClientID("rtfm"), kgo.WithHooks(p), kgo.DisableClientMetrics(),
		kgo.ProducerBatchCompression(codec), kgo.MaxBufferedBytes(mostBuffered),
		kgo.RecordRetries(recordRetries), kgo.UnknownTopicRetries(recordRetries),
		kgo.MetadataMinAge(500 * time.Millisecond), kgo.RequestRetries(requestRetries), kgo.DialTimeout(requestTimeout),
	}
	login, err := saslOf(t)
	if err != nil {
		return nil, err
	}
	if login != nil {
		p.options = append(p.options, kgo.SASL(login))
	}
	if v := t.Options["tls"]; v != "" {
		return nil, fmt.Errorf("%s: tls=%s: want tls alone", t, v)
	}
	secure, err := t.TLS()
	if err != nil {
		return nil, err
	}
	if t.Has("tls") || t.Has("ca") {
		p.options = append(p.options, kgo.DialTLSConfig(secure))
	} else if login != nil && login.Name() == "PLAIN" {
		return nil, fmt.Errorf("%s: sasl=plain sends the password as it is: it needs tls", t)
	}
	return p, nil
}

// isTopic reports whether Kafka takes a name for one of a topic.
func isTopic(name string) bool {
	return name != "." && name != ".." && len(name) <= 249 &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

// compression returns that of batches.
func compression(t *export.Target) (kgo.CompressionCodec, error) {
	choice, err := t.Choice("compression", "zstd", "lz4", "snappy", "gzip", "none")
	switch choice {
	case "zstd":
		return kgo.ZstdCompression(), err
	case "lz4":
		return kgo.Lz4Compression(), err
	case "snappy":
		return kgo.SnappyCompression(), err
	case "gzip":
		return kgo.GzipCompression(), err
	}
	return kgo.NoCompression(), err
}

// saslOf returns how to say who this is, nil if nobody is to know.
func saslOf(t *export.Target) (sasl.Mechanism, error) {
	user := cmp.Or(t.Options["user"], t.User)
	if user == "" && !t.Has("sasl") && !t.Has("password-file") {
		return nil, nil
	}
	choice, err := t.Choice("sasl", "scram-sha-512", "scram-sha-256", "plain")
	if err != nil {
		return nil, err
	}
	if user == "" || !t.Has("password-file") {
		return nil, fmt.Errorf("%s: sasl needs a user and a password-file", t)
	}
	password, err := t.Secret("password-file")
	if err != nil {
		return nil, fmt.Errorf("%s: password-file: %w", t, err)
	}
	login := scram.Auth{User: user, Pass: password}
	switch choice {
	case "scram-sha-512":
		return login.AsSha512Mechanism(), nil
	case "scram-sha-256":
		return login.AsSha256Mechanism(), nil
	}
	return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
}

// Gap implements export.Exporter.
func (p *producer) Gap(ctx context.Context, g *export.Gap) error {
	row, err := g.Row()
	if err != nil {
		return export.Refuse(err)
	}
	return p.connected(ctx, func() error { return p.produceOwn(ctx, row) })
}

// Close implements export.Exporter.
func (p *producer) Close() error { p.disconnect(); return nil }

// Notes implements export.Noting.
func (p *producer) Notes(tell func(note string)) { p.tell = tell }

// note tells something once.
func (p *producer) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.tell != nil && !p.told[text] {
		p.told[text] = true
		p.tell(text)
	}
}
