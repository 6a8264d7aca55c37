package client

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"rtfm/mib/smi"
)

// der returns a BER element of what parts are together.
func der(tag byte, parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	return append(smi.AppendBERHeader(nil, tag, len(content)), content...)
}

// report returns an SNMPv3 message (RFC 3412 section 6) with a report of one of the
// counters of usmStats (RFC 3414 section 5).
func report(flags byte, user string, digest []byte, counter byte) []byte {
	const sequence, integer, octets = smi.TagSequence, byte(smi.Integer32), byte(smi.OctetString)
	zero, engine := der(integer, []byte{0}), der(octets, []byte("\x80\x00\x1f\x88\x04test"))
	name := der(byte(smi.ObjectIdentifier), []byte{0x2b, 6, 1, 6, 3, 15, 1, 1, counter, 0})
	pdu := der(0xa8, zero, zero, zero, der(sequence, der(sequence, name, der(byte(smi.Counter32), []byte{1}))))
	return der(sequence, der(integer, []byte{3}),
		der(sequence, zero, der(integer, []byte{0x7f, 0xff}), der(octets, []byte{flags}), der(integer, []byte{3})),
		der(octets, der(sequence, engine, zero, zero, der(octets, []byte(user)), der(octets, digest), der(octets))),
		der(sequence, engine, der(octets), pdu))
}

// TestLibraryFaults provokes the errors that gosnmp tells apart by their words only:
// a version that words them otherwise fails here.
func TestLibraryFaults(t *testing.T) {
	const unknownUser, unknownEngine = 3, 4
	v3 := Config{
		Version: V3, User: "me", Auth: "SHA-256", AuthPassphrase: "authenticate-me", Timeout: 500 * time.Millisecond, Retries: -1,
	}
	v2 := Config{Community: "x", Timeout: 500 * time.Millisecond, Retries: -1}
	// agent answers one request after the other, the last answer again and again.
	agent := func(answers ...[]byte) string {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		go func() {
			for b := make([]byte, 1<<16); ; {
				_, from, err := conn.ReadFrom(b)
				if err != nil {
					return
				}
				conn.WriteTo(answers[0], from)
				answers = answers[min(1, len(answers)-1):]
			}
		}()
		return conn.LocalAddr().String()
	}
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, tt := range []struct {
		words   string // of gosnmp's error
		config  Config
		address string
		change  func(s *gosnmp.GoSNMP)
		want    error
		says    string
	}{
		{"is not authentic", v3, agent(report(0, "", nil, unknownEngine), report(1, "me", make([]byte, 24), unknownUser)), nil, ErrAccess, "authentication passphrase"},
		{"recover: ", v2, agent(nil), func(s *gosnmp.GoSNMP) { s.OnSent = func(*gosnmp.GoSNMP) { panic("some fault") } }, ErrNonsense, "the answer is malformed"},
		{"connection refused", v2, gone.LocalAddr().String(), nil, ErrNoAnswer, "nothing listens at this port"},
	} {
		tt.config.Address = tt.address
		c, err := Dial(t.Context(), tt.config)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if tt.change != nil {
			tt.change(c.snmp)
		}
		_, err = c.snmp.Get([]string{"1.3.6.1.2.1.1.3.0"})
		if err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: gosnmp says %.80v", tt.words, err)
			continue
		}
		if got := c.fault(err); !errors.Is(got, tt.want) || !strings.Contains(got.Error(), tt.says) {
			t.Errorf("%s: %v", tt.words, got)
		}
	}
}
