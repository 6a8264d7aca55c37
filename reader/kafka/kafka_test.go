package kafka

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"rtfm/reader/export"
	"rtfm/reader/export/exporttest"
)

// newProducer returns an exporter to a URL.
func newProducer(t *testing.T, url string) *producer {
	t.Helper()
	target, s, err := export.Parse(url, []export.Scheme{{Name: "kafka", Hosts: true, Port: "9092", Options: Options, New: New}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.New(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e.(*producer)
}

func refused(err error) bool {
	var r *export.Refusal
	return errors.As(err, &r)
}

// TestNobody: a server that is no broker is told as such, and is no refusal.
func TestNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "SSH-2.0-OpenSSH_9.2\r\n")
			conn.Close()
		}
	}()
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	for url, want := range map[string]string{
		"kafka://" + listener.Addr().String() + "/": "", // whatever the library makes of it
		"kafka://127.0.0.1:1/":                      "connection refused",
	} {
		p := newProducer(t, url)
		for name, do := range map[string]func() error{
			"send":  func() error { return p.Send(t.Context(), c) },
			"gap":   func() error { return p.Gap(t.Context(), exporttest.Gap(t, 1, 1)) },
			"check": func() error { return p.Check(t.Context()) },
		} {
			if err := do(); err == nil || refused(err) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %s: %v", url, name, err)
			}
		}
	}
}

// TestOutcome: errors that repetition does not heal are refusals.
func TestOutcome(t *testing.T) {
	p := newProducer(t, "kafka://127.0.0.1:1/")
	for _, test := range []struct {
		err  error
		want bool
	}{
		{kerr.TopicAuthorizationFailed, true},
		{fmt.Errorf("a broker: %w", kerr.SaslAuthenticationFailed), true},
		{kerr.MessageTooLarge, true},
		{kerr.NotEnoughReplicas, false},
		{kerr.UnknownTopicOrPartition, false},
		{kerr.OutOfOrderSequenceNumber, false},
		{kerr.InvalidProducerEpoch, false},
		{io.EOF, false},
	} {
		if got := p.outcome(test.err); refused(got) != test.want || !errors.Is(got, test.err) {
			t.Errorf("%v is %v", test.err, got)
		}
	}
}

// TestLargestRecord counts keys and headers, too.
func TestLargestRecord(t *testing.T) {
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	row, err := c.Row()
	if err != nil {
		t.Fatal(err)
	}
	flow := 0
	err = c.Rows(func(row []byte) error {
		flow = max(flow, len(row)+len("m")+len("r"))
		return nil
	})
	got, failed := largestRecord(c)
	if want := max(flow, len(row)+len("m")); err != nil || failed != nil || got != want {
		t.Errorf("%d octets, not %d: %v, %v", got, want, err, failed)
	}
}
