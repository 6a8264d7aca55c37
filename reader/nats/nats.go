package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rtfm/reader/export"
	"rtfm/reader/record"
)

// Options are the names of those that URLs may have.
var Options = []string{
	"user", "password-file", "creds", "tls", "ca", "create", "replicas", "keep", "window", "monitor", "compression", "timeout",
}

// publisher is an export.Exporter.
type publisher struct {
	servers    []string // URLs
	stream     string
	create     bool
	wanted     jetstream.StreamConfig // if it is to be created
	monitors   []string               // addresses of servers that tell how they are set
	compressor *zstd.Encoder          // nil: none
	timeout    time.Duration
	options    []nats.Option

	*connection // nil if there is none
	tell        func(note string)
	told        map[string]bool
}

// The subjects of flows and collections, before the names of their meters. Their number
// is that of the schema: another one is another subject.
var (
	flowsSubject       = fmt.Sprintf("rtfm.flows.%d.", record.Schema)
	collectionsSubject = fmt.Sprintf("rtfm.collections.%d.", record.Schema)
)

// New returns an exporter to a target, whose path is the name of a stream.
func New(t *export.Target) (export.Exporter, error) {
	if t.Path == "" || strings.ContainsAny(t.Path, "/\\.*> \t") {
		return nil, fmt.Errorf("%s: want nats://HOST/STREAM, and a name without / \\ . * > and blanks", t)
	}
	p := &publisher{stream: t.Path, told: make(map[string]bool)}
	for _, h := range t.Hosts {
		p.servers = append(p.servers, "nats://"+h)
	}
	compression, err := t.Choice("compression", "zstd", "none")
	if err != nil {
		return nil, err
	}
	if compression == "zstd" {
		if p.compressor, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(mostRows)); err != nil {
			return nil, err
		}
	}
	if p.timeout, err = t.Duration("timeout", 30*time.Second); err != nil {
		return nil, err
	}
	if p.options, err = connectOptions(t); err != nil {
		return nil, err
	}
	if monitors := t.Options["monitor"]; monitors != "" {
		p.monitors = strings.Split(monitors, ",")
	}
	return p, p.setWanted(t)
}

// setWanted reads how the stream is to be if it is created.
func (p *publisher) setWanted(t *export.Target) error {
	for _, option := range []string{"create", "tls"} {
		if v := t.Options[option]; v != "" {
			return fmt.Errorf("%s: %s=%s: want %s alone", t, option, v, option)
		}
	}
	p.create = t.Has("create")
	for _, option := range []string{"replicas", "keep", "window"} {
		if t.Has(option) && !p.create {
			return fmt.Errorf("%s: %s is for a stream that is created: it needs create", t, option)
		}
	}
	replicas, err := t.Number("replicas", 1, 1, 5)
	if err != nil {
		return err
	}
	days, err := t.Number("keep", 0, 1, 36500)
	if err != nil {
		return err
	}
	window, err := t.Duration("window", 10*time.Minute)
	if err != nil {
		return err
	}
	age := time.Duration(days) * 24 * time.Hour
	if age > 0 && window > age {
		return fmt.Errorf("%s: window=%s: want no more than rows are kept for", t, t.Options["window"])
	}
	p.wanted = jetstream.StreamConfig{
		Name: p.stream, Description: "flows and collections of rtfm", Subjects: []string{flowsSubject + ">", collectionsSubject + ">"},
		Storage: jetstream.FileStorage, Replicas: replicas, MaxAge: age, Duplicates: window,
	}
	return nil
}

// connectOptions returns how to connect to a target's servers.
func connectOptions(t *export.Target) ([]nats.Option, error) {
	options := []nats.Option{nats.Name("rtfm"), nats.NoReconnect(), nats.NoEcho()}
	user := cmp.Or(t.Options["user"], t.User)
	password, err := t.Secret("password-file")
	if err != nil {
		return nil, fmt.Errorf("%s: password-file: %w", t, err)
	}
	creds, err := t.Secret("creds")
	if err != nil {
		return nil, fmt.Errorf("%s: creds: %w", t, err)
	}
	switch {
	case t.Has("creds") && (user != "" || t.Has("password-file")):
		return nil, fmt.Errorf("%s: creds tell who this is: want no user and no password-file", t)
	case t.Has("creds") && !strings.Contains(creds, "-----BEGIN NATS USER JWT-----"):
		return nil, fmt.Errorf("%s: creds: %s has no NATS user JWT", t, t.Options["creds"])
	case t.Has("creds"):
		options = append(options, nats.UserCredentialBytes([]byte(creds)))
	case user != "":
		options = append(options, nats.UserInfo(user, password))
	case t.Has("password-file"):
		options = append(options, nats.Token(password))
	}
	secure, err := t.TLS()
	if err != nil {
		return nil, err
	}
	if t.Has("tls") || t.Has("ca") {
		options = append(options, nats.Secure(secure))
	}
	return options, nil
}

// Send implements export.Exporter.
func (p *publisher) Send(ctx context.Context, c *export.Collection) error {
	return p.connected(ctx, func() error {
		if err := p.publishFlows(ctx, c); err != nil {
			return err
		}
		row, err := c.Row()
		if err != nil {
			return err
		}
		return p.publishOwn(ctx, row)
	})
}

// Gap implements export.Exporter.
func (p *publisher) Gap(ctx context.Context, g *export.Gap) error {
	row, err := g.Row()
	if err != nil {
		return export.Refuse(err)
	}
	return p.connected(ctx, func() error { return p.publishOwn(ctx, row) })
}

// connected calls do with a connection, which it closes if that fails.
func (p *publisher) connected(ctx context.Context, do func() error) error {
	err := p.connect(ctx)
	if err == nil {
		err = do()
	}
	if err != nil {
		p.disconnect()
	}
	return err
}

// Check implements export.Exporter.
func (p *publisher) Check(ctx context.Context) error {
	defer p.disconnect()
	if err := p.dial(ctx); err != nil {
		return err
	}
	_, err := p.findStream(ctx)
	if p.create && errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return err
}

// Close implements export.Exporter.
func (p *publisher) Close() error { p.disconnect(); return nil }

// Notes implements export.Noting.
func (p *publisher) Notes(tell func(note string)) { p.tell = tell }

// note tells something once.
func (p *publisher) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.tell != nil && !p.told[text] {
		p.told[text] = true
		p.tell(text)
	}
}
