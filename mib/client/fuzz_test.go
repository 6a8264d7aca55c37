package client

import (
	"net"
	"os"
	"testing"
	"time"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// answering is a connection on which one datagram comes, and then no more.
type answering struct {
	net.Conn
	answer []byte
}

func (a *answering) Write(b []byte) (int, error)     { return len(b), nil }
func (a *answering) SetDeadline(time.Time) error     { return nil }
func (a *answering) SetReadDeadline(time.Time) error { return nil }
func (a *answering) Close() error                    { return nil }
func (a *answering) Read(b []byte) (n int, err error) {
	if a.answer == nil {
		return 0, os.ErrDeadlineExceeded
	}
	n, a.answer = copy(b, a.answer), nil
	return n, nil
}

// FuzzAnswer gives octets as the answer to requests.
func FuzzAnswer(f *testing.F) {
	c, err := Dial(f.Context(), Config{Address: "127.0.0.1:9", Community: "x", Retries: -1})
	if err != nil {
		f.Fatal(err)
	}
	defer c.snmp.Conn.Close()
	c.timeout, c.snmp.Timeout = time.Nanosecond, time.Nanosecond
	vb := integer(module.FlowFloodMark.At(0), 95)
	bindings := vb.AppendBER(nil)
	// A response with request-id 0, which passes for an answer to anything.
	pdu := append([]byte{2, 1, 0, 2, 1, 0, 2, 1, 0}, smi.AppendBERHeader(nil, smi.TagSequence, len(bindings))...)
	pdu = append(pdu, bindings...)
	message := append([]byte{2, 1, 1, 4, 1, 'x'}, smi.AppendBERHeader(nil, 0xa2, len(pdu))...)
	message = append(message, pdu...)
	f.Add(append(smi.AppendBERHeader(nil, smi.TagSequence, len(message)), message...))
	f.Fuzz(func(t *testing.T, b []byte) {
		c.snmp.Conn = &answering{answer: b}
		if vars, err := c.get(t.Context(), module.FlowFloodMark.At(0)); err == nil && len(vars) != 1 {
			t.Errorf("%d variables", len(vars))
		}
		c.snmp.Conn = &answering{answer: b}
		if vars, err := c.bulk(t.Context(), []smi.OID{module.FlowFloodMark.OID}, 10); err == nil && (len(vars) == 0 || len(vars) > 10) {
			t.Errorf("%d variables", len(vars))
		}
	})
}
