package snmp

import (
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// TestMemoryOfRequests sends messages each of which has its long octet string one
// variable further on. Who is in no community makes the server take no memory for
// variables, who is in one a limited amount.
func TestMemoryOfRequests(t *testing.T) {
	long := smitest.Octets(base+".1.1", smi.OctetString, strings.Repeat("x", 30_000))
	for _, tt := range []struct {
		community string
		pdu       byte
		most      int
	}{
		{"public", getRequest, 0},
		{"", setRequest, 0},
		{"reader", getRequest, 2 * keepRequests},
		{"reader", setRequest, 2 * keepRequests},
		{"writer", setRequest, 2 * keepRequests},
	} {
		s := newServer(t, testConfig, rows(3))
		vars := []smi.VarBind{long}
		for range 300 {
			s.handle(msg(tt.community, tt.pdu, 0, 0, vars...))
			vars = append(vars, vars[len(vars)-1])
			vars[len(vars)-2] = smitest.None(base+".1.1", smi.Null)
			if got := smi.Held(s.req.vars) + 100*cap(s.req.vars); got > tt.most {
				t.Fatalf("community %q, PDU 0x%x: %d octets are held, want %d at most", tt.community, tt.pdu, got, tt.most)
			}
		}
	}
}

// TestMemoryOfAnswers asks for a long value at one place after the other.
func TestMemoryOfAnswers(t *testing.T) {
	s := newServer(t, testConfig, smitest.New(smitest.Octets(base+".1.1", smi.OctetString, strings.Repeat("x", 30_000))))
	var names []string
	for range 300 {
		s.handle(msg("reader", getRequest, 0, 0, ask(append(names, ".1.1")...)...))
		names = append(names, ".1.2")
		if got := smi.Held(s.vars); got > 2*keepAnswers {
			t.Fatalf("%d octets are held, want %d at most", got, 2*keepAnswers)
		}
	}
}

// counted is a Handler that counts the variables it is asked for.
type counted struct {
	*smitest.Table
	asked int
}

func (c *counted) Get(names []smi.OID, out []smi.VarBind) error {
	c.asked += len(names)
	return c.Table.Get(names, out)
}

func (c *counted) Next(ranges []smi.Range, out []smi.VarBind) error {
	c.asked += len(ranges)
	return c.Table.Next(ranges, out)
}

// TestStopsAtSize has a request ask for far more than fits in a message: the
// Handler is not asked for what cannot be in the answer.
func TestStopsAtSize(t *testing.T) {
	var names []string
	for range 2000 {
		names = append(names, ".1.1")
	}
	for _, pdu := range []byte{getRequest, getNextRequest} {
		h := &counted{Table: smitest.New(
			smitest.Octets(base+".1.1", smi.OctetString, strings.Repeat("x", 8000)),
			smitest.Octets(base+".1.2", smi.OctetString, strings.Repeat("x", 8000)))}
		if got := show(t, newServer(t, testConfig, h).handle(msg("reader", pdu, 0, 0, ask(names...)...))); got != "tooBig 0: " || h.asked > 100 {
			t.Errorf("PDU 0x%x: %.50s after %d variables were asked for", pdu, got, h.asked)
		}
	}
}
